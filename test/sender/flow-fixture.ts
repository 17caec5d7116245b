/**
 * A flow with everything around it made up: answers, encryption, tokens, time.
 */
import type { PushResponse, TransportFailure } from "../../src/protocol/delivery.ts";
import type { Message, PushRequest } from "../../src/protocol/message.ts";
import { noContent } from "../../src/protocol/push-request.ts";
import type { Encryptor } from "../../src/sender/encryptor.ts";
import type { FlowOptions, Means } from "../../src/sender/flow-options.ts";
import type { Job, SendResult } from "../../src/sender/job.ts";
import type { Transport } from "../../src/sender/transport.ts";
import { samplePair, sampleSubscription } from "../support/samples.ts";
import { seededRandom } from "../support/test-context.ts";

export type Answer = PushResponse | TransportFailure;

export const accepted: PushResponse = { status: 201, headers: {}, body: "" };

const pair = samplePair("ours");
export const empty: Message = { payload: undefined, ttlSeconds: 60, urgency: undefined, topic: undefined };

export function jobTo(endpoint: string, tag = endpoint, message = empty): Job<string> {
  return { tag, message, subscription: sampleSubscription(endpoint, { endpoint }), pair };
}

export const job = (tag: number | string): Job<string> =>
  jobTo(`https://push.example.net/${tag}`, String(tag));

export async function* jobs(...list: Job<string>[]): AsyncGenerator<Job<string>> {
  await settle();
  yield* list;
}

export function transportOf(
  answer: (request: PushRequest, signal: AbortSignal) => Answer | Promise<Answer>,
): Transport {
  return {
    exchange: async (request, signal) => answer(request, signal),
    [Symbol.dispose]: () => undefined,
  };
}

/** What a flow works with: nothing is signed, and encrypted only where a test has a payload. */
export function means(transport: Transport, seal: Encryptor["seal"] = () => noContent): Means {
  const encryptor = { seal, [Symbol.dispose]: () => undefined };
  const tokens = { authorizationFor: () => ({}), renew: () => false };
  return { transport, encryptor, tokens, random: seededRandom("flow") };
}

export function options(changes: Partial<FlowOptions<string>> = {}): FlowOptions<string> {
  return {
    concurrency: 4,
    patienceMs: 3_600_000,
    signal: new AbortController().signal,
    clock: { now: () => 0 },
    ...changes,
  };
}

/** A transport whose answers the test gives out one by one. */
export function heldTransport() {
  const waiting: (() => void)[] = [];
  const transport = transportOf(
    (_request, signal) =>
      new Promise<Answer>((resolve) => {
        waiting.push(() => {
          resolve(accepted);
        });
        signal.addEventListener("abort", () => {
          resolve({ kind: "ambiguous", message: "stopped" });
        });
      }),
  );
  return { transport, waiting };
}

export async function collect<Tag>(results: AsyncIterable<SendResult<Tag>>): Promise<SendResult<Tag>[]> {
  const list: SendResult<Tag>[] = [];
  for await (const result of results) list.push(result);
  return list;
}

export const causes = (results: readonly SendResult<string>[]) =>
  results.map((result) => [result.job.tag, outcomeOf(result), result.attempts]);

function outcomeOf(result: SendResult<string>): string {
  switch (result.kind) {
    case "delivery":
      return result.delivery.cause;
    case "refused":
      return result.error.code;
    case "unsent":
      return "unsent";
  }
}

/** Lets everything run that is ready to. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
