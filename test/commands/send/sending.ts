/**
 * What the tests of `webpush send` share: browsers that can decrypt, and projects that know them.
 *
 * A project's subscriptions were stored an hour ago, so none of them is too young to
 * be called gone.
 */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { onTestFinished } from "vitest";
import { Counter, type Outcome, type Tally } from "../../../src/commands/send/tally.ts";
import { createReceiverKeys, decrypt, type ReceiverKeys } from "../../../src/protocol/decryption.ts";
import { parseSubject } from "../../../src/protocol/subject.ts";
import { parseSubscription, type Subscription } from "../../../src/protocol/subscription.ts";
import type { VapidKeyPair } from "../../../src/protocol/vapid.ts";
import { createConfigStore, withCurrentPair } from "../../../src/store/config.ts";
import { locateProject } from "../../../src/store/project.ts";
import { createSubscriptionStore } from "../../../src/store/subscription-file.ts";
import type { SubscriptionRecord } from "../../../src/store/subscriptions.ts";
import {
  binary,
  runJson,
  withoutRetries,
  type CliRun,
  type MainOptions,
  type SpawnOptions,
} from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import type { ReceivedRequest } from "../../support/scripted-push-service.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { seededRandom } from "../../support/test-context.ts";

/** The pair of every project that does not say otherwise. */
export const ourPair = samplePair("ours");

/** A browser: its subscription, and what it takes to read its messages. */
export interface Browser {
  readonly name: string;
  readonly subscription: Subscription;
  /** What the page hands in. */
  readonly json: string;
  /** The plaintext of a request made to it. */
  read(request: ReceivedRequest | undefined): Buffer;
}

/** A browser subscribed at `endpoint`. */
export function createBrowser(
  endpoint: string,
  { name = endpoint, ...over }: { readonly name?: string } & Readonly<Record<string, unknown>> = {},
): Browser {
  const keys: ReceiverKeys = createReceiverKeys(seededRandom(`browser ${endpoint}`));
  const object = {
    endpoint,
    expirationTime: null,
    keys: { p256dh: keys.publicKey, auth: keys.auth.reveal() },
    ...over,
  };
  return {
    name,
    subscription: parseSubscription(object),
    json: JSON.stringify(object),
    read: (request) => {
      if (request === undefined) throw new Error(`no request was made to ${endpoint}`);
      return Buffer.from(decrypt(request.body, textHeaders(request), keys));
    },
  };
}

function textHeaders({ headers }: ReceivedRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

export interface ProjectOptions {
  /** Pairs, the last one current; `ourPair` unless given. */
  readonly pairs?: readonly VapidKeyPair[];
  readonly subject?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly browsers?: readonly Browser[];
  readonly tags?: Readonly<Record<string, readonly string[]>>;
  /** Names of those that were called gone before. */
  readonly gone?: readonly string[];
  /** How long ago the subscriptions were stored; an hour unless given. */
  readonly ageMs?: number;
}

/** A folder with a project in it; answers the folder. */
export async function openProject(options: ProjectOptions = {}): Promise<string> {
  const { pairs = [ourPair], subject = "mailto:push@ada.dev", settings = {}, browsers = [] } = options;
  const { tags = {}, gone = [], ageMs = 3_600_000 } = options;
  const cwd = tempFolder();
  const location = locateProject({ cwd, configDir: undefined, profile: undefined });
  const then = Date.now() - ageMs;
  await createConfigStore(location).update((empty) => ({
    ...pairs.reduce(
      (config, pair) => withCurrentPair(config, { pair, createdAt: then }, { replacing: false }),
      empty,
    ),
    subject: parseSubject(subject).subject,
    settings,
  }));
  if (browsers.length === 0) return cwd;
  const store = createSubscriptionStore(location);
  const added = await store.add(
    browsers.map(({ name, subscription }) => ({ subscription, name, tags: tags[name] ?? [] })),
    then,
  );
  await store.note(
    added.flatMap(
      ({
        record: {
          subscription: { endpoint },
          name = "",
          registeredAt,
        },
      }) => {
        if (!gone.includes(name)) return [];
        const result = { at: then, outcome: "gone", cause: "http.410", status: 410 };
        return [
          { endpoint, registeredAt, result, gone: { at: then, cause: "http.410" }, wrongKey: undefined },
        ];
      },
    ),
  );
  return cwd;
}

/** What a project has stored, by name. */
export async function storedIn(cwd: string): Promise<ReadonlyMap<string, SubscriptionRecord>> {
  const location = locateProject({ cwd, configDir: undefined, profile: undefined });
  const records = await createSubscriptionStore(location).list();
  return new Map(records.map((record) => [record.name ?? record.id, record]));
}

/** A record of `send --json`; every field is there, see docs/json.md. */
export interface SendRecord {
  readonly id: string | null;
  readonly name: string | null;
  readonly outcome: string;
  readonly cause: string;
  readonly status: number | null;
  readonly reason: string | null;
  readonly advice: string | null;
  readonly retryAfterMs: number | null;
  readonly attempts: number;
}

/** Runs `webpush send … --json` and answers its records. */
export async function sendJson(
  argv: readonly string[],
  options: MainOptions,
): Promise<CliRun & { readonly records: readonly SendRecord[] }> {
  const ran = await runJson(["send", ...argv], options);
  return { ...ran, records: ran.records as readonly SendRecord[] };
}

/** Something that waits until a test opens it. */
export function createGate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    opened,
    open: () => {
      open();
    },
  };
}

/** A run of the built program that is still going on. */
export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams;
  readonly pid: number;
  /** Resolves when stderr has said `text`. */
  readonly said: (text: string) => Promise<void>;
  readonly ended: Promise<CliRun>;
}

/** Starts the built program; stdin stays open until the test closes it. */
export function startCli(
  argv: readonly string[],
  { env = {}, cwd = tempFolder() }: SpawnOptions,
): RunningCli {
  const child = spawn(process.execPath, [binary, ...argv], {
    cwd,
    env: { PATH: process.env["PATH"], ...withoutRetries, ...env },
    stdio: "pipe",
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let [stdout, stderr] = ["", ""];
  let noticed: () => void = () => undefined;
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    noticed();
  });
  return {
    child,
    pid: child.pid ?? 0,
    said: async (text) => {
      while (!stderr.includes(text)) {
        await new Promise<void>((resolve) => {
          noticed = resolve;
        });
      }
    },
    ended: new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode) => {
        resolve({ exitCode, stdout, stderr });
      });
    }),
  };
}

/** The counts of outcomes that are all there. */
export function tallyOf(outcomes: readonly Outcome[]): Tally {
  const counter = new Counter();
  for (const outcome of outcomes) counter.count(outcome);
  return counter.tally();
}
