/**
 * A clock that tests can move: another clock plus an offset.
 *
 * Whoever listens hears of a move after it, so that what became due ends at once. Timers stay
 * those of the machine: what waits for a time limit of a request does not hear of it.
 */
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";

/** Year 1970 to the end of year 9999: what an HTTP date can say. */
const lastMoment = 253_402_300_799_999;

export class AdjustableClock implements Clock {
  readonly #base: Clock;
  readonly #onMove: (byMs: number) => void;
  #offsetMs = 0;

  constructor(base: Clock, onMove: (byMs: number) => void) {
    this.#base = base;
    this.#onMove = onMove;
  }

  now(): number {
    return this.#base.now() + this.#offsetMs;
  }

  /** How far it is ahead of the clock below it. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /**
   * Moves it on, or back when `ms` is less than 0.
   *
   * @throws UserError `emulator-clock`
   */
  advance(ms: number): void {
    this.set(this.now() + ms);
  }

  /**
   * Sets it to a time, from which it goes on.
   *
   * @throws UserError `emulator-clock`
   */
  set(at: number): void {
    const isPossible = Number.isFinite(at) && at >= 0 && at <= lastMoment;
    if (!isPossible)
      throw new UserError("emulator-clock", `the clock cannot be moved to ${at} ms since 1970`, {
        hints: ["give a time from 1970 to 9999"],
      });
    this.#move(Math.round(at) - this.#base.now());
  }

  /** Follows the clock below it again. */
  reset(): void {
    if (this.#offsetMs !== 0) this.#move(0);
  }

  #move(offsetMs: number): void {
    const byMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    this.#onMove(byMs);
  }
}
