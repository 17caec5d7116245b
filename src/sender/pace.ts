/**
 * How fast one origin is sent to: a limit that follows what it bears, and a budget for retries.
 *
 * The limit is TCP's (RFC 5681 §3.1, the part called congestion avoidance): one more in flight
 * for each window that went well, half as many once something shows that it was too much. The
 * budget keeps retries from multiplying the load of a service that is failing already.
 */
import type { Delivery } from "../protocol/delivery.ts";
import { diagnosisOf } from "../protocol/delivery.ts";

/** The window to begin with; PROTOCOL of the big services names none, ten is what HTTP clients open with. */
const firstWindow = 10;

/** How many exchanges with one origin may be in flight. */
export class AdaptiveLimit {
  readonly #most: number;
  #window: number;
  #halvings = 0;

  /** `most` is what it never grows beyond. */
  constructor(most: number) {
    this.#most = Math.max(1, most);
    this.#window = Math.min(firstWindow, this.#most);
  }

  get value(): number {
    return Math.floor(this.#window);
  }

  /** What a request takes along, so that its end can tell whether it still speaks of the present window. */
  get era(): number {
    return this.#halvings;
  }

  /** An exchange went well; `inFlight` counts it too. */
  grow(inFlight: number): void {
    // A window that is not used says nothing about a larger one (RFC 7661 §4.3).
    if (inFlight * 2 < this.#window) return;
    this.#window = Math.min(this.#most, this.#window + 1 / this.#window);
  }

  /** Something was too much. All requests of one window together count once. */
  shrink(era: number): void {
    if (era < this.#halvings) return;
    this.#halvings += 1;
    this.#window = Math.max(1, this.#window / 2);
  }
}

/** Whether a delivery shows that fewer should be in flight. */
export function isCongestion(delivery: Delivery): boolean {
  switch (delivery.outcome) {
    case "throttled":
      return diagnosisOf(delivery.cause).perSubscription !== true;
    case "unavailable":
      return delivery.status === 503 || delivery.status === 504;
    // A time-out, or a connection that broke, or none at all.
    case "ambiguous":
    case "unreachable":
      return true;
    case "accepted":
    case "gone":
    case "wrong-key":
    case "rejected":
    case "blocked":
      return false;
    default:
      return delivery satisfies never;
  }
}

/** Retries that need no messages to have gone before. */
const reserve = 10;
/** What each message adds: a fifth of the requests may be retries. */
const share = 0.2;
/** A long good time must not pay for a storm. */
const mostSaved = 1000;

/** How many retries an origin may still be sent. */
export class RetryBudget {
  #left = reserve;

  /** A message was sent for the first time. */
  earn(): void {
    this.#left = Math.min(mostSaved, this.#left + share);
  }

  /** Takes one retry; false when none is left. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** A tenth of a second's messages may leave at once: timers are no more exact, and the service will not notice. */
export function smoothly(perSecond: number): { readonly burst: number; readonly perSecond: number } {
  return { burst: Math.max(1, perSecond / 10), perSecond };
}
