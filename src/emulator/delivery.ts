/**
 * What happens to a message between its acceptance and its end: waiting, out with a receiver, back, gone.
 *
 * Invariant: each accepted message ends exactly once, through `end`, which alone
 * removes it, says why and writes its receipt. State changes before anyone hears
 * of it, so a receiver may acknowledge or hang up from inside `deliver`.
 */
import type { Clock } from "../base/clock.ts";
import { nextFor } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { Deadlines } from "../base/deadlines.ts";
import type { DetachReason, MessageEndEvent, PushServiceListener, ReceiptStatus } from "./events.ts";
import type { Interceptor, PushedMessage } from "./exchange.ts";
import type { QueuedMessage } from "./message-queue.ts";
import { Receipts } from "./receipts.ts";
import type { LiveSubscription } from "./subscriptions.ts";

type WithoutIds<Event> = Event extends MessageEndEvent
  ? Omit<Event, "at" | "subscriptionId" | "messageId">
  : never;

/** How a message ends: its end event without the fields every event of a message has. */
export type Ending = WithoutIds<MessageEndEvent>;

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly emit: PushServiceListener;
  readonly acknowledgeWithinMs: number;
  /** Hands messages to receivers, or does not; by default each is delivered. */
  readonly intercept?: Interceptor | undefined;
}

export class Delivery {
  readonly receipts = new Receipts();
  readonly #clock: Clock;
  readonly #emit: PushServiceListener;
  readonly #acknowledgeWithinMs: number;
  readonly #intercept: Interceptor;
  readonly #live = new Map<string, QueuedMessage>();
  readonly #deadlines = new Deadlines<QueuedMessage>();

  constructor({ clock, emit, acknowledgeWithinMs, intercept }: DeliveryOptions) {
    this.#clock = clock;
    this.#emit = emit;
    this.#acknowledgeWithinMs = acknowledgeWithinMs;
    this.#intercept =
      intercept ??
      ((_message, courier) => {
        courier.deliver();
      });
  }

  find(messageId: string): QueuedMessage | undefined {
    return this.#live.get(messageId);
  }

  /** Lets a new message wait, in place of the one with its topic (RFC 8030 §5.4). */
  enqueue(message: QueuedMessage): void {
    const { queue } = message.subscription;
    const replaced = queue.waitingWith(message.topic);
    if (replaced !== undefined) this.#replace(replaced, message.id);
    queue.append(message);
    this.#live.set(message.id, message);
    this.#deadlines.set(message, message.expiresAt);
  }

  /** Hands a connection all it may have now. */
  pump(connection: Connection | undefined): void {
    if (connection === undefined || connection.isPumping) return;
    connection.isPumping = true;
    try {
      for (let next = nextFor(connection); next !== undefined; next = nextFor(connection)) {
        this.#handOut(next, connection);
      }
    } finally {
      connection.isPumping = false;
    }
  }

  /** Lets `connection` listen to `subscription`, in place of whoever did. */
  attach(connection: Connection, subscription: LiveSubscription): void {
    if (subscription.connection === connection) return;
    this.detach(subscription, "taken-over");
    // What an earlier connection got and did not acknowledge comes again (RFC 8030 §6.2).
    this.#takeBack(subscription);
    subscription.connection = connection;
    connection.subscriptions.add(subscription);
    this.#emit({ type: "connected", at: this.#clock.now(), subscriptionId: subscription.id });
  }

  /** Takes a subscription off its connection and tells the receiver why. */
  detach(subscription: LiveSubscription, why: DetachReason): void {
    const { connection } = subscription;
    if (connection === undefined) return;
    this.#unlink(connection, subscription);
    connection.receiver.detached?.(subscription.id, why);
  }

  /** Ends a connection from the receiver's side. */
  disconnect(connection: Connection, unacknowledged: "wait-again" | "stay-out"): void {
    for (const subscription of [...connection.subscriptions]) {
      this.#unlink(connection, subscription);
      if (unacknowledged === "wait-again") this.#takeBack(subscription);
    }
  }

