/**
 * Many jobs in, a result for each out.
 *
 * A sender keeps connections, tokens and threads for as long as it is open; each `send`
 * is one run of jobs through them. How jobs wait, take turns and are tried again is in
 * `flow.ts`.
 */
import type { Random } from "../base/clock.ts";
import type { Subject } from "../protocol/subject.ts";
import { openEncryptor } from "./encryptor-pool.ts";
import type { FlowOptions, Means, OriginState } from "./flow-options.ts";
import { Flow } from "./flow.ts";
import type { Job, SendResult } from "./job.ts";
import { OriginShares } from "./origin-shares.ts";
import { createTokenCache } from "./token-cache.ts";
import { openTransport, type TransportOptions } from "./transport.ts";

/** How jobs are sent over the network. */
export interface SenderOptions<Tag> extends FlowOptions<Tag>, TransportOptions {
  /** The contact in every token; Apple insists on one (RFC 8292 §2.1). */
  readonly subject: Subject | undefined;
  readonly random: Random;
  /** The most worker threads that encrypt in a long run, such as there are cores; none unless given. */
  readonly threads?: number;
}

/** What goes on at this moment. */
export interface SenderState {
  readonly origins: readonly OriginState[];
}

/** Sends jobs, as often as is asked, until it is disposed of. */
export interface Sender<Tag> extends Disposable {
  /**
   * Sends jobs; results come in any order, each job that was taken has one. Several runs may go on at
   * a time; what `run` does not say of this one is as the sender was told.
   *
   * @throws what the source of jobs, the observer and the shared pace throw
   */
  send(
    jobs: AsyncIterable<Job<Tag>>,
    run?: Partial<FlowOptions<Tag>>,
  ): AsyncGenerator<SendResult<Tag>, void, undefined>;
  state(): SenderState;
}

/**
 * Opens the way to push services.
 *
 * @throws UserError `allow-host`, `proxy-malformed`, `ca-malformed`
 */
export function openSender<Tag>(options: SenderOptions<Tag>): Sender<Tag> {
  const { random, threads = 0 } = options;
  const transport = openTransport(options);
  const encryptor = openEncryptor({ random, threads });
  const sender = createSender({ transport, encryptor, random, tokens: createTokenCache(options) }, options);
  return {
    ...sender,
    [Symbol.dispose]() {
      encryptor[Symbol.dispose]();
      transport[Symbol.dispose]();
    },
  };
}

/**
 * Sends jobs over the network, once.
 *
 * @throws UserError `allow-host`, `proxy-malformed`, `ca-malformed`, and what the source of jobs throws
 */
export async function* send<Tag>(
  jobs: AsyncIterable<Job<Tag>>,
  options: SenderOptions<Tag>,
): AsyncGenerator<SendResult<Tag>, void, undefined> {
  using sender = openSender(options);
  yield* sender.send(jobs);
}

/**
 * A sender over means that somebody else opened and closes.
 *
 * @internal
 */
export function createSender<Tag>(
  means: Means,
  options: FlowOptions<Tag>,
): Pick<Sender<Tag>, "send" | "state"> {
  const running = new Set<Flow<Tag>>();
  const shares = new OriginShares();
  return {
    async *send(jobs, run = {}) {
      using flow = new Flow({ ...means, shares }, jobs, { ...options, ...run });
      running.add(flow);
      try {
        for (let result = await flow.next(); result !== undefined; result = await flow.next()) yield result;
      } finally {
        running.delete(flow);
      }
    },
    state: () => ({ origins: byOrigin([...running].flatMap((flow) => flow.state())) }),
  };
}

/** One state for each origin, of all runs that send there. */
function byOrigin(states: readonly OriginState[]): readonly OriginState[] {
  const merged = new Map<string, OriginState>();
  for (const state of states) {
    const other = merged.get(state.origin);
    merged.set(state.origin, other === undefined ? state : together(other, state));
  }
  return [...merged.values()];
}

function together(one: OriginState, other: OriginState): OriginState {
  const pauses = [one, other].flatMap(({ pausedUntil }) => (pausedUntil === undefined ? [] : [pausedUntil]));
  return {
    origin: one.origin,
    inFlight: one.inFlight + other.inFlight,
    waiting: one.waiting + other.waiting,
    limit: one.limit + other.limit,
    pausedUntil: pauses.length === 0 ? undefined : Math.max(...pauses),
    protocol: one.protocol ?? other.protocol,
  };
}

/**
 * Sends jobs with means that are already there.
 *
 * @internal
 */
export function sendThrough<Tag>(
  means: Means,
  jobs: AsyncIterable<Job<Tag>>,
  options: FlowOptions<Tag>,
): AsyncGenerator<SendResult<Tag>, void, undefined> {
  return createSender(means, options).send(jobs);
}
