/**
 * One timer for many deadlines.
 *
 * Most exchanges end long before their deadline, so a timer of their own would be set
 * and cleared in vain, a million times. Here one timer runs until the earliest deadline
 * it was told of; what is then due is up to the check, which says when to look again.
 */

/** Ends what is due at `now`, and returns the earliest deadline that is left. */
type Check = (now: number) => number | undefined;

/** Times are those of `performance.now()`. */
export class DeadlineTimer {
  readonly #check: Check;
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Infinity;

  constructor(check: Check) {
    this.#check = check;
  }

  /** The check is to run at this time, or earlier. */
  expect(deadlineAt: number): void {
    if (deadlineAt >= this.#firesAt) return;
    this.#arm(deadlineAt);
  }

  /** Nothing is expected any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#firesAt = Infinity;
  }

  #arm(deadlineAt: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = deadlineAt;
    this.#timer = setTimeout(
      () => {
        this.#firesAt = Infinity;
        const next = this.#check(performance.now());
        if (next !== undefined) this.expect(next);
      },
      Math.max(1, Math.ceil(deadlineAt - performance.now())), // rounded up: never before the deadline
    );
  }
}
