/**
 * The jobs of one origin: those that wait, those that wait for another attempt, and until
 * when the origin takes nothing.
 *
 * One queue for each origin is what lets a throttled service hold up no other. The queue
 * knows the time only as an argument and sends nothing; `flow.ts` does.
 */
import { Deadlines } from "../base/deadlines.ts";
import { Fifo } from "../base/fifo.ts";
import { classifyEndpoint, diagnosisOf, withheldDelivery, type Delivery } from "../protocol/delivery.ts";
import { endpointOrigin, type Endpoint } from "../protocol/subscription.ts";
import type { Leave } from "./leave.ts";
import { AdaptiveLimit, RetryBudget } from "./pace.ts";
import type { Ending, PendingJob } from "./pending-job.ts";
import type { HoldReason } from "./shared-pace.ts";

/**
 * Who cannot be reached for this long is given up: longer than a network needs to come back,
 * shorter than the patience of somebody who waits for the rest to end. After as long again
 * the next job finds out whether that still holds: a run may take hours.
 */
const givenUpAfterMs = 60_000;
/** A wait that is worth losing nobody for, even if all others have to wait as well. */
const shortWaitMs = 30_000;
const forEver = Number.POSITIVE_INFINITY;

/** From when until when an origin is to be left alone, and until when it is worth to wait. */
interface HoldSpan {
  readonly now: number;
  readonly until: number;
  readonly latest: number;
}

export class OriginQueue<Tag> {
  readonly origin: string;
  /** An endpoint there, to ask the transport about the origin. */
  readonly endpoint: Endpoint;
  readonly limit: AdaptiveLimit;
  readonly budget = new RetryBudget();
  /** The leave to begin messages here, where others have a say in it. */
  readonly leave: Leave | undefined;
  inFlight = 0;
  /** It counts among those that share the connections to the origin. */
  isSharing = false;
  /** Not sent yet; those that are encrypted already, or are being, stand before the others. */
  readonly #sealed = new Fifo<PendingJob<Tag>>();
  readonly #unsealed = new Fifo<PendingJob<Tag>>();
  /** To be sent again, not before their time. */
  readonly #again = new Deadlines<PendingJob<Tag>>();
  #heldSince = 0;
  #heldUntil = 0;
  #heldBeforeMs = 0;
  /** Why the origin is held, or was last. */
  #heldFor: HoldReason | undefined;
  /** The answer after which nothing is sent there, until a time that may have passed: what comes then is a trial. */
  #halt: { readonly until: number; readonly why: HoldReason } | undefined;
  /** Since when it is tried and nobody can reach it. */
  #unreachableSince: number | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(
    endpoint: Endpoint,
    { mostInFlight, leave }: { readonly mostInFlight: number; readonly leave: Leave | undefined },
  ) {
    this.origin = endpointOrigin(endpoint);
    this.endpoint = endpoint;
    this.limit = new AdaptiveLimit(mostInFlight);
    this.leave = leave;
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

  /** Whether it answered, whatever it said, while another that is given up now was out of reach: then our network works. */
  hasAnsweredLately(now: number): boolean {
    return now - this.#answeredAt < givenUpAfterMs;
  }

  /** Whether jobs are given up without an attempt. */
  isHalted(now: number): boolean {
    return this.haltedUntil(now) !== undefined;
  }

  /** Until when they are. */
  haltedUntil(now: number): number | undefined {
    return this.#halt !== undefined && this.#halt.until > now ? this.#halt.until : undefined;
  }

  /** Whether a job is of no use later either: we are banned here, or it will be out of date when the origin takes something again. */
  isLost(pending: PendingJob<Tag>, now: number): boolean {
    const haltedUntil = this.haltedUntil(now) ?? now;
    if (haltedUntil > now && isBan(this.#halt?.why)) return true;
    return pending.isOutdated(Math.max(this.#heldUntil, haltedUntil));
  }

  /** How a job ends that need not wait: nothing is sent here before `latest`, or not while it is of use, or never again. */
  endingOf(
    pending: PendingJob<Tag>,
    { now, latest }: { readonly now: number; readonly latest: number },
  ): Ending | undefined {
    const withheld = this.isHalted(now) || this.#isInVain(pending, latest) ? this.withheld : undefined;
    if (withheld !== undefined) return { otherwise: withheld, isFinal: this.isLost(pending, now) };
    const dead = classifyEndpoint(pending.job.subscription.endpoint);
    return dead && { otherwise: dead, isFinal: true };
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
  hold({ now, until, latest }: HoldSpan, why: HoldReason): readonly PendingJob<Tag>[] {
    if (until <= this.#heldUntil || until <= now) return [];
    if (this.#heldUntil <= now) {
      this.#heldBeforeMs = this.heldMs(now);
      this.#heldSince = now;
    }
    this.#heldUntil = until;
    this.#heldFor = why;
    return this.#extract((pending) => this.#isInVain(pending, latest));
  }

  /** What somebody else met with, as if it had been met with here; returns the jobs that are not to wait for its end. */
  heed(span: HoldSpan, why: HoldReason): readonly PendingJob<Tag>[] {
    const { now, until } = span;
    if (!isBan(why) && diagnosisOf(why.cause).outcome !== "unreachable") return this.hold(span, why);
    if (until <= (this.haltedUntil(now) ?? now)) return [];
    this.#halt = { until, why };
    return this.drain();
  }

  /** What an attempt came to; returns the jobs that waited, when nothing more is worth sending. */
  learn(now: number, delivery: Delivery): readonly PendingJob<Tag>[] {
    if (delivery.outcome !== "unreachable") this.#answeredAt = now;
    if (this.#halt?.until === forEver) return [];
    if (delivery.outcome === "unreachable") {
      this.#unreachableSince ??= now;
      if (now - this.#unreachableSince >= givenUpAfterMs)
        this.#halt = { until: now + givenUpAfterMs, why: delivery };
    } else {
      this.#unreachableSince = undefined;
      this.#halt = isBan(delivery) ? { until: forEver, why: delivery } : undefined;
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

  /** When a job could be sent, as far as waits and leave go; infinity when there is none, or none is known of. */
  nextAt(now: number): number {
    const dueAt = this.#dueAt(now);
    return this.leave === undefined || dueAt > now ? dueAt : this.leave.nextAt(now);
  }

  /** Asks for leave for those that could be sent now. */
  seekLeave(now: number): void {
    if (this.leave === undefined || this.#dueAt(now) > now) return;
    this.leave.want(now, () => {
      const again = this.#again.entries().filter(({ at }) => at <= now);
      return this.#sealed.size + this.#unsealed.size + again.length;
    });
  }

  /** Whether leave is all that is missing. */
  awaitsLeave(now: number): boolean {
    return this.leave !== undefined && this.#dueAt(now) <= now && this.leave.nextAt(now) > now;
  }

  #dueAt(now: number): number {
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

/** Whether a service told us to stay away for good. */
function isBan(why: HoldReason | undefined): boolean {
  return why !== undefined && diagnosisOf(why.cause).haltOrigin === true;
}
