/**
 * Many jobs in, a delivery for each out.
 *
 * Jobs are pulled only while fewer than `concurrency` are in flight or finished and
 * not yet taken, so a million-long source needs no memory and a slow reader slows
 * the sending. Results come as they are ready, in no order. Every job that was pulled
 * yields exactly one result, also when the source fails or sending is stopped half way.
 */
import { setMaxListeners } from "node:events";
import type { Clock, Random } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import {
  classifyEndpoint,
  classifyFailure,
  classifyResponse,
  diagnosisOf,
  withheldDelivery,
  type Delivery,
} from "../protocol/delivery.ts";
import type { PushRequest } from "../protocol/message.ts";
import { createSealedRequest, noContent } from "../protocol/push-request.ts";
import type { Subject } from "../protocol/subject.ts";
import { endpointOrigin, type Endpoint } from "../protocol/subscription.ts";
import { createEncryptor, type Encryptor } from "./encryptor.ts";
import type { Job, Observer, SendResult } from "./job.ts";
import { createTokenCache, type TokenCache } from "./token-cache.ts";
import { openTransport, type Transport, type TransportOptions } from "./transport.ts";

/** How jobs are sent, whatever carries them. */
export interface FlowOptions<Tag> {
  /** The most jobs in flight at a time, over all origins. */
  readonly concurrency: number;
  /** The most messages begun in a second, over all origins; unlimited unless given. */
  readonly rate?: number;
  /** How often one message is sent again at most; 4 unless given. */
  readonly retries?: number;
  /** Whether a message that may have arrived is sent again: at least once (the default), or at most once. */
  readonly retryAmbiguous?: boolean;
  /** Stops taking jobs; those in flight are finished. */
  readonly signal: AbortSignal;
  /** Gives up those in flight too. */
  readonly forceSignal?: AbortSignal;
  readonly observer?: Observer<Tag>;
  readonly clock: Clock;
}

/** How jobs are sent over the network. */
export interface SenderOptions<Tag> extends FlowOptions<Tag>, TransportOptions {
  /** The contact in every token; Apple insists on one (RFC 8292 §2.1). */
  readonly subject: Subject | undefined;
  readonly random: Random;
}

/** What a flow works with. */
export interface Means {
  readonly transport: Transport;
  readonly encryptor: Encryptor;
  readonly tokens: TokenCache;
}

/**
 * Sends jobs over the network.
 *
 * @throws UserError `allow-host`, `proxy-malformed`, `ca-malformed`, and what the source of jobs throws
 */
export async function* send<Tag>(
  jobs: AsyncIterable<Job<Tag>>,
  options: SenderOptions<Tag>,
): AsyncGenerator<SendResult<Tag>, void, undefined> {
  using transport = openTransport(options);
  using encryptor = createEncryptor(options.random);
  yield* sendThrough({ transport, encryptor, tokens: createTokenCache(options) }, jobs, options);
}

/**
 * Sends jobs with means that are already there.
 *
 * @internal
 */
export async function* sendThrough<Tag>(
  means: Means,
  jobs: AsyncIterable<Job<Tag>>,
  options: FlowOptions<Tag>,
): AsyncGenerator<SendResult<Tag>, void, undefined> {
  const flow = new Flow(means, jobs[Symbol.asyncIterator](), options);
  try {
    for (;;) {
      const result = await flow.next();
      if (result === undefined) break;
      yield result;
    }
  } finally {
    flow.close();
  }
}

