/**
 * `webpush/emulator`: a push service for other people's test suites, in their own process.
 *
 * Everything is optional, nothing is left behind but what `close` ends. What it does is what `webpush emulator` does;
 * this file only gives it the machine's clock and randomness, and names that read well in a test.
 */
import { randomBytes } from "node:crypto";
import { UserError } from "../base/errors.ts";
import { parseVapidPublicKey } from "../protocol/vapid.ts";
import type { Control } from "./control/control.ts";
import type { NumberedEvent } from "./event-log.ts";
import { startEmulator as start } from "./emulator.ts";
import type { FaultSpec } from "./faults/fault-spec.ts";
import { readFault } from "./faults/read-fault.ts";
import type { FaultRecord } from "./faults/rules.ts";
import type { PushServiceLimits } from "./limits.ts";
import type { MessageOutcome, MessageRecordOf } from "./message-record.ts";
import type { PersonalityId } from "./personalities.ts";
import { pushIdIn } from "./push-id.ts";
import type { SubscriptionRecord } from "./control/control.ts";

export type {
  FaultRecord,
  FaultSpec,
  MessageOutcome,
  NumberedEvent as EmulatorEvent,
  PersonalityId,
  PushServiceLimits,
  SubscriptionRecord,
};

export interface StartOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Whose push service subscriptions behave as that do not say; `strict` by default. */
  readonly as?: PersonalityId;
  /** What goes wrong from the start, as objects or as lines: `status=429 retry-after=5 every=3`. */
  readonly faults?: readonly (string | FaultSpec)[];
  /** How much it takes; as real services do, by default. */
  readonly limits?: PushServiceLimits;
  /** The time its clock begins at; the machine's by default. */
  readonly now?: number | Date;
  /** The bearer token of its JSON API; a random one by default. */
  readonly apiToken?: string;
  /** Hears everything that happens. */
  readonly onEvent?: (event: NumberedEvent) => void;
}

/** A subscription as `PushSubscription.toJSON()` has it: hand it to the sender under test. */
export interface PushSubscriptionJson {
  readonly endpoint: string;
  readonly expirationTime: number | null;
  readonly keys: { readonly p256dh: string; readonly auth: string };
  /** The VAPID key it is bound to, if it is bound. */
  readonly applicationServerKey?: string;
}

/** A subscription, its endpoint, or the last part of that. */
export type SubscriptionName = string | { readonly endpoint: string };

export interface SubscribeOptions {
  /** The VAPID public key, base64url: then only its holder can send, as in a browser. Anyone can without. */
  readonly applicationServerKey?: string;
  /** Whose push service it behaves as. */
  readonly as?: PersonalityId;
  /** The endpoint over `http`, the default; over `https`, with the emulator's own CA; or at the `vendor`'s host, through the emulator as a proxy. */
  readonly endpoint?: "http" | "https" | "vendor";
  /** Whether a browser is there to take messages and acknowledge them; true by default. */
  readonly online?: boolean;
}

/** Which messages; every field that is given must hold. */
export interface MessageFilter {
  readonly subscription?: SubscriptionName;
  readonly outcome?: MessageOutcome;
}

/** A message the emulator has accepted, decrypted where it knows the keys. */
export interface ReceivedMessage extends MessageRecordOf<Uint8Array> {
  /** The payload as JSON. Throws when it is none. */
  json(): unknown;
}

/** The emulator's time. Whatever has become due when it is moved ends at once. */
export interface EmulatorClock {
  /** Milliseconds since 1970. */
  now(): number;
  advance(ms: number): void;
  set(at: number | Date): void;
}

/** A push service that runs. */
export interface PushEmulator extends AsyncDisposable {
  /** As `http://127.0.0.1:41879`. */
  readonly origin: string;
  readonly httpsOrigin: string;
  readonly port: number;
  /** The certificate authority of `httpsOrigin`, PEM: for `NODE_EXTRA_CA_CERTS` or the `ca` of a TLS client. */
  readonly ca: string;
  readonly apiToken: string;
  readonly clock: EmulatorClock;

  /** Makes a subscription whose browser is the emulator. */
  subscribe(options?: SubscribeOptions): PushSubscriptionJson;
  /** The live subscriptions, those of real browsers too, oldest first. */
  subscriptions(): readonly SubscriptionRecord[];
  /** The browser unsubscribes: senders get 410. */
  unsubscribe(subscription: SubscriptionName): void;
  /** The service ends it by itself: senders get 404, or what its vendor says. */
  expire(subscription: SubscriptionName): void;
  /** Switches the browser of a subscription on or off; what waited is delivered when it comes back. */
  setOnline(subscription: SubscriptionName, online: boolean): void;

  /** What was accepted and what became of it, oldest first. */
  messages(filter?: MessageFilter): readonly ReceivedMessage[];
  /**
   * Resolves with all that match as soon as there are `count`, those of before included.
   * Rejects when they have not come within `timeoutMs`, 5000 by default.
   */
  waitForMessages(
    count: number,
    options?: MessageFilter & { readonly timeoutMs?: number },
  ): Promise<readonly ReceivedMessage[]>;
  clearMessages(): void;

