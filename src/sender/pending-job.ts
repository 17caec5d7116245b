/**
 * A job that has been taken from the source and has no result yet.
 *
 * Its TTL does not run while it waits for its turn: that of a broadcast's last message
 * begins when that is sent. What counts is the time the service takes: all from the first
 * attempt on, and before that for how long the service had its origin held.
 */
import type { UserError } from "../base/errors.ts";
import type { Delivery } from "../protocol/delivery.ts";
import type { SealedMessage } from "../protocol/encryption.ts";
import type { Job, SendResult } from "./job.ts";
import type { OriginQueue } from "./origin-queue.ts";
import type { Authorization } from "./token-cache.ts";

/** For how long an origin may be held before a message with a TTL of 0 is given up. */
const graceMs = 60_000;

const noHeaders: Authorization = {};

/** How the way of a job ends without another attempt. */
export interface Ending {
  /** What its delivery is if it was never sent. */
  readonly otherwise?: Delivery | undefined;
  /** Whether a later run would not send it either. */
  readonly isFinal: boolean;
}

/** A job on its way, with what must be remembered from one attempt to the next. */
export class PendingJob<Tag> {
  readonly job: Job<Tag>;
  readonly queue: OriginQueue<Tag>;
  /** How often it was sent. */
  attempts = 0;
  /** When it was sent last. */
  sentAt = 0;
  /** The era of the origin's limit in which that was. */
  era = 0;
  /** The token it was sent with. */
  authorization = noHeaders;
  /** The encrypted message, which serves every attempt; a promise while it is being made. */
  sealed: SealedMessage | Promise<SealedMessage> | undefined = undefined;
  /** It was encrypted before its turn. */
  isAhead = false;
  /** The one new attempt that some refusals allow has been had. */
  hadItsOnce = false;
  /** For how long its origin had been held in all when it came. */
  readonly #heldBeforeMs: number;
  #firstSentAt = 0;
  #answeredAt = 0;
  /** What the last attempt came to. */
  #delivery: Delivery | undefined = undefined;
  /** When its TTL began to run. */
  #bornAt = 0;

  constructor(job: Job<Tag>, queue: OriginQueue<Tag>, now: number) {
    this.job = job;
    this.queue = queue;
    this.#heldBeforeMs = queue.heldMs(now);
  }

  /** When it is of no use any more; known from the first attempt on. */
  get deadline(): number {
    return this.#bornAt + this.job.message.ttlSeconds * 1000;
  }

  /** A request leaves. */
  begin(now: number): void {
    if (this.attempts === 0) {
      this.#bornAt = now - this.#lostMs(now);
      this.#firstSentAt = now;
      this.queue.budget.earn();
    }
    this.attempts += 1;
    this.sentAt = now;
    this.era = this.queue.limit.era;
  }

  /** What became of the request. */
  end(now: number, delivery: Delivery): void {
    this.#answeredAt = now;
    this.#delivery = delivery;
    if (delivery.outcome === "blocked") this.attempts -= 1; // our own rules kept it from leaving
  }

  /** Whether it will be out of date at `at`. */
  isOutdated(at: number): boolean {
    const lost = this.#lostMs(at);
    return lost > 0 && lost >= this.#lifetimeMs();
  }

  /** The seconds that are left of its TTL (RFC 8030 §5.2). */
  ttlLeft(at: number): number {
    const { ttlSeconds } = this.job.message;
    // A whole second at least: 0 would turn it into a message of another kind.
    return ttlSeconds === 0 ? 0 : Math.max(1, ttlSeconds - Math.floor(this.#lostMs(at) / 1000));
  }

  /** Its result when nothing more is tried: what the last attempt came to, or else `otherwise`. */
  resultOf({ otherwise, isFinal }: Ending): SendResult<Tag> {
    const { job, attempts } = this;
    const durationMs = this.#answeredAt - this.#firstSentAt;
    const delivery = this.#delivery ?? otherwise;
    return delivery === undefined
      ? { job, durationMs, attempts, kind: "unsent" }
      : { job, durationMs, attempts, kind: "delivery", delivery, isFinal };
  }

  /** Its result when no request can be made of it. */
  refusalOf(error: UserError): SendResult<Tag> {
    return { job: this.job, durationMs: 0, attempts: 0, kind: "refused", error };
  }

  #lifetimeMs(): number {
    const { ttlSeconds } = this.job.message;
    // "Now or never" has its turn late rather than not at all, as those have that wait for room.
    return ttlSeconds === 0 && this.attempts === 0 ? graceMs : ttlSeconds * 1000;
  }

  #lostMs(at: number): number {
    return this.attempts > 0 ? at - this.#bornAt : this.queue.heldMs(at) - this.#heldBeforeMs;
  }
}
