/**
 * The live messages of one subscription: those waiting, in the order of their
 * acceptance, and those handed to a receiver that has not acknowledged them.
 *
 * Invariant: at most one waiting message per topic. A message that is out with a
 * receiver is not recalled when its topic is sent again (RFC 8030 §5.4); it is
 * marked superseded, and if it comes back unacknowledged it ends instead of
 * overtaking the newer one.
 */
import type { Urgency } from "../protocol/message.ts";
import type { LiveSubscription } from "./subscriptions.ts";

/** What a sender's request says about its body, as it is passed on to the receiver. */
export interface MessageHeaders {
  readonly contentEncoding: string | undefined;
  /** `Encryption` of the aesgcm draft. */
  readonly encryption: string | undefined;
  /** `Crypto-Key` of the aesgcm draft. */
  readonly cryptoKey: string | undefined;
}

/** One live message. */
export interface QueuedMessage {
  readonly id: string;
  readonly subscription: LiveSubscription;
  /** Order of acceptance over the whole service. */
  readonly sequence: number;
  readonly acceptedAt: number;
  readonly expiresAt: number;
  readonly ttlSeconds: number;
  readonly urgency: Urgency;
  readonly topic: string | undefined;
  readonly headers: MessageHeaders;
  readonly body: Uint8Array;
  readonly receiptSubscriptionId: string | undefined;
  deliveries: number;
  /** The newer message of the same topic that was accepted while this one was out. */
  supersededBy: string | undefined;
}

/** How urgent each word is: a receiver that asks for `normal` gets `normal` and `high` (RFC 8030 §5.3). */
const urgencyRank: Readonly<Record<Urgency, number>> = { "very-low": 0, low: 1, normal: 2, high: 3 };

export class MessageQueue {
  /** In order of `sequence`. */
  #waiting = new Map<string, QueuedMessage>();
  readonly #out = new Map<string, QueuedMessage>();
  readonly #waitingTopics = new Map<string, QueuedMessage>();

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get outCount(): number {
    return this.#out.size;
  }

  /** Every live message, those that are out first. */
  messages(): QueuedMessage[] {
    return [...this.#out.values(), ...this.#waiting.values()];
  }

  /** The waiting message that a message with `topic` would replace. */
  waitingWith(topic: string | undefined): QueuedMessage | undefined {
    return topic === undefined ? undefined : this.#waitingTopics.get(topic);
  }

  /** Appends a new message. The caller has ended the one it replaces. */
  append(message: QueuedMessage): void {
    this.#wait(message);
    if (message.topic === undefined) return;
    for (const earlier of this.#out.values()) {
      if (earlier.topic === message.topic) earlier.supersededBy = message.id;
    }
  }

  /** The oldest waiting message at least as urgent as `leastUrgent`. */
  next(leastUrgent: Urgency): QueuedMessage | undefined {
    for (const message of this.#waiting.values()) {
      if (urgencyRank[message.urgency] >= urgencyRank[leastUrgent]) return message;
    }
    return undefined;
  }

  /** The oldest waiting message that `isWanted`. */
  nextWaiting(isWanted: (message: QueuedMessage) => boolean): QueuedMessage | undefined {
    for (const message of this.#waiting.values()) if (isWanted(message)) return message;
    return undefined;
  }

  isOut(message: QueuedMessage): boolean {
    return this.#out.has(message.id);
  }

  isWaiting(message: QueuedMessage): boolean {
    return this.#waiting.has(message.id);
  }

  /** Moves a waiting message out to the receiver. */
  handOut(message: QueuedMessage): void {
    this.remove(message);
    message.deliveries += 1;
    this.#out.set(message.id, message);
  }

  /** Forgets a message, wherever it stands. */
  remove(message: QueuedMessage): void {
    this.#out.delete(message.id);
    if (!this.#waiting.delete(message.id) || message.topic === undefined) return;
    this.#waitingTopics.delete(message.topic);
  }

  /** Takes all that are out back from the receiver. They are in no list until put back. */
  takeBack(): QueuedMessage[] {
    const messages = [...this.#out.values()];
    this.#out.clear();
    return messages;
  }

  /** Puts messages back to wait in the places they had. */
  putBack(messages: readonly QueuedMessage[]): void {
    if (messages.length === 0) return;
    const all = [...messages, ...this.#waiting.values()].sort((a, b) => a.sequence - b.sequence);
    this.#waiting = new Map();
    for (const message of all) this.#wait(message);
  }

  #wait(message: QueuedMessage): void {
    this.#waiting.set(message.id, message);
    if (message.topic !== undefined) this.#waitingTopics.set(message.topic, message);
  }
}
