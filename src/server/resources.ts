/**
 * What the scaffolded page and its worker talk to.
 *
 *   GET    /webpush/key             the public key the project signs with today
 *   POST   /webpush/subscriptions   store the page's subscription; DELETE removes it
 *   POST   /webpush/test            one push to a stored subscription
 *   POST   /webpush/events          a beacon of the service worker
 */
import type { Context, Hono, Next } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Clock } from "../base/clock.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { SubscriptionRecord } from "../store/subscriptions.ts";
import { readJson, type AppEnv, type Deny } from "./answers.ts";
import { basePath } from "./base-path.ts";
import { parseBeacon } from "./beacon.ts";
import type { ServerListener, TestResult } from "./events.ts";
import type { Registrations } from "./registrations.ts";
import { quote, refuse, type Refusal } from "./refusal.ts";
import { createTokenBucket, type Rate } from "../base/token-bucket.ts";

export interface ResourceOptions {
  readonly registrations: Registrations;
  /** The public key to subscribe with, read for each request: it may change meanwhile. */
  readonly publicKey: () => Promise<VapidPublicKey>;
  /** Sends one push, by the rules of `webpush send`. */
  readonly sendTest: (record: SubscriptionRecord) => Promise<TestResult>;
  readonly clock: Clock;
  readonly onEvent: ServerListener;
}

const maxBodyBytes = 16 * 1024;

/** A person clicks now and then; a page syncs when it is looked at; a broadcast comes back as two beacons each. */
const rates = {
  pages: { burst: 60, perSecond: 5 },
  tests: { burst: 10, perSecond: 1 },
  beacons: { burst: 500, perSecond: 50 },
} as const satisfies Readonly<Record<string, Rate>>;

/** Adds the resources to the application. */
export function addResources(app: Hono<AppEnv>, options: ResourceOptions, deny: Deny): void {
  const pages = limiter(rates.pages, options.clock, deny);
  const tests = limiter(rates.tests, options.clock, deny);
  const beacons = limiter(rates.beacons, options.clock, deny);
  const tooLarge = refuse(413, "body-too-large", `the body is larger than ${maxBodyBytes} bytes`);
  app.on(
    ["POST", "DELETE"],
    `${basePath}/*`,
    bodyLimit({ maxSize: maxBodyBytes, onError: (context: Context<AppEnv>) => deny(context, tooLarge) }),
  );
  app.get(`${basePath}/key`, async (context) => context.json({ publicKey: await options.publicKey() }));
  app.post(`${basePath}/subscriptions`, pages, (context) => storeSubscription(context, options, deny));
  app.delete(`${basePath}/subscriptions`, pages, (context) => removeSubscription(context, options, deny));
  app.post(`${basePath}/test`, pages, tests, (context) => sendTestPush(context, options, deny));
  app.post(`${basePath}/events`, beacons, (context) => takeBeacon(context, options, deny));
  app.all(`${basePath}/*`, (context) => deny(context, noSuchResource(context)));
}

type At = Context<AppEnv>;

async function storeSubscription(context: At, options: ResourceOptions, deny: Deny): Promise<Response> {
  const done = await options.registrations.register(await readJson(context));
  if (done.kind === "refused") return deny(context, done);
  const { outcome, record, replacedId } = done;
  const { id, subscription } = record;
  const at = options.clock.now();
  options.onEvent({ type: "stored", at, id, endpoint: subscription.endpoint, outcome, replacedId });
  return context.json({ id, outcome }, outcome === "added" ? 201 : 200);
}

async function removeSubscription(context: At, options: ResourceOptions, deny: Deny): Promise<Response> {
  const done = await options.registrations.forget(await readJson(context));
  if (done.kind === "refused") return deny(context, done);
  const { record } = done;
  if (record !== undefined) {
    const { id, subscription } = record;
    options.onEvent({ type: "removed", at: options.clock.now(), id, endpoint: subscription.endpoint });
  }
  return context.json({ id: record?.id ?? null });
}

async function sendTestPush(context: At, options: ResourceOptions, deny: Deny): Promise<Response> {
  const record = await options.registrations.find(await readJson(context));
  if ("kind" in record) return deny(context, record);
  const { id, subscription } = record;
  const result = await options.sendTest(record);
  options.onEvent({ type: "tested", at: options.clock.now(), id, endpoint: subscription.endpoint, result });
  const { outcome, cause, status = null, reason = null, meaning, advice = null } = result;
  const said = { id, outcome, cause, status, reason, advice };
  if (outcome === "accepted") return context.json(said);
  return context.json({ error: cause, message: meaning, ...said }, 502);
}

async function takeBeacon(context: At, options: ResourceOptions, deny: Deny): Promise<Response> {
  const beacon = parseBeacon(await readJson(context));
  if (beacon.kind === "refused") return deny(context, beacon);
  const { what, messageId, happenedAt, title } = beacon;
  options.onEvent({ type: "beacon", at: options.clock.now(), what, messageId, happenedAt, title });
  return context.body(null, 204);
}

/** Lets so many requests through as the rate allows. */
function limiter(rate: Rate, clock: Clock, deny: Deny) {
  const bucket = createTokenBucket(rate, clock);
  const refusal = refuse(429, "too-many-requests", "too many requests; wait a second and try again");
  return async (context: At, next: Next): Promise<Response | undefined> => {
    if (!bucket.take()) return deny(context, refusal);
    await next();
    return undefined;
  };
}

const methods: ReadonlyMap<string, string> = new Map([
  [`${basePath}/key`, "GET"],
  [`${basePath}/subscriptions`, "POST and DELETE"],
  [`${basePath}/test`, "POST"],
  [`${basePath}/events`, "POST"],
]);

function noSuchResource({ req: { path } }: At): Refusal {
  const takes = methods.get(path);
  if (takes === undefined) return refuse(404, "not-found", `there is no ${quote(path)}`);
  return refuse(405, "method-not-allowed", `${path} takes ${takes}`);
}
