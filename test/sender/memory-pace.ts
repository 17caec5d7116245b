/**
 * A shared pace in memory: what a database would keep for all workers, by one clock.
 */
import type { Clock } from "../../src/base/clock.ts";
import type { Grant, HoldReason, SharedHold, SharedPace } from "../../src/sender/shared-pace.ts";

/** Messages begun in a second. */
export interface Rates {
  /** Over all origins. */
  readonly overall?: number;
  /** At each origin. */
  readonly perOrigin?: number;
}

/** Holds alone. */
export class MemoryHolds implements SharedPace {
  readonly told: SharedHold[] = [];
  readonly #time: Clock;
  readonly #listeners = new Set<(hold: SharedHold) => void>();
  readonly #standing = new Map<string, { readonly until: number; readonly why: HoldReason }>();

  constructor(time: Clock) {
    this.#time = time;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  current(): readonly SharedHold[] {
    const now = this.#time.now();
    return [...this.#standing]
      .filter(([, { until }]) => until > now)
      .map(([origin, { until, why }]) => ({ origin, forMs: until - now, why }));
  }

  subscribe(listener: (hold: SharedHold) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  held(hold: SharedHold): void {
    this.told.push(hold);
    this.#standing.set(hold.origin, { until: this.#time.now() + hold.forMs, why: hold.why });
    for (const listener of this.#listeners) listener(hold);
  }
}

/** Holds, and rates by the generic cell rate algorithm: each limit is the end of what is reserved. */
export class MemoryPace extends MemoryHolds {
  readonly asked: number[] = [];
  readonly #clock: Clock;
  readonly #rates: Rates;
  readonly #answerAfter: () => Promise<void>;
  readonly #nextAt = new Map<string, number>();

  constructor(time: Clock, rates: Rates, answerAfter: () => Promise<void> = () => Promise.resolve()) {
    super(time);
    this.#clock = time;
    this.#rates = rates;
    this.#answerAfter = answerAfter;
  }

  async reserve(origin: string, wanted: number): Promise<Grant> {
    this.asked.push(wanted);
    await this.#answerAfter();
    const { overall, perOrigin } = this.#rates;
    const starts = [this.#move("all", overall, wanted), this.#move(origin, perOrigin, wanted)];
    return { count: wanted, inMs: Math.max(...starts) - this.#clock.now() };
  }

  #move(key: string, perSecond: number | undefined, wanted: number): number {
    const now = this.#clock.now();
    if (perSecond === undefined) return now;
    const start = Math.max(now, this.#nextAt.get(key) ?? 0);
    this.#nextAt.set(key, start + (wanted * 1000) / perSecond);
    return start;
  }
}
