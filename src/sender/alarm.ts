/**
 * The time of one run: a clock that never goes back, and one timer on it.
 *
 * What waits for a moment must get there even when the machine's clock is set back
 * meanwhile: when the timer has gone off, that moment has come, whatever the clock says.
 */
import type { Clock } from "../base/clock.ts";

/** Starts a timer that disposing stops: `setTimeout`, or a test's own. */
export type SetTimer = (ring: () => void, delayMs: number) => Disposable;

/** A timer cannot be set for longer than 2^31 ms; ringing early only costs a look. */
const longestDelayMs = 3_600_000;

export class Alarm implements Clock, Disposable {
  readonly #clock: Clock;
  readonly #setTimer: SetTimer;
  readonly #ring: () => void;
  #latest = Number.NEGATIVE_INFINITY;
  #target = Number.POSITIVE_INFINITY;
  #timer: Disposable | undefined;

  /** `ring` is called at or before each moment that was asked for. */
  constructor(clock: Clock, setTimer: SetTimer, ring: () => void) {
    this.#clock = clock;
    this.#setTimer = setTimer;
    this.#ring = ring;
  }

  now(): number {
    const now = this.#clock.now();
    if (now > this.#latest) this.#latest = now;
    return this.#latest;
  }

  /** Rings at `at`, unless something earlier was asked for. */
  set(at: number): void {
    if (at >= this.#target) return;
    this.#timer?.[Symbol.dispose]();
    const now = this.now();
    const delayMs = Math.min(Math.max(0, Math.ceil(at - now)), longestDelayMs);
    this.#target = at;
    this.#timer = this.#setTimer(() => {
      this.#target = Number.POSITIVE_INFINITY;
      this.#latest = Math.max(this.#latest, now + delayMs);
      this.#ring();
    }, delayMs);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#target = Number.NEGATIVE_INFINITY;
  }
}
