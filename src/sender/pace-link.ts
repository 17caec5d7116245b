/**
 * What ties one flow to a shared pace: holds of others on their way in, its own on their
 * way out, and leave to begin messages; all by the flow's own time.
 */
import type { Clock } from "../base/clock.ts";
import { Leave } from "./leave.ts";
import type { HoldReason, SharedHold, SharedPace } from "./shared-pace.ts";

/** A hold by the flow's own time. */
export interface StandingHold {
  readonly until: number;
  readonly why: HoldReason;
}

/** The flow, as far as a shared pace concerns it. */
export interface PaceListener {
  /** Others learned this, after the flow had begun. */
  heed(origin: string, hold: StandingHold): void;
  /** There is news of the leave to begin messages at an origin. */
  mayGoOn(origin: string): void;
  broke(error: unknown): void;
}

/**
 * What adds less than this to a hold is no news: a whole window of messages is refused with the same
 * wait. And what holds for less is over when others hear of it.
 */
const newsMs = 1000;
/** A ban is for ever in the run that met with it; others look again after this. */
const longestMs = 3_600_000;

export class PaceLink implements Disposable {
  readonly #pace: SharedPace;
  readonly #time: Clock;
  readonly #listener: PaceListener;
  readonly #standing = new Map<string, StandingHold>();
  readonly #subscription: Disposable;

  constructor(pace: SharedPace, time: Clock, listener: PaceListener) {
    this.#pace = pace;
    this.#time = time;
    this.#listener = listener;
    this.#subscription = pace.subscribe((told) => {
      const hold = this.#note(told);
      if (hold !== undefined) listener.heed(told.origin, hold);
    });
    for (const told of pace.current()) this.#note(told);
  }

  /** The hold that stands for an origin. */
  holdAt(origin: string): StandingHold | undefined {
    const hold = this.#standing.get(origin);
    if (hold === undefined || hold.until > this.#time.now()) return hold;
    this.#standing.delete(origin);
    return undefined;
  }

  /** The leave to begin messages at an origin, where the pace limits them. */
  leaveAt(origin: string): Leave | undefined {
    const reserve = this.#pace.reserve?.bind(this.#pace);
    if (reserve === undefined) return undefined;
    return new Leave(this.#time, {
      reserve: (wanted) => reserve(origin, wanted),
      arrived: () => {
        this.#listener.mayGoOn(origin);
      },
      failed: (error) => {
        this.#listener.broke(error);
      },
    });
  }

  /** Tells the others, unless they know. */
  tell(origin: string, until: number, { cause, reason }: HoldReason): void {
    const forMs = Math.min(until - this.#time.now(), longestMs);
    const told = { origin, forMs, why: reason === undefined ? { cause } : { cause, reason } };
    if (forMs < newsMs || this.#note(told) === undefined) return;
    try {
      this.#pace.held(told);
    } catch (error) {
      this.#listener.broke(error);
    }
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  /** Keeps a hold in mind; `undefined` when it is none, or no news. */
  #note({ origin, forMs, why }: SharedHold): StandingHold | undefined {
    const until = this.#time.now() + forMs;
    const known = this.holdAt(origin);
    if (forMs <= 0 || (known !== undefined && until < known.until + newsMs)) return undefined;
    const hold = { until, why };
    this.#standing.set(origin, hold);
    return hold;
  }
}
