/**
 * The seam through which flows of several processes keep to one pace: what one of them
 * learns of an origin holds for all, and the right to begin messages comes from one place.
 *
 * Whoever implements it says everything in durations: the clocks of machines differ. None
 * of its methods may keep a flow waiting or fail because the place behind it is away: then
 * nothing is told, and a reservation answers that there is nothing for now. What they throw
 * all the same is a bug, and ends the run as one: what is in flight is finished, then it is thrown.
 */
import type { Delivery } from "../protocol/delivery.ts";

/** Why an origin is left alone; a delivery says it, and so does what is stored of one. */
export type HoldReason = Pick<Delivery, "cause" | "reason">;

/** An origin that is to be left alone from now on. */
export interface SharedHold {
  readonly origin: string;
  /** For how long; always finite. */
  readonly forMs: number;
  readonly why: HoldReason;
}

/** Leave to begin so many messages. */
export interface Grant {
  /** How many; fewer than were wanted where there are no more, and 0 where there are none for now. */
  readonly count: number;
  /** From when on, counted from the answer; for a count of 0, when to ask again. */
  readonly inMs: number;
}

/** What the flows of several processes share. One object may serve any number of flows. */
export interface SharedPace {
  /** The holds that stand. A flow asks once, when it begins; it has subscribed before, so that it misses none. */
  current(): Iterable<SharedHold>;
  /** Tells of every hold that anybody learned. Those a flow told of may come back to it; it knows them. */
  subscribe(listener: (hold: SharedHold) => void): Disposable;
  /** A flow learned this: a service asked to wait or banned us, or nobody could reach it for a minute, others though. Returns at once. */
  held(hold: SharedHold): void;
  /**
   * Reserves the right to begin messages at an origin; absent where nothing limits them. It honours
   * all limits at once, those of the origin and those over all origins: the latest beginning counts.
   *
   * A flow asks ahead for one small lot at a time and origin, about what it begins in a quarter of a
   * second, and never for more than wait. Rights that it does not use within a second of their beginning
   * lapse, and are not given back: so a flow that was held up cannot send them in one burst later.
   */
  reserve?(origin: string, wanted: number): Promise<Grant>;
}