/** The jobs between their source and the reader of results. */
class Flow<Tag> {
  readonly #means: Means;
  readonly #source: AsyncIterator<Job<Tag>>;
  readonly #options: FlowOptions<Tag>;
  readonly #abandoned = new AbortController();
  /** Origins that take nothing more in this run, with the answer that said so. */
  readonly #halted = new Map<string, Delivery>();
  readonly #finished: SendResult<Tag>[] = [];
  #inFlight = 0;
  #pulling = false;
  #exhausted = false;
  /** The first surprise; thrown once everything in flight has been yielded. */
  #surprise: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(means: Means, source: AsyncIterator<Job<Tag>>, options: FlowOptions<Tag>) {
    this.#means = means;
    this.#source = source;
    this.#options = options;
    setMaxListeners(0, this.#abandoned.signal); // one listener for each exchange in flight
    options.signal.addEventListener("abort", this.#stir);
    options.forceSignal?.addEventListener("abort", this.#abandon);
    if (options.forceSignal?.aborted === true) this.#abandon();
  }

  /** The next result, or `undefined` when there will be no more. */
  async next(): Promise<SendResult<Tag> | undefined> {
    for (;;) {
      const result = this.#finished.shift();
      this.#pull();
      if (result !== undefined) return result;
      if (this.#inFlight === 0 && this.#ending()) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#surprise !== undefined) throw this.#surprise.error;
    return undefined;
  }

  close(): void {
    this.#options.signal.removeEventListener("abort", this.#stir);
    this.#options.forceSignal?.removeEventListener("abort", this.#abandon);
    this.#abandon();
    if (this.#exhausted) return;
    this.#exhausted = true;
    // Not awaited: a source that waits for its next line would keep us waiting too.
    void Promise.resolve(this.#source.return?.()).catch(() => undefined);
  }

  /** Nothing more will be taken from the source. */
  #ending(): boolean {
    const { signal, forceSignal } = this.#options;
    return this.#exhausted || signal.aborted || forceSignal?.aborted === true;
  }

  #pull(): void {
    const busy = this.#inFlight + this.#finished.length;
    if (this.#pulling || this.#ending() || busy >= Math.max(1, this.#options.concurrency)) return;
    this.#pulling = true;
    this.#source.next().then(this.#take, (error: unknown) => {
      this.#pulling = false;
      this.#break(error);
    });
  }

  readonly #take = ({ done, value }: IteratorResult<Job<Tag>, unknown>): void => {
    this.#pulling = false;
    if (done === true) this.#exhausted = true;
    // A job that arrives after the stop was never begun; a resumed run will take it.
    else if (!this.#ending()) this.#begin(value);
    this.#pull();
    this.#stir();
  };

  readonly #break = (error: unknown): void => {
    this.#exhausted = true;
    this.#surprise ??= { error };
    this.#stir();
  };

  #begin(job: Job<Tag>): void {
    this.#inFlight += 1;
    this.#perform(job)
      .then((result) => this.#finished.push(result), this.#break)
      .finally(() => {
        this.#inFlight -= 1;
        this.#stir();
      });
  }

  async #perform(job: Job<Tag>): Promise<SendResult<Tag>> {
    const { clock, observer } = this.#options;
    const { endpoint } = job.subscription;
    const settled = this.#settledBefore(endpoint);
    if (settled !== undefined)
      return { job, kind: "delivery", delivery: settled, durationMs: 0, attempts: 0 };
    const startedAt = clock.now();
    const request = await this.#requestOf(job);
    if (request instanceof UserError)
      return { job, kind: "refused", error: request, durationMs: 0, attempts: 0 };
    observer?.sending?.(job, request, 1);
    const answer = await this.#means.transport.exchange(request, this.#abandoned.signal);
    const now = clock.now();
    const delivery =
      "kind" in answer ? classifyFailure(endpoint, answer) : classifyResponse(endpoint, answer, now);
    if (diagnosisOf(delivery.cause).haltOrigin === true) this.#halted.set(endpointOrigin(endpoint), delivery);
    const durationMs = now - startedAt;
    observer?.answered?.(job, delivery, durationMs);
    return {
      job,
      kind: "delivery",
      delivery,
      durationMs,
      attempts: delivery.outcome === "blocked" ? 0 : 1,
    };
  }

  async #requestOf({ message, subscription, pair }: Job<Tag>): Promise<PushRequest | UserError> {
    const { encryptor, tokens } = this.#means;
    const { endpoint, contentEncoding } = subscription;
    try {
      const sealed =
        message.payload === undefined ? noContent : await encryptor.seal(message.payload, subscription);
      const authorization = tokens.authorizationFor(endpoint, pair, contentEncoding);
      return createSealedRequest(message, subscription, authorization, sealed);
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  }

  /** The delivery of a job that need not be sent: nobody is there, or the origin has banned us. */
  #settledBefore(endpoint: Endpoint): Delivery | undefined {
    const halted = this.#halted.size === 0 ? undefined : this.#halted.get(endpointOrigin(endpoint));
    if (halted === undefined) return classifyEndpoint(endpoint);
    return withheldDelivery(halted.cause, halted.reason ?? diagnosisOf(halted.cause).meaning);
  }

  readonly #stir = (): void => {
    this.#wake();
  };

  readonly #abandon = (): void => {
    this.#abandoned.abort();
    this.#stir();
  };
}
