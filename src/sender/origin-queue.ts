/**
 * The jobs of one origin: those that wait, those that wait for another attempt, and until
 * when the origin takes nothing.
 *
 * One queue for each origin is what lets a throttled service hold up no other. The queue
 * knows the time only as an argument and sends nothing; `flow.ts` does.
 */
import { Deadlines } from "../base/deadlines.ts";
import { Fifo } from "../base/fifo.ts";
import { withheldDelivery, diagnosisOf, type Delivery } from "../protocol/delivery.ts";
import type { Endpoint } from "../protocol/subscription.ts";
import { AdaptiveLimit, RetryBudget } from "./pace.ts";
import type { PendingJob } from "./pending-job.ts";

/**
 * Who cannot be reached for this long is given up: longer than a network needs to come back,
 * shorter than the patience of somebody who waits for the rest to end. After as long again
 * the next job finds out whether that still holds: a run may take hours.
 */
const givenUpAfterMs = 60_000;
/** A wait that is worth losing nobody for, even if all others have to wait as well. */
const shortWaitMs = 30_000;
const forEver = Number.POSITIVE_INFINITY;

export class OriginQueue<Tag> {
  readonly origin: string;
  /** An endpoint there, to ask the transport about the origin. */
  readonly endpoint: Endpoint;
  readonly limit: AdaptiveLimit;
  readonly budget = new RetryBudget();
  inFlight = 0;
  /** Not sent yet; those that are encrypted already, or are being, stand before the others. */
  readonly #sealed = new Fifo<PendingJob<Tag>>();
  readonly #unsealed = new Fifo<PendingJob<Tag>>();
  /** To be sent again, not before their time. */
  readonly #again = new Deadlines<PendingJob<Tag>>();
  #heldSince = 0;
  #heldUntil = 0;
  #heldBeforeMs = 0;
  /** Why the origin is held, or was last. */
  #heldFor: Delivery | undefined;
  /** The answer after which nothing is sent there, until a time that may have passed: what comes then is a trial. */
  #halt: { readonly until: number; readonly why: Delivery } | undefined;
  /** Since when it is tried and nobody can reach it. */
  #unreachableSince: number | undefined;

  constructor(origin: string, endpoint: Endpoint, mostInFlight: number) {
    this.origin = origin;
    this.endpoint = endpoint;
    this.limit = new AdaptiveLimit(mostInFlight);
  }

  /** How many jobs wait, for their turn or for another attempt. */
  get waiting(): number {
    return this.#sealed.size + this.#unsealed.size + this.#again.size;
  }

  get sealedAhead(): number {
    return this.#sealed.size;
  }

  get isIdle(): boolean {
    return this.inFlight === 0 && this.waiting === 0;
  }

  /** The delivery of a job that is withheld because of what an earlier one met with. */
  get withheld(): Delivery | undefined {
    const why = this.#halt?.why ?? this.#heldFor;
    return why && withheldDelivery(why.cause, why.reason ?? diagnosisOf(why.cause).meaning);
  }

  /** Whether jobs are given up without an attempt. */
  isHalted(now: number): boolean {
    return this.#halt !== undefined && this.#halt.until > now;
  }

  /** The delivery of a job that need not wait: nothing is sent here before `latest`, or not while it is of use. */
  refusalOf(
    pending: PendingJob<Tag>,
    { now, latest }: { readonly now: number; readonly latest: number },
  ): Delivery | undefined {
    return this.isHalted(now) || this.#isInVain(pending, latest) ? this.withheld : undefined;
  }

  #isInVain(pending: PendingJob<Tag>, latest: number): boolean {
    return this.#heldUntil > latest || pending.isOutdated(this.#heldUntil);
  }

  /** Until when nothing is sent; `undefined` when that is not the case. */
  heldUntil(now: number): number | undefined {
    return this.#heldUntil > now ? this.#heldUntil : undefined;
  }

  /** Whether so many have to wait here for long that more would leave too little room for other origins' jobs. */
  isCrowd(now: number, most: number): boolean {
    return this.waiting >= most && this.#heldUntil > now + shortWaitMs;
  }

  /** For how long it will have been held at `at`, all times together. */
  heldMs(at: number): number {
    if (at <= this.#heldSince) return this.#heldBeforeMs;
    return this.#heldBeforeMs + Math.min(at, this.#heldUntil) - this.#heldSince;
  }

  /** Sends nothing until then; returns the jobs that are not to wait so long: to `latest`, or beyond their use. */
  hold(
    { now, until, latest }: { readonly now: number; readonly until: number; readonly latest: number },
    why: Delivery,
  ): readonly PendingJob<Tag>[] {
    if (until <= this.#heldUntil || until <= now) return [];
    if (this.#heldUntil <= now) {
      this.#heldBeforeMs = this.heldMs(now);
      this.#heldSince = now;
    }
    this.#heldUntil = until;
    this.#heldFor = why;
    return this.#extract((pending) => this.#isInVain(pending, latest));
  }

  /** What an attempt came to; returns the jobs that waited, when nothing more is worth sending. */
  learn(now: number, delivery: Delivery): readonly PendingJob<Tag>[] {
    if (this.#halt?.until === forEver) return [];
    if (delivery.outcome === "unreachable") {
      this.#unreachableSince ??= now;
      if (now - this.#unreachableSince >= givenUpAfterMs)
        this.#halt = { until: now + givenUpAfterMs, why: delivery };
    } else {
      this.#unreachableSince = undefined;
      const isBan = diagnosisOf(delivery.cause).haltOrigin === true;
      this.#halt = isBan ? { until: forEver, why: delivery } : undefined;
    }
    return this.isHalted(now) ? this.drain() : [];
  }

  add(pending: PendingJob<Tag>): void {
    // Who is not tried is not known to be unreachable; who was given up is, until an attempt tells otherwise.
    if (this.isIdle && this.#halt === undefined) this.#unreachableSince = undefined;
    this.#unsealed.push(pending);
  }

  putOff(pending: PendingJob<Tag>, at: number): void {
    this.#again.set(pending, at);
  }

  /** The next job that nobody has begun to encrypt; it moves up among those that are. */
  takeToSeal(): PendingJob<Tag> | undefined {
    const pending = this.#unsealed.shift();
    if (pending !== undefined) this.#sealed.push(pending);
    return pending;
  }

  /** When a job could be sent, as far as waits go; infinity when there is none. */
  nextAt(now: number): number {
    const firstAt = this.#sealed.size + this.#unsealed.size > 0 ? now : this.#again.nextAt;
    return Math.max(firstAt, this.#heldUntil);
  }

  /** Removes and returns the job to send next: who was sent before has waited longest. */
  take(now: number): PendingJob<Tag> | undefined {
    return this.#again.takeDue(now) ?? this.#sealed.shift() ?? this.#unsealed.shift();
  }

  /** Removes and returns all jobs that wait. */
  drain(): readonly PendingJob<Tag>[] {
    return this.#extract(() => true);
  }

  #extract(isChosen: (pending: PendingJob<Tag>) => boolean): readonly PendingJob<Tag>[] {
    const again = this.#again.entries().map(({ item }) => item);
    const chosen = again.filter(isChosen);
    for (const pending of chosen) this.#again.delete(pending);
    return [...chosen, ...this.#sealed.extract(isChosen), ...this.#unsealed.extract(isChosen)];
  }
}