  /** Ends whatever has passed its time. */
  expireDue(now: number): void {
    for (let due = this.#deadlines.takeDue(now); due !== undefined; due = this.#deadlines.takeDue(now)) {
      this.#expire(due);
    }
  }

  /** The one way a message leaves the service. */
  end(message: QueuedMessage, ending: Ending): void {
    this.#live.delete(message.id);
    this.#deadlines.delete(message);
    message.subscription.queue.remove(message);
    const ids = { at: this.#clock.now(), subscriptionId: message.subscription.id, messageId: message.id };
    this.#emit({ ...ids, ...ending });
    const { receiptSubscriptionId } = message;
    const status = receiptStatusOf(ending);
    if (receiptSubscriptionId === undefined || status === undefined) return;
    this.receipts.add(receiptSubscriptionId, { messageId: message.id, status });
    this.#emit({ ...ids, type: "receipt", receiptSubscriptionId, status });
  }

  #handOut(message: QueuedMessage, connection: Connection): void {
    message.subscription.queue.handOut(message);
    const at = this.#clock.now();
    // Whoever has the message in time may acknowledge it a little after its TTL.
    this.#deadlines.set(message, Math.max(message.expiresAt, at + this.#acknowledgeWithinMs));
    const ids = { subscriptionId: message.subscription.id, messageId: message.id };
    this.#emit({ type: "delivered", at, ...ids, delivery: message.deliveries });
    const pushed = pushedMessageOf(message);
    const { receiver, handle } = connection;
    this.#intercept(
      { ...pushed, personality: message.subscription.personality },
      {
        deliver: () => {
          // Late, it may be out on another connection, or at its end.
          const isCurrent =
            message.subscription.queue.isOut(message) && message.deliveries === pushed.delivery;
          if (isCurrent && connection.subscriptions.has(message.subscription))
            receiver.deliver(pushed, handle);
        },
        disconnect: (code, reason) => {
          receiver.disconnect?.(code, reason);
          handle.close();
        },
      },
    );
  }

  /** Lets the unacknowledged messages of a subscription wait again, but for those that are out of date. */
  #takeBack(subscription: LiveSubscription): void {
    const now = this.#clock.now();
    const messages = subscription.queue.takeBack();
    const isCurrent = (message: QueuedMessage) =>
      message.supersededBy === undefined && message.expiresAt > now;
    subscription.queue.putBack(messages.filter(isCurrent));
    for (const message of messages) {
      if (message.supersededBy !== undefined) {
        this.#replace(message, message.supersededBy);
      } else if (message.expiresAt <= now) {
        this.#expire(message);
      } else {
        this.#deadlines.set(message, message.expiresAt);
        this.#emit({ type: "returned", at: now, subscriptionId: subscription.id, messageId: message.id });
      }
    }
  }

  #expire(message: QueuedMessage): void {
    this.end(message, { type: "expired", deliveries: message.deliveries });
  }

  #replace(message: QueuedMessage, replacedBy: string): void {
    this.end(message, { type: "replaced", topic: message.topic ?? "", replacedBy });
  }

  #unlink(connection: Connection, subscription: LiveSubscription): void {
    connection.subscriptions.delete(subscription);
    subscription.connection = undefined;
    this.#emit({ type: "disconnected", at: this.#clock.now(), subscriptionId: subscription.id });
  }
}

/** What a receipt says about an end; nothing about a replaced message (RFC 8030 §5.4) or one its sender took back. */
function receiptStatusOf(ending: Ending): ReceiptStatus | undefined {
  switch (ending.type) {
    case "acknowledged":
      return 204; // RFC 8030 §6.3
    case "expired":
      return 410; // RFC 8030 §6.3, §7.2
    case "discarded":
      return ending.why === "subscription-expired" ? 404 : 410; // RFC 8030 §7.3
    case "replaced":
    case "cancelled":
      return undefined;
  }
}

function pushedMessageOf(message: QueuedMessage): PushedMessage {
  const { id, subscription, acceptedAt, expiresAt, headers, body, deliveries } = message;
  return {
    messageId: id,
    subscriptionId: subscription.id,
    pushId: subscription.pushId,
    acceptedAt,
    expiresAt,
    headers,
    body,
    delivery: deliveries,
  };
}
