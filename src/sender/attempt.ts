/**
 * One attempt to send a message: encrypt it, sign, let the request leave, read the answer.
 */
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import {
  classifyFailure,
  classifyResponse,
  type Delivery,
  type PushResponse,
  type TransportFailure,
} from "../protocol/delivery.ts";
import type { SealedMessage } from "../protocol/encryption.ts";
import type { PushRequest } from "../protocol/message.ts";
import { createSealedRequest, noContent } from "../protocol/push-request.ts";
import type { Encryptor } from "./encryptor.ts";
import type { Observer } from "./job.ts";
import type { PendingJob } from "./pending-job.ts";
import type { TokenCache } from "./token-cache.ts";
import type { Transport } from "./transport.ts";

/** What attempts are made with. */
export interface AttemptMeans<Tag> {
  readonly transport: Transport;
  readonly encryptor: Encryptor;
  readonly tokens: TokenCache;
  readonly observer: Observer<Tag> | undefined;
  /** What services' clocks are compared with. */
  readonly clock: Clock;
  /** The time of the run. */
  readonly time: Clock;
  /** Gives up the exchanges on their way. */
  readonly signal: AbortSignal;
}

/** Who hears how an attempt ended; each one ends once. */
export interface AttemptEnd<Tag> {
  /** Whether attempts may still begin. */
  mayBegin(): boolean;
  answered(pending: PendingJob<Tag>, delivery: Delivery): void;
  /** No request can be made of the job. */
  refused(pending: PendingJob<Tag>, error: UserError): void;
  /** Nothing has left. */
  prevented(pending: PendingJob<Tag>): void;
  /** Something failed that cannot; the attempt's own end is told besides. */
  broke(error: unknown): void;
}

/** Nobody knows how far the request came, so it may have been sent. */
const ourFault: TransportFailure = {
  kind: "ambiguous",
  message: "this program failed while it was sending",
};

export class Attempts<Tag> {
  readonly #means: AttemptMeans<Tag>;
  readonly #end: AttemptEnd<Tag>;

  constructor(means: AttemptMeans<Tag>, end: AttemptEnd<Tag>) {
    this.#means = means;
    this.#end = end;
  }

  /** Begins to encrypt a message whose turn will come soon. */
  sealAhead(pending: PendingJob<Tag>): void {
    // What goes wrong is told when the job's turn has come.
    try {
      const sealing = this.#seal(pending);
      if (sealing instanceof Promise)
        sealing.then((sealed) => (pending.sealed = sealed)).catch(() => undefined);
    } catch {
      pending.sealed = undefined;
    }
  }

  /** Sends a message as soon as it is encrypted. */
  begin(pending: PendingJob<Tag>): void {
    let sealed: SealedMessage | Promise<SealedMessage>;
    try {
      sealed = this.#seal(pending);
    } catch (error) {
      this.#fail(pending, error);
      return;
    }
    if (sealed instanceof Promise) {
      sealed.then(
        (done) => {
          pending.sealed = done;
          this.#post(pending, done);
        },
        (error: unknown) => {
          this.#fail(pending, error);
        },
      );
    } else this.#post(pending, sealed);
  }

  #seal(pending: PendingJob<Tag>): SealedMessage | Promise<SealedMessage> {
    const { message, subscription } = pending.job;
    pending.sealed ??=
      message.payload === undefined ? noContent : this.#means.encryptor.seal(message.payload, subscription);
    return pending.sealed;
  }

  #post(pending: PendingJob<Tag>, sealed: SealedMessage): void {
    const { transport, observer, signal, time } = this.#means;
    if (!this.#end.mayBegin()) {
      this.#end.prevented(pending);
      return;
    }
    const now = time.now();
    let request: PushRequest;
    try {
      request = this.#requestOf(pending, sealed, now);
    } catch (error) {
      this.#fail(pending, error);
      return;
    }
    try {
      observer?.sending?.(pending.job, request, pending.attempts + 1);
    } catch (error) {
      this.#end.broke(error);
      this.#end.prevented(pending);
      return;
    }
    pending.begin(now);
    transport.exchange(request, signal).then(
      (answer) => {
        this.#read(pending, answer);
      },
      (error: unknown) => {
        this.#end.broke(error);
        this.#read(pending, ourFault);
      },
    );
  }

  /**
   * The request of the attempt that begins now. It carries what is left of the TTL: the
   * service must not keep a message beyond the time at which it was to be forgotten.
   */
  #requestOf(pending: PendingJob<Tag>, sealed: SealedMessage, now: number): PushRequest {
    const { message, subscription, pair } = pending.job;
    const { endpoint, contentEncoding } = subscription;
    pending.authorization = this.#means.tokens.authorizationFor(endpoint, pair, contentEncoding);
    const ttlSeconds = pending.ttlLeft(now);
    const timely = ttlSeconds === message.ttlSeconds ? message : { ...message, ttlSeconds };
    return createSealedRequest(timely, subscription, pending.authorization, sealed);
  }

  #read(pending: PendingJob<Tag>, answer: PushResponse | TransportFailure): void {
    const { clock, observer, time } = this.#means;
    const { endpoint } = pending.job.subscription;
    let delivery: Delivery | undefined;
    try {
      delivery =
        "kind" in answer
          ? classifyFailure(endpoint, answer)
          : classifyResponse(endpoint, answer, clock.now());
      observer?.answered?.(pending.job, delivery, time.now() - pending.sentAt);
    } catch (error) {
      this.#end.broke(error);
    }
    this.#end.answered(pending, delivery ?? classifyFailure(endpoint, ourFault));
  }

  #fail(pending: PendingJob<Tag>, error: unknown): void {
    if (error instanceof UserError) this.#end.refused(pending, error);
    else {
      this.#end.broke(error);
      this.#end.prevented(pending);
    }
  }
}
