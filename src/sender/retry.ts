/**
 * Whether a message is sent again, and when: the one place that decides it.
 *
 * What an outcome allows stands in its row of the diagnosis table (`retry`, `pace`,
 * `freshToken`, `perSubscription`); this adds what the run allows. Pure: time and
 * chance come in as arguments.
 */
import type { Random } from "../base/clock.ts";
import { diagnosisOf, type Delivery, type Diagnosis } from "../protocol/delivery.ts";

/** What the person who sends allows. */
export interface RetryPolicy {
  /** How often one message is sent again at most. */
  readonly retries: number;
  /**
   * Whether a message that may have been processed is sent again: at least once, or at most once. With
   * a topic the service replaces the first copy by the second while it is stored (RFC 8030 §5.4).
   */
  readonly retryAmbiguous: boolean;
  /** The longest wait that is worth it; who asks for more is come back to in another run. */
  readonly patienceMs: number;
}

/** An attempt that has ended, and what is known about its message. */
export interface EndedAttempt {
  readonly delivery: Delivery;
  /** How often it was sent, this time included. */
  readonly attempts: number;
  /** The one new attempt that some refusals allow has been had. */
  readonly hadItsOnce: boolean;
  readonly now: number;
  /** When the message is of no use any more: its first attempt and its TTL. */
  readonly deadline: number;
  /** At least 0 and less than 1. */
  readonly chance: number;
}

export type RetryDecision = {
  /** Until when nothing else should be sent to the origin either; for all its messages, also if this one is given up. */
  readonly pauseUntil: number | undefined;
  /** The token was refused, which all other messages carry too; only a newly signed one is worth another attempt. */
  readonly freshToken: boolean;
} & (
  | {
      readonly again: false;
      /** No later attempt is worth it either; false where only the patience of this run is too short. */
      readonly isFinal: boolean;
    }
  | {
      readonly again: true;
      readonly at: number;
      /** There is no second time for it. */
      readonly once: boolean;
      /**
       * It counts against the budget that keeps retries from becoming a storm. Those that wait
       * for as long as the service asked, those that hold everything up, and those with another
       * token are none.
       */
      readonly isBudgeted: boolean;
    }
);

/** The first wait is a random part of this, each further one of twice as much. */
const baseMs = 1000;
const longestBackoffMs = 60_000;

/** Whether a message is sent again after this. */
export function decideRetry(ended: EndedAttempt, policy: RetryPolicy): RetryDecision {
  const { delivery, now, deadline } = ended;
  const row = diagnosisOf(delivery.cause);
  const askedMs = row.retry === "after" ? delivery.retryAfterMs : undefined;
  const at = now + (askedMs ?? ownWaitMs(ended, row));
  const isPause = concernsOrigin(delivery, row);
  const pauseUntil = isPause ? at : undefined;
  // A wait that ends when the message is out of date is no use; so a TTL of 0, now or never, has no retries.
  const isFinal = at >= deadline || !isAllowed(ended, row, policy);
  const freshToken = row.freshToken === true;
  if (isFinal || at > now + policy.patienceMs) return { again: false, isFinal, pauseUntil, freshToken };
  const isBudgeted = !isPause && askedMs === undefined && !freshToken;
  return { again: true, at, pauseUntil, freshToken, once: row.retry === "once", isBudgeted };
}

/** The one fault that says that nothing was done, and why: there is too much to do (RFC 9110 §15.6.4). */
const overloadStatus = 503;

/** Whether nothing else would get through either: nobody can reach the origin, it has too much, or asks to wait. */
function concernsOrigin(delivery: Delivery, { retry, pace, perSubscription }: Diagnosis): boolean {
  const { outcome, status, retryAfterMs } = delivery;
  if (retry === "backoff") return outcome === "unreachable";
  // Those for hours and those about one device are not about everybody else.
  if (retry !== "after" || perSubscription === true || pace === "hours") return false;
  return outcome === "throttled" || status === overloadStatus || retryAfterMs !== undefined;
}

/** Whether the service may have taken the message all the same, such as one behind a gateway that did not wait for it. */
function mayBeProcessed({ outcome, status }: Delivery): boolean {
  if (outcome === "ambiguous") return true;
  return outcome === "unavailable" && status !== undefined && status !== overloadStatus;
}

function isAllowed(
  { delivery, attempts, hadItsOnce }: EndedAttempt,
  { retry, pace }: Diagnosis,
  { retries, retryAmbiguous }: RetryPolicy,
): boolean {
  if (retry === "no" || attempts > retries) return false;
  if (retry === "once" && hadItsOnce) return false;
  if (pace === "hours") return false; // longer than a run
  return retryAmbiguous || !mayBeProcessed(delivery);
}

/** The wait where the service set none: exponential, with full jitter, so that those who failed together part. */
function ownWaitMs({ attempts, chance }: EndedAttempt, { retry, pace }: Diagnosis): number {
  // RFC 9113 §8.7: what was certainly not processed may be sent again at once; a second time it must wait.
  if (pace === "at-once" && (attempts === 1 || retry === "once")) return 0;
  return chance * Math.min(longestBackoffMs, baseMs * 2 ** (attempts - 1));
}

/** A random number from 0 to below 1. */
export function chanceOf(random: Random): number {
  const { buffer, byteOffset } = random.bytes(4);
  return new DataView(buffer, byteOffset).getUint32(0) / 2 ** 32;
}
