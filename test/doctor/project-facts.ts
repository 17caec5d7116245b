/** A project in which nothing is wrong, for tests to spoil one thing in. */
import type { ProjectFacts, StateEntry } from "../../src/doctor/facts.ts";
import { ringOf } from "../../src/doctor/key-checks.ts";
import { surveyOf } from "../../src/doctor/survey.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import type { Visit } from "../../src/sender/visit.ts";
import type { ProjectConfig } from "../../src/store/config.ts";
import type { SubscriptionRecord } from "../../src/store/subscriptions.ts";
import { subscriptionId } from "../../src/protocol/subscription.ts";
import { samplePair, sampleSubscription } from "../support/samples.ts";
import { testNow } from "../support/test-context.ts";

export const day = 86_400_000;

export const pair = samplePair("current");

export function configWith(over: Partial<ProjectConfig> = {}): { readonly value: ProjectConfig } {
  const pairs = [{ pair, createdAt: testNow - day, currentSince: testNow - day }];
  const { subject } = parseSubject("mailto:push@harbour.shop");
  return { value: { current: pair.publicKey, pairs, subject, ...over } };
}

export function recordOf(
  name: string,
  over: Partial<SubscriptionRecord> = {},
  json: Readonly<Record<string, unknown>> = {},
): SubscriptionRecord {
  const endpoint = `https://fcm.googleapis.com/fcm/send/${name}`;
  const subscription = sampleSubscription(name, { endpoint, applicationServerKey: pair.publicKey, ...json });
  return {
    id: subscriptionId(subscription.endpoint),
    name,
    tags: [],
    subscription,
    createdAt: testNow - day,
    registeredAt: testNow - day,
    lastResult: undefined,
    gone: undefined,
    wrongKey: undefined,
    ...over,
  };
}

export function entryOf(path: string, over: Partial<StateEntry> = {}): StateEntry {
  return { path, kind: "file", mode: 0o600, isMine: true, changedAt: testNow - day, ...over };
}

const folder = entryOf(".webpush", { kind: "folder", mode: 0o700 });

export function stateWith(...entries: readonly StateEntry[]): Pick<ProjectFacts, "state"> {
  const all = [folder, entryOf(".webpush/config.json"), ...entries];
  return {
    state: { path: ".webpush", isThere: true, isIgnored: true, entries: all, freeBytes: 10 ** 10 },
  };
}

export function visitOf(over: Partial<Visit> = {}): Visit {
  return {
    origin: "https://fcm.googleapis.com",
    name: "FCM",
    offersHttp2: true,
    proxy: undefined,
    addresses: [{ address: "142.250.0.1", isPublic: true }],
    failure: undefined,
    issuer: "Google Trust Services",
    isPubliclyTrusted: true,
    protocol: "h2",
    status: 404,
    clockSkewMs: 400,
    durationMs: 80,
    ...over,
  };
}

/** What is other than in a healthy project; `records` are the stored subscriptions. */
export type Spoilt = Partial<ProjectFacts> & { readonly records?: readonly SubscriptionRecord[] };

export function goodFacts({ records = [recordOf("phone")], ...over }: Spoilt = {}): ProjectFacts {
  const facts = {
    nodeVersion: "24.3.0",
    now: testNow,
    env: {},
    ...stateWith(),
    config: configWith(),
    settings: { value: {} },
    configPath: ".webpush/config.json",
    subscriptionsPath: ".webpush/subscriptions.json",
    damaged: [],
    environmentKeys: { value: { pair: undefined, subject: undefined } },
    secretFiles: [],
    isInGit: true,
    isExtraCaReadable: undefined,
    proxy: undefined,
    visits: { value: [visitOf()] },
    ...over,
  };
  const pairs = ringOf(facts)?.pairs ?? [];
  return { subscriptions: { value: surveyOf(records, { pairs, now: facts.now }) }, ...facts };
}
