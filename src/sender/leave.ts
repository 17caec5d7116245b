/**
 * The leave to begin messages at one origin, where a shared pace gives it.
 *
 * It is asked for ahead, one small lot at a time, so that the next one has come when the
 * present one is used up and nobody waits for the answer. The size of a lot follows how
 * fast lots go: each should be enough for a quarter of a second.
 */
import type { Clock } from "../base/clock.ts";
import type { Grant } from "./shared-pace.ts";

const lotMs = 250;
const firstLot = 8;
/** Leave that was not used for so long would add up to a burst. */
const lapsesAfterMs = 1000;
/** Who is told that there is nothing, without a time, asks again after this. */
const askAgainMs = 100;

/** Rights that begin at one time. */
interface Lot {
  readonly at: number;
  left: number;
}

/** Where leave comes from, and who hears that it came. */
export interface LeaveSource {
  reserve(wanted: number): Promise<Grant>;
  arrived(): void;
  failed(error: unknown): void;
}

export class Leave {
  readonly #time: Clock;
  readonly #source: LeaveSource;
  /** In the order of their beginnings; two at most. */
  #lots: readonly Lot[] = [];
  #isAsking = false;
  #size = firstLot;
  /** The lot that came last. */
  #last: { readonly at: number; readonly count: number } | undefined;

  constructor(time: Clock, source: LeaveSource) {
    this.#time = time;
    this.#source = source;
  }

  /** When a message may begin; infinity as long as nobody knows. */
  nextAt(now: number): number {
    this.#lapse(now);
    return this.#lots[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** A message begins. */
  take(now: number): void {
    const lot = this.#lots.find(({ at, left }) => at <= now && left > 0);
    if (lot !== undefined) lot.left -= 1;
    this.#lapse(now);
  }

  /** Asks for the next lot when it is time to; `due` counts the messages that would begin if they might. */
  want(now: number, due: () => number): void {
    if (this.#isAsking) return;
    this.#lapse(now);
    if (this.#lots.some(({ at }) => at > now)) return;
    const left = this.#lots.reduce((sum, lot) => sum + lot.left, 0);
    if (left * 2 > (this.#last?.count ?? 0)) return;
    const wanted = Math.min(this.#size, due() - left);
    if (wanted >= 1) void this.#ask(wanted);
  }

  async #ask(wanted: number): Promise<void> {
    this.#isAsking = true;
    try {
      this.#add(await this.#source.reserve(wanted));
    } catch (error) {
      this.#source.failed(error);
      return; // and asks no more: the run is over
    }
    this.#isAsking = false;
    this.#source.arrived();
  }

  #add({ count, inMs }: Grant): void {
    const at = this.#time.now() + (count > 0 ? Math.max(0, inMs) : Math.max(askAgainMs, inMs));
    this.#lots = [...this.#lots, { at, left: count }];
    if (count === 0) return;
    if (this.#last !== undefined) {
      // What was used in the time between two lots, and so what is used in that of the next. A lot may
      // have been small, or long ago, for want of messages: so one step is never a large one.
      const fitting = (this.#last.count * lotMs) / Math.max(1, at - this.#last.at);
      this.#size = Math.max(1, Math.round(Math.min(2 * this.#size, Math.max(this.#size / 2, fitting))));
    }
    this.#last = { at, count };
  }

  /** Forgets what is used up or too old. */
  #lapse(now: number): void {
    const isOver = ({ at, left }: Lot): boolean => (left === 0 ? at <= now : at + lapsesAfterMs <= now);
    if (this.#lots.some(isOver)) this.#lots = this.#lots.filter((lot) => !isOver(lot));
  }
}
