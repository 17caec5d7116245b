/**
 * The way of many jobs from their source to the reader of results.
 *
 * Jobs wait in the queue of their origin. Whenever there is room, the queues that may send
 * take turns, one job each. What an attempt came to is read by the diagnosis table, and
 * `retry.ts` says what follows. Three bounds keep memory flat: jobs in flight, jobs that
 * wait, and results nobody has taken yet, so a reader that stops stops the sending, and
 * that stops the source. Whatever happens, every job that was taken has exactly one result.
 */
import { setMaxListeners } from "node:events";
import type { UserError } from "../base/errors.ts";
import { Fifo } from "../base/fifo.ts";
import { createTokenBucket, type TokenBucket } from "../base/token-bucket.ts";
import type { Delivery } from "../protocol/delivery.ts";
import { endpointOrigin, type Endpoint } from "../protocol/subscription.ts";
import { Aftermath, type AftermathRun } from "./aftermath.ts";
import { Alarm } from "./alarm.ts";
import { Attempts, type AttemptEnd } from "./attempt.ts";
import { limitsOf, type FlowLimits } from "./flow-limits.ts";
import type { FlowMeans, FlowOptions, OriginState } from "./flow-options.ts";
import { Intake } from "./intake.ts";
import type { Job, SendResult } from "./job.ts";
import { OriginQueue } from "./origin-queue.ts";
import { OriginQueues } from "./origin-queues.ts";
import { PaceLink, type PaceListener, type StandingHold } from "./pace-link.ts";
import { isCongestion, smoothly } from "./pace.ts";
import { PendingJob, type Ending } from "./pending-job.ts";
import { SealedAhead } from "./sealed-ahead.ts";

/** Jobs taken, and encrypted where that helps, before there is room for them. */
const readAhead = 256;
/** Who asks to wait longer must give way when there is no more room to wait. */
const longWaitMs = 60_000;

