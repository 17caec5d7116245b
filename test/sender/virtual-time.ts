/**
 * Time that passes only when nothing else can happen: hours of waiting in a moment of testing.
 */
import { Deadlines } from "../../src/base/deadlines.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { SetTimer } from "../../src/sender/alarm.ts";
import { settle } from "./flow-fixture.ts";

export class VirtualTime implements Clock {
  readonly #timers = new Deadlines<() => void>();
  #now = 1_000_000;

  readonly now = (): number => this.#now;

  readonly setTimer: SetTimer = (ring, delayMs) => {
    const timer = (): void => {
      ring();
    };
    this.#timers.set(timer, this.#now + delayMs);
    return {
      [Symbol.dispose]: () => {
        this.#timers.delete(timer);
      },
    };
  };

  /** Resolves after a while. */
  readonly pass = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      this.setTimer(resolve, ms);
    });

  /** Lets as much time pass as it takes; fails when it would be for ever. */
  async until<Value>(wanted: Promise<Value>): Promise<Value> {
    const ends: unknown[] = [];
    const note = (): void => void ends.push(wanted);
    wanted.then(note, note);
    for (let idle = 0; idle < 100;) {
      // A source that rests after some items goes on in the next turn; hundreds of them need some turns.
      for (let turn = 0; turn < 10; turn += 1) await settle();
      if (ends.length > 0) return wanted;
      if (this.#timers.size === 0) idle += 1;
      else this.#next();
    }
    throw new Error("nothing will ever happen again");
  }

  #next(): void {
    this.#now = Math.max(this.#now, this.#timers.nextAt);
    for (
      let ring = this.#timers.takeDue(this.#now);
      ring !== undefined;
      ring = this.#timers.takeDue(this.#now)
    )
      ring();
  }
}
