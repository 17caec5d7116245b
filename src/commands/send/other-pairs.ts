/**
 * Another try for stored subscriptions that do not say which key they were made with, and whose push service
 * refused ours: with each of the other pairs, once.
 *
 * The message was not accepted, so this cannot bring it twice; and the pair that is accepted is remembered, so each
 * subscription is asked once. Tries come when all others are done, or as many wait for one as may be held; lists that
 * are read while sending have none: nothing could be remembered.
 */
import type { Attempted, Result } from "./deliver.ts";
import type { ReadyRecipient, Tried } from "./plan.ts";

type Send = (everyone: AsyncIterable<ReadyRecipient>) => AsyncGenerator<Attempted>;

/** The most that wait for another try; a store in a database may have millions made with an older pair. */
const mostWaiting = 10_000;

/** Sends to everyone, and again to those who may have been made with another pair; one outcome for each. */
export async function* tryOtherPairs(
  everyone: AsyncIterable<ReadyRecipient>,
  send: Send,
  most: number = mostWaiting,
): AsyncGenerator<Attempted> {
  const source = everyone[Symbol.asyncIterator]();
  let again: ReadyRecipient[];
  do {
    again = [];
    for await (const outcome of send(takenUntil(source, () => again.length >= most))) {
      const next = nextTry(outcome);
      if (next === undefined) yield inAll(outcome);
      else again.push(next);
    }
    yield* tryAgain(again, send);
  } while (again.length >= most);
}

/** Those who are still to come, until it is full; the others stay for the next round. */
async function* takenUntil(
  source: AsyncIterator<ReadyRecipient>,
  isFull: () => boolean,
): AsyncGenerator<ReadyRecipient> {
  try {
    while (!isFull()) {
      const next = await source.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    if (!isFull()) await source.return?.();
  }
}

async function* tryAgain(again: readonly ReadyRecipient[], send: Send): AsyncGenerator<Attempted> {
  if (again.length === 0) return;
  const left = new Set(again);
  const taken = (async function* () {
    for (const recipient of again) {
      left.delete(recipient);
      yield recipient;
    }
    await Promise.resolve();
  })();
  yield* tryOtherPairs(taken, send, Number.POSITIVE_INFINITY);
  for (const recipient of left) yield inAll({ recipient }); // sending was stopped
}

/** The same recipient with the next pair; undefined when there is no reason for another try. */
function nextTry(outcome: Attempted): ReadyRecipient | undefined {
  if (!("delivery" in outcome) || outcome.delivery.outcome !== "wrong-key") return undefined;
  const { recipient, ...result } = outcome;
  const [pair, ...otherPairs] = recipient.otherPairs ?? [];
  if (pair === undefined) return undefined;
  const firstKey = recipient.tried?.firstKey ?? recipient.pair.publicKey;
  const { delivery, attempts, durationMs } = added(recipient.tried, result);
  return { ...recipient, pair, otherPairs, tried: { firstKey, delivery, attempts, durationMs } };
}

/** An outcome with what the earlier tries took; what came of them where this one did not come about. */
function inAll(outcome: Attempted): Attempted {
  const { recipient } = outcome;
  const { tried } = recipient;
  if (tried === undefined) return outcome;
  if ("delivery" in outcome) return { ...outcome, ...added(tried, outcome) };
  const { delivery, attempts, durationMs } = tried;
  return { recipient, delivery, attempts, durationMs, isOpen: true };
}

type Effort = Pick<Result, "delivery" | "attempts" | "durationMs">;

function added(before: Tried | undefined, { delivery, attempts, durationMs }: Effort): Effort {
  if (before === undefined) return { delivery, attempts, durationMs };
  return {
    delivery,
    attempts: before.attempts + attempts,
    durationMs: before.durationMs + durationMs,
  };
}
