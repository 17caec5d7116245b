/**
 * A receiver at an autopush service, Mozilla's or the emulator's: subscribes once, then receives for good.
 *
 * Its identity outlives it, so what was sent while it was off arrives later. A
 * message is acknowledged after whoever reads the events has come back for more:
 * killed in between, it comes again. Repetitions within one run are recognised.
 */
import type { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { parseBase64 } from "../base/bytes.ts";
import type { Clock, Random } from "../base/clock.ts";
import { messageOf, UserError } from "../base/errors.ts";
import { createReceiverKeys, decrypt, DecryptionError, type ReceiverKeys } from "../protocol/decryption.ts";
import { parseEndpoint, type Endpoint, type Subscription } from "../protocol/subscription.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import { AutopushConnection, openAutopush, type ServerFrame } from "./autopush-connection.ts";

/** Who a receiver is at one push service. */
export interface Identity {
  readonly service: string;
  readonly userAgentId: string;
  readonly channelId: string;
  readonly endpoint: Endpoint;
  readonly keys: ReceiverKeys;
  readonly applicationServerKey: VapidPublicKey | undefined;
}

interface Arrived {
  readonly at: number;
  /** The service's id of the message; the same for every repetition. */
  readonly id: string;
  readonly contentEncoding: string | undefined;
  readonly encryptedBytes: number;
}
export interface MessageEvent extends Arrived {
  readonly type: "message";
  /** `undefined` for a message that was sent without content. */
  readonly payload: Uint8Array | undefined;
}
export interface UndecryptableEvent extends Arrived {
  readonly type: "undecryptable";
  readonly reason: string;
}

/** What happens to a receiver. Switches over it must be total. */
export type ListenEvent =
  | {
      readonly type: "ready";
      readonly at: number;
      readonly identity: Identity;
      readonly subscription: Subscription;
      /** False when an earlier run made it. */
      readonly isNew: boolean;
    }
  | MessageEvent
  | UndecryptableEvent
  | { readonly type: "disconnected"; readonly at: number; readonly why: string; readonly retryInMs: number };

export interface ListenOptions {
  /** `ws:` or `wss:` address of the push service. */
  readonly service: string;
  /** What an earlier run was given with `ready`. */
  readonly identity: Identity | undefined;
  /** Only the holder of this key may send. */
  readonly applicationServerKey: VapidPublicKey | undefined;
  readonly signal: AbortSignal;
  /** Upper bound of the first wait before a reconnection; doubles each time, up to a minute. */
  readonly retryMs?: number;
  readonly pingMs?: number;
  /** What opens connections, when a proxy does. */
  readonly agent?: Agent | undefined;
}

export interface ListenDeps {
  readonly clock: Clock;
  readonly random: Random;
}

const usualPingMs = 300_000;
const maxRetryMs = 60_000;
/** A connection that held for so long was a good one. */
const steadyMs = 10_000;
const rememberedMessages = 1000;

/**
 * Receives until `signal` is aborted or the reader leaves.
 *
 * @throws UserError `receiver-unreachable` when the first connection fails, `receiver-refused`
 */
// eslint-disable-next-line complexity -- one life of a receiver, to be read from top to bottom
export async function* listen(
  options: ListenOptions,
  deps: ListenDeps,
): AsyncGenerator<ListenEvent, void, undefined> {
  const { signal, retryMs = 1000, pingMs = usualPingMs, service, agent } = options;
  const { clock } = deps;
  const seen = new Set<string>();
  let { identity } = options;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const openedAt = clock.now();
    const connection = await openAutopush({ service, signal, pingMs, agent });
    let why: string;
    if (connection instanceof AutopushConnection) {
      await using open = connection;
      const ready = await register(open, { ...options, identity }, deps);
      if (ready !== undefined) {
        const isNew = ready.endpoint !== options.identity?.endpoint && ready.endpoint !== identity?.endpoint;
        identity = ready;
        yield { type: "ready", at: clock.now(), identity, subscription: subscriptionOf(identity), isNew };
        yield* receive(open, identity, { seen, clock });
      }
      why = open.why ?? "the service closed";
      if (clock.now() - openedAt >= steadyMs) attempt = 0;
    } else {
      why = connection.why;
    }
    if (isAborted(signal)) return;
    if (identity === undefined || (attempt === 0 && !(connection instanceof AutopushConnection)))
      throw unreachable(service, why);
    const retryInMs = jitter(deps.random, Math.min(maxRetryMs, retryMs * 2 ** Math.min(attempt, 16)));
    yield { type: "disconnected", at: clock.now(), why, retryInMs };
    await delay(retryInMs, undefined, { signal }).catch(() => undefined);
  }
}

/** A function, so that the compiler does not believe the answer of before. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Full jitter: anything up to `mostMs`, so that receivers do not come back all at once. */
function jitter(random: Random, mostMs: number): number {
  const [high = 0, low = 0] = random.bytes(2);
  return Math.floor(((high * 256 + low) / 65_536) * mostMs);
}

/** Says hello, and subscribes unless the service still knows the identity; `undefined` when the connection ended. */
async function register(
  connection: AutopushConnection,
  { service, identity, applicationServerKey }: ListenOptions,
  { random }: ListenDeps,
): Promise<Identity | undefined> {
  const known = identity === undefined ? {} : { uaid: identity.userAgentId };
  connection.send({ messageType: "hello", use_webpush: true, broadcasts: {}, ...known });
  const hello = await answerTo(connection, "hello");
  if (hello === undefined) return undefined;
  const userAgentId = textOf(hello, "uaid");
  if (identity?.userAgentId === userAgentId && identity.applicationServerKey === applicationServerKey)
    return identity;
  // Made for another key: the service would refuse the senders that are meant now.
  if (identity?.userAgentId === userAgentId)
    connection.send({ messageType: "unregister", channelID: identity.channelId, code: 200 });
  const channelId = createChannelId(random);
  const key = applicationServerKey === undefined ? {} : { key: applicationServerKey };
  connection.send({ messageType: "register", channelID: channelId, ...key });
  const registered = await answerTo(connection, "register");
  if (registered === undefined) return undefined;
  const endpoint = parseEndpoint(textOf(registered, "pushEndpoint"));
  return {
    service,
    userAgentId,
    channelId,
    endpoint,
    keys: createReceiverKeys(random),
    applicationServerKey,
  };
}

