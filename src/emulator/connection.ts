/**
 * One plugged receiver: a poll, a WebSocket, an MCS stream. It may listen to many subscriptions.
 *
 * A subscription has at most one connection; a new one takes it over, since the
 * old one is then most likely dead without knowing it.
 */
import type { Receiver, ReceiverConnection } from "./exchange.ts";
import type { QueuedMessage } from "./message-queue.ts";
import type { LiveSubscription } from "./subscriptions.ts";

export interface Connection {
  readonly receiver: Receiver;
  /** What the receiver's door holds. */
  readonly handle: ReceiverConnection;
  readonly subscriptions: Set<LiveSubscription>;
  /** A pump is running further up the stack; it will see whatever changes. */
  isPumping: boolean;
}

/** The oldest message this connection may be handed now. */
export function nextFor({ receiver, subscriptions }: Connection): QueuedMessage | undefined {
  const { leastUrgent = "very-low", maxUnacknowledged = Number.POSITIVE_INFINITY } = receiver;
  let outCount = 0;
  let oldest: QueuedMessage | undefined;
  for (const { queue } of subscriptions) {
    outCount += queue.outCount;
    const message = queue.next(leastUrgent);
    if (message !== undefined && (oldest === undefined || message.sequence < oldest.sequence))
      oldest = message;
  }
  return outCount < maxUnacknowledged ? oldest : undefined;
}