  /** Adds a rule for what goes wrong; `removeFault` takes it back by its id. */
  addFault(fault: string | FaultSpec): FaultRecord;
  faults(): readonly FaultRecord[];
  /** Whether there was such a rule. */
  removeFault(id: string): boolean;
  clearFaults(): void;

  /** What has happened, oldest first; `since` leaves out what has that `sequence` or a lower one. */
  events(since?: number): readonly NumberedEvent[];
  /** Calls `listener` for each event, until the function it returns is called. */
  onEvent(listener: (event: NumberedEvent) => void): () => void;

  /** Forgets subscriptions, messages and faults and sets the clock right: for `beforeEach`. */
  reset(): void;
  close(): Promise<void>;
}

/**
 * Starts a push service on 127.0.0.1.
 *
 * @throws UserError `emulator-port`, `emulator-fault`, `emulator-api-token`
 */
// eslint-disable-next-line max-lines-per-function -- the handle, a line or two for each of its methods
export async function startEmulator(options: StartOptions = {}): Promise<PushEmulator> {
  const { port, as, limits, faults = [], now, apiToken, onEvent } = options;
  const emulator = await start({
    // The composition root of the library: nobody above could hand in a clock.
    // eslint-disable-next-line no-restricted-properties
    clock: { now: () => Date.now() },
    random: { bytes: (length) => randomBytes(length) },
    faults: faults.map(readFault),
    personality: as,
    apiToken,
    ...(port === undefined ? {} : { port }),
    ...(limits === undefined ? {} : { limits }),
  });
  const { origin, httpsOrigin, tls, control } = emulator;
  if (onEvent !== undefined) control.events.follow(onEvent);
  if (now !== undefined) control.clock.set(Number(now));
  const ending = new AbortController();
  const close = async () => {
    ending.abort();
    await emulator.close();
  };
  return {
    origin,
    httpsOrigin,
    port: emulator.port,
    ca: tls.caPem,
    apiToken: emulator.apiToken,
    clock: clockOf(control),
    subscribe: ({ applicationServerKey, as: personality, ...wanted } = {}) =>
      control.subscribe({
        ...wanted,
        personality,
        ...(applicationServerKey === undefined
          ? {}
          : { applicationServerKey: parseVapidPublicKey(applicationServerKey) }),
      }),
    subscriptions: () => control.subscriptions(),
    unsubscribe: (subscription) => {
      control.unsubscribe(nameOf(subscription));
    },
    expire: (subscription) => {
      control.expire(nameOf(subscription));
    },
    setOnline: (subscription, online) => {
      control.setOnline(nameOf(subscription), online);
    },
    messages: (filter) => control.messages(filterOf(filter)).map(receivedOf),
    waitForMessages: (count, wish = {}) =>
      waitForMessages(control, count, { ...wish, signal: ending.signal }),
    clearMessages: () => {
      control.clearMessages();
    },
    addFault: (fault) => control.addFault(readFault(fault)),
    faults: () => control.faults(),
    removeFault: (id) => control.removeFault(id),
    clearFaults: () => {
      control.clearFaults();
    },
    events: (since = 0) => control.events.since(since),
    onEvent: (listener) => control.events.follow(listener),
    reset: () => {
      control.reset();
      if (now !== undefined) control.clock.set(Number(now));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function clockOf({ clock }: Control): EmulatorClock {
  return {
    now: () => clock.now(),
    advance: (ms) => {
      clock.advance(ms);
    },
    set: (at) => {
      clock.set(Number(at));
    },
  };
}

interface Wish extends MessageFilter {
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

const defaultWaitMs = 5000;

async function waitForMessages(
  control: Control,
  count: number,
  { timeoutMs = defaultWaitMs, signal, ...filter }: Wish,
): Promise<readonly ReceivedMessage[]> {
  const { kind, messages } = await control.wait({ ...filterOf(filter), count, timeoutMs, signal });
  if (kind === "came") return messages.map(receivedOf);
  const how = kind === "timed-out" ? `within ${timeoutMs} ms` : "before the emulator was closed";
  const refusals = control.events.since(0).filter(({ type }) => type === "refused");
  const last = refusals.at(-1)?.reason;
  // In the message, since that is all that test runners show.
  const why = last === undefined || last === null ? "" : `; the last request it refused: ${last}`;
  throw new UserError(
    "emulator-messages-missing",
    `${messages.length} of ${count} messages came ${how}${why}`,
    {
      kind: "failed",
    },
  );
}

function nameOf(subscription: SubscriptionName): string {
  return typeof subscription === "string" ? subscription : subscription.endpoint;
}

function filterOf({ subscription, outcome }: MessageFilter = {}) {
  return { pushId: subscription === undefined ? undefined : pushIdIn(nameOf(subscription)), outcome };
}

function receivedOf(record: MessageRecordOf<Uint8Array>): ReceivedMessage {
  return {
    ...record,
    json: () => {
      if (record.text === null) throw new SyntaxError("the message has no text that could be JSON");
      return JSON.parse(record.text) as unknown;
    },
  };
}