/** The jobs between their source and the reader of results. */
export class Flow<Tag> implements AttemptEnd<Tag>, AftermathRun<Tag>, PaceListener, Disposable {
  readonly #means: FlowMeans;
  readonly #options: FlowOptions<Tag>;
  readonly #limits: FlowLimits;
  readonly #alarm: Alarm;
  readonly #bucket: TokenBucket | undefined;
  readonly #queues: OriginQueues<Tag>;
  readonly #attempts: Attempts<Tag>;
  readonly #ahead: SealedAhead<Tag>;
  readonly #aftermath: Aftermath<Tag>;
  readonly #shared: PaceLink | undefined;
  readonly #intake: Intake<Job<Tag>>;
  readonly #finished = new Fifo<SendResult<Tag>>();
  readonly #abandoned = new AbortController();
  /** Jobs that have no result yet. */
  #unsettled = 0;
  #inFlight = 0;
  #advancing = false;
  #stopped = false;
  #drainUntil = Number.POSITIVE_INFINITY;
  /** The first surprise; thrown once everything in flight has been yielded. */
  #surprise: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(means: FlowMeans, source: AsyncIterable<Job<Tag>>, options: FlowOptions<Tag>) {
    const { transport, encryptor, shares, setTimer = setTimeout } = means;
    const { clock, observer, pace } = options;
    this.#means = means;
    this.#options = options;
    this.#limits = limitsOf(options);
    this.#aftermath = new Aftermath(means, this.#limits, this);
    const rate = pace?.reserve === undefined ? options.rate : undefined;
    this.#alarm = new Alarm(clock, setTimer, this.#ring);
    this.#bucket = rate === undefined ? undefined : createTokenBucket(smoothly(rate), this.#alarm);
    const capacityOf = (endpoint: Endpoint) => transport.capacityOf?.(endpoint);
    this.#queues = new OriginQueues({ open: this.#open, capacityOf, shares });
    this.#shared = pace && new PaceLink(pace, this.#alarm, this);
    const { signal } = this.#abandoned;
    setMaxListeners(0, signal); // a transport may listen once for each exchange in flight
    this.#attempts = new Attempts({ ...means, observer, clock, time: this.#alarm, signal }, this);
    this.#ahead = new SealedAhead(this.#attempts, encryptor.worksAhead === true ? readAhead : 0);
    this.#intake = new Intake(source, { wants: this.#wants, take: this.#admit, end: this.#endOfSource });
    this.#listen();
  }

  /** The next result, or `undefined` when there will be no more. */
  async next(): Promise<SendResult<Tag> | undefined> {
    for (;;) {
      // What is begun may end in the same moment, such as one that cannot be encrypted.
      if (this.#finished.size === 0) this.#advance();
      const wasFull = this.#isReaderLate;
      const result = this.#finished.shift();
      if (wasFull) this.#advance();
      if (result !== undefined) return result;
      if (this.#unsettled === 0 && (this.#stopped || this.#intake.isExhausted)) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#surprise !== undefined) throw this.#surprise.error;
    return undefined;
  }

  /** How each origin is faring. */
  state(): readonly OriginState[] {
    const now = this.#alarm.now();
    return Array.from(this.#queues.all(), (queue) => {
      const { origin, inFlight, waiting, limit, endpoint } = queue;
      const protocol = this.#means.transport.protocolOf?.(endpoint);
      return { origin, inFlight, waiting, limit: limit.value, pausedUntil: queue.heldUntil(now), protocol };
    });
  }

  get #hasRoom(): boolean {
    return this.#inFlight < this.#limits.concurrency;
  }

  /** Nobody takes the results that are there. */
  get #isReaderLate(): boolean {
    return this.#finished.size >= this.#limits.concurrency;
  }

  [Symbol.dispose](): void {
    const { signal, forceSignal } = this.#options;
    signal.removeEventListener("abort", this.#drain);
    forceSignal?.removeEventListener("abort", this.#abandon);
    this.#abandon();
    this.#shared?.[Symbol.dispose]();
    this.#queues[Symbol.dispose]();
    this.#alarm[Symbol.dispose]();
    this.#intake[Symbol.dispose]();
  }

  // From the source into the queues.

  readonly #wants = (): boolean => {
    const waiting = this.#unsettled - this.#inFlight;
    if (this.#stopped || this.#isReaderLate || waiting >= this.#limits.maxWaiting) return false;
    // Beyond a supply for the next moments, jobs are only worth taking in search of an origin that has room.
    return waiting < readAhead || (this.#hasRoom && !this.#queues.hasReady);
  };

  readonly #admit = (job: Job<Tag>): void => {
    const now = this.#alarm.now();
    const queue = this.#queues.queueFor(job.subscription.endpoint, now);
    const pending = new PendingJob(job, queue, now);
    this.#unsettled += 1;
    // A job that comes after the stop was never begun; a resumed run will take it.
    const ending = this.#stopped
      ? { isFinal: false }
      : (queue.endingOf(pending, { now, latest: this.#latestFrom(now) }) ?? this.#crowdingOut(queue, now));
    if (ending !== undefined) this.#finish(pending, ending);
    else {
      queue.add(pending);
      this.#queues.update(queue, now);
      this.#ahead.fill(queue);
    }
    this.#advance();
  };

  readonly #open = (endpoint: Endpoint, now: number): OriginQueue<Tag> => {
    const origin = endpointOrigin(endpoint);
    const leave = this.#shared?.leaveAt(origin);
    const queue = new OriginQueue<Tag>(endpoint, { mostInFlight: this.#limits.concurrency, leave });
    const held = this.#shared?.holdAt(origin);
    if (held !== undefined) queue.heed({ now, until: held.until, latest: now }, held.why);
    return queue;
  };

  /** How a job ends that would take the room to wait from those of origins that are being sent to. */
  #crowdingOut(queue: OriginQueue<Tag>, now: number): Ending | undefined {
    const areOthersActive = this.#queues.hasReady || this.#inFlight > queue.inFlight;
    const isCrowdedOut = areOthersActive && queue.isCrowd(now, this.#limits.maxWaiting / 2);
    return isCrowdedOut ? { otherwise: queue.withheld, isFinal: false } : undefined;
  }

  readonly #endOfSource = (failure?: { readonly error: unknown }): void => {
    if (failure !== undefined) this.broke(failure.error);
    this.#wake();
  };

  // From the queues to the services.

  #advance(): void {
    if (this.#advancing) return; // what happens on the way is part of it
    this.#advancing = true;
    if (!this.#stopped) {
      const now = this.#alarm.now();
      this.#dispatch(now);
      this.#relieve(now);
      this.#alarm.set(this.#queues.nextAt);
      this.#intake.pull();
    }
    this.#alarm.set(this.#drainUntil);
    this.#advancing = false;
  }

  #dispatch(now: number): void {
    while (!this.#stopped && this.#hasRoom && !this.#isReaderLate) {
      const rateAt = this.#bucket?.nextAt() ?? now;
      if (rateAt > now) {
        if (this.#queues.hasReady) this.#alarm.set(rateAt);
        return;
      }
      const queue = this.#queues.next(now);
      const pending = queue?.take(now);
      if (queue === undefined || pending === undefined) return;
      if (pending.isOutdated(now)) this.#finish(pending, { otherwise: queue.withheld, isFinal: true });
      else this.#begin(pending, now);
      this.#queues.update(queue, now);
      this.#ahead.fill(queue);
    }
  }

  #begin(pending: PendingJob<Tag>, now: number): void {
    this.#bucket?.take();
    pending.queue.leave?.take(now);
    this.#inFlight += 1;
    pending.queue.inFlight += 1;
    this.#ahead.countOff(pending);
    this.#attempts.begin(pending);
  }

  /** When all room to wait is taken by origins that wait long, the one that waits longest makes room. */
  #relieve(now: number): void {
    if (this.#unsettled < this.#limits.maxWaiting || this.#inFlight > 0 || this.#queues.hasReady) return;
    if (this.#queues.nextAt <= now + longWaitMs) return;
    if (Array.from(this.#queues.all()).some((queue) => queue.awaitsLeave(now))) return;
    const queue = this.#queues.farthest();
    if (queue === undefined) return;
    this.#giveUp(queue, queue.drain());
    this.#queues.update(queue, now);
  }

  // From the services to the reader.

  mayBegin(): boolean {
    return !this.#stopped;
  }

  answered(pending: PendingJob<Tag>, delivery: Delivery): void {
    const { queue } = pending;
    const now = this.#alarm.now();
    pending.end(now, delivery);
    if (isCongestion(delivery)) queue.limit.shrink(pending.era);
    else queue.limit.grow(queue.inFlight);
    this.#release(pending);
    this.#learn(queue, delivery, now);
    const fate = this.#aftermath.fateOf(pending, delivery, now);
    if (fate !== "put-off") this.#finish(pending, { isFinal: fate === "final" });
    this.#moveOn(queue);
  }

  refused(pending: PendingJob<Tag>, error: UserError): void {
    this.#release(pending);
    // On a retry there is a delivery already, and that says more.
    this.#yield(pending.attempts > 0 ? pending.resultOf({ isFinal: true }) : pending.refusalOf(error));
    this.#moveOn(pending.queue);
  }

  prevented(pending: PendingJob<Tag>): void {
    this.#release(pending);
    this.#finish(pending, { isFinal: false });
    this.#moveOn(pending.queue);
  }

  broke(error: unknown): void {
    this.#surprise ??= { error };
    this.#stop();
  }

  /** What an answer tells about its origin. */
  #learn(queue: OriginQueue<Tag>, delivery: Delivery, now: number): void {
    const wasHalted = queue.isHalted(now);
    this.#giveUp(queue, queue.learn(now, delivery));
    const until = queue.haltedUntil(now);
    if (until === undefined || wasHalted) return;
    if (delivery.outcome !== "unreachable" || this.#queues.hasAnswerBeside(queue, now))
      this.#shared?.tell(queue.origin, until, delivery);
  }

  hold(
    queue: OriginQueue<Tag>,
    { now, until }: { readonly now: number; readonly until: number },
    why: Delivery,
  ): void {
    this.#giveUp(queue, queue.hold({ now, until, latest: this.#latestFrom(now) }, why));
    // Who could not be reached once may be within reach of others.
    if (why.outcome !== "unreachable") this.#shared?.tell(queue.origin, until, why);
  }

  /** What another flow learned. */
  heed(origin: string, { until, why }: StandingHold): void {
    const queue = this.#queues.get(origin);
    if (queue === undefined) return; // it will be known when the queue is made
    const now = this.#alarm.now();
    this.#giveUp(queue, queue.heed({ now, until, latest: this.#latestFrom(now) }, why));
    this.#moveOn(queue);
  }

  mayGoOn(origin: string): void {
    const queue = this.#queues.get(origin);
    if (queue !== undefined) this.#moveOn(queue);
  }

  /** Until when it is worth to wait. */
  #latestFrom(now: number): number {
    return now + this.#limits.patienceMs;
  }

  #release({ queue }: PendingJob<Tag>): void {
    this.#inFlight -= 1;
    queue.inFlight -= 1;
  }

  #moveOn(queue: OriginQueue<Tag>): void {
    this.#queues.update(queue, this.#alarm.now());
    this.#advance();
  }

  /** Ends jobs that are not to wait for their origin any more. */
  #giveUp(queue: OriginQueue<Tag>, list: readonly PendingJob<Tag>[]): void {
    const now = this.#alarm.now();
    for (const pending of list)
      this.#finish(pending, { otherwise: queue.withheld, isFinal: queue.isLost(pending, now) });
  }

  #finish(pending: PendingJob<Tag>, ending: Ending): void {
    this.#ahead.countOff(pending);
    this.#yield(pending.resultOf(ending));
  }

  #yield(result: SendResult<Tag>): void {
    this.#unsettled -= 1;
    this.#finished.push(result);
    this.#wake();
  }

  // The end.

  #listen(): void {
    const { signal, forceSignal } = this.#options;
    signal.addEventListener("abort", this.#drain);
    forceSignal?.addEventListener("abort", this.#abandon);
    if (signal.aborted) this.#drain();
    if (forceSignal?.aborted === true) this.#abandon();
  }

  /** Begins nothing more; what waits ends as it stands. */
  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const queue of this.#queues.all()) {
      for (const pending of queue.drain()) this.#finish(pending, { isFinal: false });
      this.#queues.update(queue, this.#alarm.now());
    }
    this.#wake();
  }

  readonly #drain = (): void => {
    this.#stop();
    this.#drainUntil = this.#alarm.now() + this.#limits.drainMs;
    this.#alarm.set(this.#drainUntil);
  };

  readonly #abandon = (): void => {
    this.#stop();
    this.#abandoned.abort();
  };

  readonly #ring = (): void => {
    const now = this.#alarm.now();
    if (this.#drainUntil <= now) {
      this.#drainUntil = Number.POSITIVE_INFINITY;
      this.#abandon();
    }
    this.#queues.wake(now);
    this.#advance();
  };
}