/**
 * Ends the subscription; whoever sends to it from now on gets 410.
 *
 * @throws UserError `receiver-unreachable`
 */
export async function unregister(
  identity: Identity,
  { signal, agent }: Pick<ListenOptions, "signal" | "agent">,
): Promise<void> {
  const { service } = identity;
  const connection = await openAutopush({ service, signal, pingMs: usualPingMs, agent });
  if (!(connection instanceof AutopushConnection)) throw unreachable(service, connection.why);
  await using open = connection;
  open.send({ messageType: "hello", use_webpush: true, broadcasts: {}, uaid: identity.userAgentId });
  const hello = await answerTo(open, "hello");
  // Another id: the service has forgotten the subscription already.
  if (hello?.["uaid"] !== identity.userAgentId) return;
  open.send({ messageType: "unregister", channelID: identity.channelId, code: 200 });
  if ((await answerTo(open, "unregister")) === undefined) throw unreachable(service, open.why ?? "closed");
}

/** The service's answer, past messages that arrive meanwhile and come again, since nobody acknowledges them. */
async function answerTo(
  connection: AutopushConnection,
  messageType: string,
): Promise<ServerFrame | undefined> {
  for (let frame = await connection.next(); frame !== undefined; frame = await connection.next()) {
    if (frame["messageType"] !== messageType) continue;
    if (frame["status"] === 200) return frame;
    throw refused(`${messageType} was answered with status ${JSON.stringify(frame["status"])}`);
  }
  return undefined;
}

async function* receive(
  connection: AutopushConnection,
  identity: Identity,
  { seen, clock }: { readonly seen: Set<string>; readonly clock: Clock },
): AsyncGenerator<MessageEvent | UndecryptableEvent, void, undefined> {
  for (let frame = await connection.next(); frame !== undefined; frame = await connection.next()) {
    if (frame["messageType"] !== "notification") continue;
    const { channelID, version } = { channelID: frame["channelID"], version: textOf(frame, "version") };
    const acknowledge = (code: number): void => {
      connection.send({ messageType: "ack", updates: [{ channelID, version, code }] });
    };
    if (channelID !== identity.channelId) {
      acknowledge(102);
      continue;
    }
    const event = read(frame, identity.keys, { id: version, at: clock.now() });
    try {
      if (!seen.has(version)) yield event;
      remember(seen, version);
    } finally {
      // In a finally, since a reader that has enough leaves at the yield.
      acknowledge(event.type === "message" ? 100 : 101);
    }
  }
}

function read(
  frame: ServerFrame,
  keys: ReceiverKeys,
  { id, at }: { readonly id: string; readonly at: number },
): MessageEvent | UndecryptableEvent {
  const body = typeof frame["data"] === "string" ? parseBase64(frame["data"]) : undefined;
  const headers = headersOf(frame["headers"]);
  const contentEncoding = headers["content-encoding"];
  const arrived = { id, at, contentEncoding, encryptedBytes: body?.length ?? 0 };
  if (frame["data"] === undefined) return { ...arrived, type: "message", payload: undefined };
  if (body === undefined) return { ...arrived, type: "undecryptable", reason: "the body is not base64url" };
  try {
    return { ...arrived, type: "message", payload: decrypt(body, headers, keys) };
  } catch (error) {
    if (!(error instanceof DecryptionError)) throw error;
    return { ...arrived, type: "undecryptable", reason: messageOf(error) };
  }
}

/** The headers of a notification by the names they had at the sender's. */
function headersOf(value: unknown): Readonly<Record<string, string>> {
  const given = new Map<string, unknown>(
    typeof value === "object" && value !== null ? Object.entries(value) : [],
  );
  const names = { "content-encoding": "encoding", encryption: "encryption", "crypto-key": "crypto_key" };
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, short]) => {
      const text = given.get(short);
      return typeof text === "string" ? [[name, text] as const] : [];
    }),
  );
}

function remember(seen: Set<string>, id: string): void {
  seen.add(id);
  if (seen.size <= rememberedMessages) return;
  for (const oldest of seen) {
    seen.delete(oldest);
    return;
  }
}

function subscriptionOf({ endpoint, keys, applicationServerKey }: Identity): Subscription {
  return {
    endpoint,
    expirationTime: null,
    p256dh: keys.publicKey,
    auth: keys.auth,
    applicationServerKey,
    contentEncoding: "aes128gcm",
  };
}

/** A random UUID (RFC 9562 §5.4) in the form autopush asks for. */
function createChannelId(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function textOf(frame: ServerFrame, name: string): string {
  const value = frame[name];
  if (typeof value === "string" && value !== "" && value.length <= 2048) return value;
  throw refused(`${JSON.stringify(frame["messageType"])} came without ${name}`);
}

function refused(what: string): UserError {
  return new UserError("receiver-refused", `the push service is not one of autopush's kind: ${what}`, {
    kind: "failed",
    hints: ["check the address of the service"],
  });
}

function unreachable(service: string, why: string): UserError {
  return new UserError("receiver-unreachable", `no connection to ${service}: ${why}`, {
    kind: "failed",
    hints: ["check that the push service is running there; `webpush emulator` starts one"],
  });
}
