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
  /** What was accepted before this sequence number waited for the connection: its backlog. */
  readonly backlogBefore: number;
  /** What was handed out of the backlog since it was last all acknowledged. */
  readonly batch: Set<QueuedMessage>;
}

/** The message this connection may be handed now. */
export function nextFor(connection: Connection): QueuedMessage | undefined {
  const { backlogBatch } = connection.receiver;
  return backlogBatch === undefined
    ? oldestFor(connection)
    : (freshFor(connection) ?? batchedFor(connection, backlogBatch));
}

function oldestFor({ receiver, subscriptions }: Connection): QueuedMessage | undefined {
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

/** The oldest message that came after the connection: it is handed out at once. */
function freshFor({ subscriptions, backlogBefore }: Connection): QueuedMessage | undefined {
  return first(subscriptions, ({ sequence }) => sequence >= backlogBefore);
}

/** The next message of the backlog: those with a topic first, then by time; a batch ends when all of it is acknowledged. */
function batchedFor({ subscriptions, batch }: Connection, size: number): QueuedMessage | undefined {
  if (batch.size >= size) {
    if ([...batch].some((message) => message.subscription.queue.isOut(message))) return undefined;
    batch.clear();
  }
  const next = first(subscriptions, ({ topic }) => topic !== undefined) ?? first(subscriptions, () => true);
  if (next !== undefined) batch.add(next);
  return next;
}

function first(
  subscriptions: ReadonlySet<LiveSubscription>,
  isWanted: (message: QueuedMessage) => boolean,
): QueuedMessage | undefined {
  const found = [...subscriptions].flatMap(({ queue }) => queue.nextWaiting(isWanted) ?? []);
  return found.sort((a, b) => a.sequence - b.sequence)[0];
}
