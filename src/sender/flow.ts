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
import { classifyEndpoint, type Delivery } from "../protocol/delivery.ts";
import type { Endpoint } from "../protocol/subscription.ts";
import { Alarm } from "./alarm.ts";
import { Attempts, type AttemptEnd } from "./attempt.ts";
import type { FlowOptions, Means, OriginState } from "./flow-options.ts";
import { Intake } from "./intake.ts";
import type { Job, SendResult } from "./job.ts";
import type { OriginQueue } from "./origin-queue.ts";
import { OriginQueues } from "./origin-queues.ts";
import { isCongestion, smoothly } from "./pace.ts";
import { PendingJob } from "./pending-job.ts";
import { chanceOf, decideRetry, type RetryPolicy } from "./retry.ts";

const defaultRetries = 4;
const defaultPatienceMs = 300_000;
const defaultMaxWaiting = 20_000;
const defaultDrainMs = 10_000;
/** Jobs taken, and encrypted where that helps, before there is room for them. */
const readAhead = 256;
/** Who asks to wait longer must give way when there is no more room to wait. */
const longWaitMs = 60_000;
/** Each origin may have this many encrypted ahead, however low its limit. */
const leastAhead = 16;

/** The jobs between their source and the reader of results. */
export class Flow<Tag> implements AttemptEnd<Tag>, Disposable {
  readonly #means: Means;
  readonly #options: FlowOptions<Tag>;
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #policy: RetryPolicy;
  readonly #alarm: Alarm;
  readonly #bucket: TokenBucket | undefined;
  readonly #queues: OriginQueues<Tag>;
  readonly #attempts: Attempts<Tag>;
  readonly #intake: Intake<Job<Tag>>;
  readonly #finished = new Fifo<SendResult<Tag>>();
  readonly #abandoned = new AbortController();
  /** Jobs that have no result yet. */
  #open = 0;
  #inFlight = 0;
  #ahead = 0;
  #advancing = false;
  #stopped = false;
  #drainUntil = Number.POSITIVE_INFINITY;
  /** The first surprise; thrown once everything in flight has been yielded. */
  #surprise: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(means: Means, source: AsyncIterable<Job<Tag>>, options: FlowOptions<Tag>) {
    const { transport, setTimer = setTimeout } = means;
    const { clock, observer, rate, retries = defaultRetries, retryAmbiguous = true } = options;
    this.#means = means;
    this.#options = options;
    this.#concurrency = Math.max(1, options.concurrency);
    this.#maxWaiting = Math.max(1, options.maxWaiting ?? defaultMaxWaiting);
    const { patienceMs = defaultPatienceMs } = options;
    this.#policy = { retries, retryAmbiguous, patienceMs };
    this.#alarm = new Alarm(clock, setTimer, this.#ring);
    this.#bucket = rate === undefined ? undefined : createTokenBucket(smoothly(rate), this.#alarm);
    const capacityOf = (endpoint: Endpoint) => transport.capacityOf?.(endpoint) ?? this.#concurrency;
    this.#queues = new OriginQueues(this.#concurrency, capacityOf);
    const { signal } = this.#abandoned;
    setMaxListeners(0, signal); // a transport may listen once for each exchange in flight
    this.#attempts = new Attempts({ ...means, observer, clock, time: this.#alarm, signal }, this);
    this.#intake = new Intake(source, { wants: this.#wants, take: this.#admit, end: this.#endOfSource });
    this.#listen();
  }

  /** The next result, or `undefined` when there will be no more. */
  async next(): Promise<SendResult<Tag> | undefined> {
    for (;;) {
      // What is begun may end in the same moment, such as one that cannot be encrypted.
      if (this.#finished.size === 0) this.#advance();
      const wasFull = this.#finished.size >= this.#concurrency;
      const result = this.#finished.shift();
      if (wasFull) this.#advance();
      if (result !== undefined) return result;
      if (this.#open === 0 && (this.#stopped || this.#intake.isExhausted)) break;
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
    return Array.from(this.#queues.all(), (queue) => ({
      origin: queue.origin,
      inFlight: queue.inFlight,
      waiting: queue.waiting,
      limit: queue.limit.value,
      pausedUntil: queue.heldUntil(now),
      protocol: this.#means.transport.protocolOf?.(queue.endpoint),
    }));
  }

  [Symbol.dispose](): void {
    const { signal, forceSignal } = this.#options;
    signal.removeEventListener("abort", this.#drain);
    forceSignal?.removeEventListener("abort", this.#abandon);
    this.#abandon();
    this.#alarm[Symbol.dispose]();
    this.#intake[Symbol.dispose]();
  }

  // From the source into the queues.

  readonly #wants = (): boolean => {
    if (this.#stopped || this.#finished.size >= this.#concurrency) return false;
    const waiting = this.#open - this.#inFlight;
    if (waiting < readAhead) return waiting < this.#maxWaiting;
    // Beyond a supply for the next moments, jobs are only worth taking in search of an origin that has room.
    return waiting < this.#maxWaiting && this.#inFlight < this.#concurrency && !this.#queues.hasReady;
  };

  readonly #admit = (job: Job<Tag>): void => {
    const { endpoint } = job.subscription;
    const now = this.#alarm.now();
    const queue = this.#queues.queueFor(endpoint, now);
    const pending = new PendingJob(job, queue, now);
    this.#open += 1;
    // A job that comes after the stop was never begun; a resumed run will take it.
    const settled = this.#stopped
      ? undefined
      : (queue.refusalOf(pending, { now, latest: this.#latestFrom(now) }) ??
        classifyEndpoint(endpoint) ??
        this.#crowdingOut(queue, now));
    if (this.#stopped || settled !== undefined) this.#finish(pending, settled);
    else {
      queue.add(pending);
      this.#queues.update(queue, now);
      this.#sealAhead(queue);
    }
    this.#advance();
  };

  /** The delivery of a job that would take the room to wait from those of origins that are being sent to. */
  #crowdingOut(queue: OriginQueue<Tag>, now: number): Delivery | undefined {
    const areOthersActive = this.#queues.hasReady || this.#inFlight > queue.inFlight;
    return areOthersActive && queue.isCrowd(now, this.#maxWaiting / 2) ? queue.withheld : undefined;
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
    while (!this.#stopped && this.#inFlight < this.#concurrency && this.#finished.size < this.#concurrency) {
      const rateAt = this.#bucket?.nextAt() ?? now;
      if (rateAt > now) {
        if (this.#queues.hasReady) this.#alarm.set(rateAt);
        return;
      }
      const queue = this.#queues.next(now);
      const pending = queue?.take(now);
      if (queue === undefined || pending === undefined) return;
      if (pending.isOutdated(now)) this.#finish(pending, queue.withheld);
      else this.#begin(pending);
      this.#queues.update(queue, now);
      this.#sealAhead(queue);
    }
  }

  #begin(pending: PendingJob<Tag>): void {
    this.#bucket?.take();
    this.#inFlight += 1;
    pending.queue.inFlight += 1;
    this.#countOff(pending);
    this.#attempts.begin(pending);
  }

  /** Lets those be encrypted whose turn comes next, so that the threads that do it have enough at a time. */
  #sealAhead(queue: OriginQueue<Tag>): void {
    if (this.#means.encryptor.worksAhead !== true || this.#stopped) return;
    while (this.#ahead < readAhead && queue.sealedAhead < Math.max(leastAhead, 2 * queue.limit.value)) {
      const pending = queue.takeToSeal();
      if (pending === undefined) return;
      pending.isAhead = true;
      this.#ahead += 1;
      this.#attempts.sealAhead(pending);
    }
  }

  /** When all room to wait is taken by origins that wait long, the one that waits longest makes room. */
  #relieve(now: number): void {
    const isFull = this.#open >= this.#maxWaiting && this.#inFlight === 0 && !this.#queues.hasReady;
    if (!isFull || this.#queues.nextAt <= now + longWaitMs) return;
    const queue = this.#queues.farthest();
    if (queue === undefined) return;
    this.#giveUp(queue.drain(), queue.withheld);
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
    this.#giveUp(queue.learn(now, delivery), queue.withheld);
    if (this.#stopped || queue.isHalted(now) || !this.#isPutOff(pending, delivery, now))
      this.#finish(pending);
    this.#moveOn(queue);
  }

  refused(pending: PendingJob<Tag>, error: UserError): void {
    this.#release(pending);
    // On a retry there is a delivery already, and that says more.
    this.#yield(pending.attempts > 0 ? pending.resultOf(undefined) : pending.refusalOf(error));
    this.#moveOn(pending.queue);
  }

  prevented(pending: PendingJob<Tag>): void {
    this.#release(pending);
    this.#finish(pending);
    this.#moveOn(pending.queue);
  }

  broke(error: unknown): void {
    this.#surprise ??= { error };
    this.#stop();
  }

  /** Whether the job waits for another attempt now. */
  #isPutOff(pending: PendingJob<Tag>, delivery: Delivery, now: number): boolean {
    if (delivery.outcome === "accepted") return false;
    const { queue, attempts, hadItsOnce, deadline } = pending;
    const chance = chanceOf(this.#means.random);
    const decision = decideRetry({ delivery, attempts, hadItsOnce, now, deadline, chance }, this.#policy);
    const { pauseUntil, freshToken } = decision;
    if (pauseUntil !== undefined) this.#hold(queue, { now, until: pauseUntil }, delivery);
    // Also when this message is given up: all others carry the same token.
    const hasToken = !freshToken || this.#isRenewed(pending, delivery);
    if (!decision.again || !hasToken) return false;
    const at = Math.max(decision.at, queue.heldUntil(now) ?? now);
    if (at >= deadline || at > this.#latestFrom(now)) return false;
    if (decision.isBudgeted && !queue.budget.spend()) return false;
    pending.hadItsOnce ||= decision.once;
    queue.putOff(pending, at);
    return true;
  }

  #hold(
    queue: OriginQueue<Tag>,
    { now, until }: { readonly now: number; readonly until: number },
    why: Delivery,
  ): void {
    this.#giveUp(queue.hold({ now, until, latest: this.#latestFrom(now) }, why), queue.withheld);
  }

  /** Until when it is worth to wait. */
  #latestFrom(now: number): number {
    return now + this.#policy.patienceMs;
  }

  /** Whether there is another token than the one that was refused. */
  #isRenewed({ job, authorization }: PendingJob<Tag>, { clockSkewMs }: Delivery): boolean {
    const { endpoint, contentEncoding } = job.subscription;
    return this.#means.tokens.renew(endpoint, job.pair, contentEncoding, { authorization, clockSkewMs });
  }

  #release({ queue }: PendingJob<Tag>): void {
    this.#inFlight -= 1;
    queue.inFlight -= 1;
  }

  #moveOn(queue: OriginQueue<Tag>): void {
    this.#queues.update(queue, this.#alarm.now());
    this.#advance();
  }

  #giveUp(list: readonly PendingJob<Tag>[], otherwise: Delivery | undefined): void {
    for (const pending of list) this.#finish(pending, otherwise);
  }

  #finish(pending: PendingJob<Tag>, otherwise?: Delivery): void {
    this.#countOff(pending);
    this.#yield(pending.resultOf(otherwise));
  }

  #yield(result: SendResult<Tag>): void {
    this.#open -= 1;
    this.#finished.push(result);
    this.#wake();
  }

  #countOff(pending: PendingJob<Tag>): void {
    if (pending.isAhead) this.#ahead -= 1;
    pending.isAhead = false;
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
    for (const queue of this.#queues.all()) this.#giveUp(queue.drain(), undefined);
    this.#wake();
  }

  readonly #drain = (): void => {
    this.#stop();
    this.#drainUntil = this.#alarm.now() + (this.#options.drainMs ?? defaultDrainMs);
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
