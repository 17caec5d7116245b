/**
 * User agents without a browser: the emulator holds their keys, so it can read what they are sent.
 *
 * One that is online takes each message at once and acknowledges it as a browser does, 101 when it
 * cannot decrypt it; one that is offline leaves its messages waiting. The keys of a real browser can be
 * told, too: they open its messages for the log and change nothing else.
 */
import type { Random } from "../base/clock.ts";
import { createReceiverKeys, decrypt, DecryptionError, type ReceiverKeys } from "../protocol/decryption.ts";
import type { PushedMessage, Receiver, ReceiverConnection } from "./exchange.ts";
import type { PushService } from "./push-service.ts";
import type { Refusal } from "./refusals.ts";
import type { SubscriptionView } from "./views.ts";

/** The plaintext of a message, or why it cannot be had. */
export type Opened =
  | { readonly kind: "opened"; readonly payload: Uint8Array }
  | { readonly kind: "empty" }
  | { readonly kind: "sealed"; readonly reason: string };

/** An encrypted body with the request's headers. */
export interface SealedBody {
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

interface UserAgent {
  readonly subscriptionId: string;
  connection: ReceiverConnection | undefined;
}

export class UserAgents {
  readonly #service: PushService;
  readonly #random: Random;
  /** By the id senders know, as the log does. Kept after the end of a subscription: its messages stay readable. */
  readonly #keys = new Map<string, ReceiverKeys>();
  readonly #agents = new Map<string, UserAgent>();
  /** Opened bodies: the log is read more often than messages come, and opening one takes a tenth of a millisecond. */
  readonly #opened = new WeakMap<Uint8Array, { readonly keys: ReceiverKeys; readonly opened: Opened }>();

  constructor(service: PushService, random: Random) {
    this.#service = service;
    this.#random = random;
  }

  /** Gives a new subscription a user agent of its own. */
  adopt({ subscriptionId, pushId }: Pick<SubscriptionView, "subscriptionId" | "pushId">): ReceiverKeys {
    const keys = createReceiverKeys(this.#random);
    this.#keys.set(pushId, keys);
    this.#agents.set(pushId, { subscriptionId, connection: undefined });
    return keys;
  }

  /** Takes the keys of a user agent that is somewhere else. */
  tellKeys(pushId: string, keys: ReceiverKeys): void {
    this.#keys.set(pushId, keys);
  }

  keysOf(pushId: string): ReceiverKeys | undefined {
    return this.#keys.get(pushId);
  }

  /** Whether the subscription's user agent is one of ours. */
  isOurs(pushId: string): boolean {
    return this.#agents.has(pushId);
  }

  /** Switches one of ours on; what waited for it is handed out before this returns. */
  goOnline(pushId: string): Refusal | undefined {
    const agent = this.#agents.get(pushId);
    if (agent === undefined) return undefined;
    const receiver: Receiver = {
      deliver: (message) => {
        this.#acknowledge(message);
      },
    };
    const outcome = this.#service.connect([agent.subscriptionId], receiver);
    if (outcome.kind === "refused") return outcome;
    agent.connection = outcome.connection;
    return undefined;
  }

  goOffline(pushId: string): void {
    const agent = this.#agents.get(pushId);
    agent?.connection?.close();
  }

  /** The plaintext of a message to this subscription. */
  open(pushId: string, sealed: SealedBody): Opened {
    if (sealed.body.length === 0) return { kind: "empty" };
    const keys = this.#keys.get(pushId);
    if (keys === undefined)
      return { kind: "sealed", reason: "the keys of its user agent are not known here" };
    const known = this.#opened.get(sealed.body);
    if (known?.keys === keys) return known.opened;
    const opened = openWith(keys, sealed);
    this.#opened.set(sealed.body, { keys, opened });
    return opened;
  }

  /** Forgets them all; the caller ends the subscriptions. */
  clear(): void {
    this.#keys.clear();
    this.#agents.clear();
  }

  #acknowledge({ messageId, pushId, headers, body }: PushedMessage): void {
    const { contentEncoding, encryption, cryptoKey } = headers;
    const named = { "content-encoding": contentEncoding, encryption, "crypto-key": cryptoKey };
    const given = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const opened = this.open(pushId, { body, headers: Object.fromEntries(given) });
    this.#service.acknowledge(messageId, opened.kind === "sealed" ? "undecryptable" : "received");
  }
}

function openWith(keys: ReceiverKeys, { body, headers }: SealedBody): Opened {
  try {
    return { kind: "opened", payload: decrypt(body, headers, keys) };
  } catch (error) {
    if (!(error instanceof DecryptionError)) throw error;
    return { kind: "sealed", reason: error.message };
  }
}
