/**
 * What follows from an answer: whether its job is sent again in this run, might be in
 * another, or has been settled by it; and what it means for everything else at its origin.
 */
import type { Delivery } from "../protocol/delivery.ts";
import type { Means } from "./flow-options.ts";
import type { OriginQueue } from "./origin-queue.ts";
import type { PendingJob } from "./pending-job.ts";
import { chanceOf, decideRetry, type RetryDecision, type RetryPolicy } from "./retry.ts";

/**
 * - `put-off`: it waits for another attempt
 * - `open`: it would, but this run makes no more that it could wait for
 * - `final`: no further attempt is worth it
 */
export type Fate = "put-off" | "open" | "final";

/** A decision that a message is sent again. */
type Repetition = Extract<RetryDecision, { readonly again: true }>;

/** The run that the answers belong to. */
export interface AftermathRun<Tag> {
  /** Whether attempts may still begin. */
  mayBegin(): boolean;
  /** Leaves an origin alone. */
  hold(queue: OriginQueue<Tag>, span: { readonly now: number; readonly until: number }, why: Delivery): void;
}

export class Aftermath<Tag> {
  readonly #means: Pick<Means, "random" | "tokens">;
  readonly #policy: RetryPolicy;
  readonly #run: AftermathRun<Tag>;

  constructor(means: Pick<Means, "random" | "tokens">, policy: RetryPolicy, run: AftermathRun<Tag>) {
    this.#means = means;
    this.#policy = policy;
    this.#run = run;
  }

  /** What becomes of a job after this delivery; one that is put off is back in its queue. */
  fateOf(pending: PendingJob<Tag>, delivery: Delivery, now: number): Fate {
    if (delivery.outcome === "accepted") return "final";
    const { queue, attempts, hadItsOnce, deadline } = pending;
    const chance = chanceOf(this.#means.random);
    const decision = decideRetry({ delivery, attempts, hadItsOnce, now, deadline, chance }, this.#policy);
    const { pauseUntil, freshToken } = decision;
    if (pauseUntil !== undefined && !queue.isHalted(now))
      this.#run.hold(queue, { now, until: pauseUntil }, delivery);
    // Also when this message is given up: all others carry the same token.
    const hasToken = !freshToken || this.#isRenewed(pending, delivery);
    if (!decision.again) return decision.isFinal || queue.isLost(pending, now) ? "final" : "open";
    return hasToken ? this.#putOff(pending, decision, now) : "final";
  }

  #putOff(pending: PendingJob<Tag>, decision: Repetition, now: number): Fate {
    const { queue, deadline } = pending;
    const at = Math.max(decision.at, queue.heldUntil(now) ?? now);
    if (at >= deadline || queue.isLost(pending, now)) return "final";
    if (!this.#run.mayBegin() || queue.isHalted(now) || at > now + this.#policy.patienceMs) return "open";
    if (decision.isBudgeted && !queue.budget.spend()) return "final";
    pending.hadItsOnce ||= decision.once;
    queue.putOff(pending, at);
    return "put-off";
  }

  /** Whether there is another token than the one that was refused. */
  #isRenewed({ job, authorization }: PendingJob<Tag>, { clockSkewMs }: Delivery): boolean {
    const { endpoint, contentEncoding } = job.subscription;
    return this.#means.tokens.renew(endpoint, job.pair, contentEncoding, { authorization, clockSkewMs });
  }
}
