/**
 * From a plan to results, as they come: encrypt, sign, post, and what became of it.
 */
import type { UserError } from "../../base/errors.ts";
import type { Delivery } from "../../protocol/delivery.ts";
import type { Message, PushRequest } from "../../protocol/message.ts";
import { createPushRequest } from "../../protocol/push-request.ts";
import { createScalar } from "../../protocol/vapid.ts";
import type { Job, SendResult } from "../../sender/job.ts";
import type { FlowOptions } from "../../sender/flow-options.ts";
import { openSender, type Sender, type SenderState } from "../../sender/sender.ts";
import type { TokenCache } from "../../sender/token-cache.ts";
import type { Subject } from "../../protocol/subject.ts";
import { readAuthorities } from "../authorities.ts";
import type { Context } from "../context.ts";
import type { TransportOptions } from "./command.ts";
import { tryOtherPairs } from "./other-pairs.ts";
import type { Plan, ReadyRecipient } from "./plan.ts";
import { answerLine, requestLine } from "./wire-lines.ts";

/** What became of one recipient's message. */
export interface Result {
  readonly recipient: ReadyRecipient;
  readonly delivery: Delivery;
  readonly attempts: number;
  readonly durationMs: number;
  /** Another attempt would be worth it, and only the end of the run kept it from one. */
  readonly isOpen?: boolean;
}

/** What reaching a push service needs of the flags. */
export type ReachOptions = Pick<
  TransportOptions,
  "concurrency" | "timeout" | "proxy" | "ca" | "allowHost" | "allowPrivate"
> & {
  /** Whether endpoints on this machine are sent to unasked; unless given, those of a database are not. */
  readonly allowLoopback?: boolean;
};

/** What sending needs of the flags. */
export type NetworkOptions = ReachOptions &
  Pick<TransportOptions, "rate" | "retries" | "patience" | "retryAmbiguous">;

type Needs = Pick<
  Context,
  "io" | "clock" | "random" | "env" | "signal" | "forceSignal" | "cwd" | "spareCores" | "storeAddress"
>;

/** One message at a time, and one attempt for each: for somebody who waits and looks. */
export const once = {
  concurrency: 1,
  rate: undefined,
  retries: 0,
  patience: 0,
  retryAmbiguous: false,
} as const;

/** One thread sends, and keeps no more than these busy with encrypting. */
const mostThreads = 4;

/** What a run is sent with besides its message. */
export type DeliveryContext = Needs & {
  readonly subject: Subject | undefined;
  readonly recorder?: Recorder | undefined;
};

/** Who writes down each attempt, in the very moment. What it throws stops the run. */
export interface Recorder {
  intend(recipient: ReadyRecipient): void;
  record(recipient: ReadyRecipient, delivery: Delivery): void;
}

/** Someone who was taken and not sent to, because sending was stopped. */
export interface Unsent {
  readonly recipient: ReadyRecipient;
}

/** Someone for whom no request can be made, though the plan found nothing wrong. */
export interface Refused {
  readonly recipient: ReadyRecipient;
  readonly error: UserError;
}

/** What became of somebody who was taken. */
export type Attempted = Result | Unsent | Refused;

/** Sends to every ready recipient of a plan; results come in any order, and none for those not begun when stopped. */
export async function* deliver(
  { message, ready }: Pick<Plan, "message" | "ready">,
  options: NetworkOptions,
  context: DeliveryContext,
): AsyncGenerator<Result> {
  const everyone = (async function* () {
    yield* ready;
    await Promise.resolve();
  })();
  using delivery = openDelivery(message, options, context);
  for await (const one of delivery.to(everyone)) {
    if ("error" in one) throw one.error;
    if ("delivery" in one) yield one;
  }
}

/** One message on its way to many. */
export interface OpenDelivery extends Disposable {
  /** Pulls recipients as fast as they can be sent to, and answers one result for each. */
  to(everyone: AsyncIterable<ReadyRecipient>): AsyncGenerator<Attempted>;
  /** How each origin is doing. */
  state(): SenderState;
}

export function openDelivery(
  message: Message,
  options: NetworkOptions,
  context: DeliveryContext,
): OpenDelivery {
  const { io, recorder } = context;
  const sender = openNetwork(options, context);
  const send = (everyone: AsyncIterable<ReadyRecipient>) =>
    sendThrough(sender, message, everyone, {
      retries: options.retries,
      patienceMs: options.patience,
      retryAmbiguous: options.retryAmbiguous,
      ...(options.rate === undefined ? {} : { rate: options.rate }),
      observer: {
        sending: ({ tag }, request) => {
          recorder?.intend(tag);
          if (io.isDetailed) io.detail(requestLine(tag, request));
        },
        answered: ({ tag }, delivery, durationMs) => {
          recorder?.record(tag, delivery);
          if (io.isDetailed) io.detail(answerLine({ recipient: tag, delivery, durationMs }));
        },
      },
    });
  return {
    to: (everyone) => tryOtherPairs(everyone, send),
    state: () => sender.state(),
    [Symbol.dispose]: () => {
      sender[Symbol.dispose]();
    },
  };
}

/** Opens the way to push services, for any number of messages. */
export function openNetwork(
  options: ReachOptions,
  context: Omit<DeliveryContext, "io" | "recorder">,
): Sender<ReadyRecipient> {
  return openSender<ReadyRecipient>({
    concurrency: options.concurrency,
    threads: Math.min(context.spareCores, mostThreads),
    timeoutMs: options.timeout,
    proxy: { url: options.proxy, environment: context.env },
    ca: options.ca === undefined ? undefined : readAuthorities(options.ca, context.cwd),
    allow: {
      private: options.allowPrivate,
      hosts: options.allowHost,
      // A project's files hold what its own emulator made; in a database is what strangers' browsers handed in.
      loopback: options.allowLoopback ?? context.storeAddress() === undefined,
    },
    subject: context.subject,
    random: context.random,
    signal: context.signal,
    forceSignal: context.forceSignal,
    drainMs: Number.POSITIVE_INFINITY, // the force signal comes in time, as for all commands
    clock: context.clock,
  });
}

/** Sends one message to everyone, each once; `run` says how. */
export async function* sendThrough(
  sender: Pick<Sender<ReadyRecipient>, "send">,
  message: Message,
  everyone: AsyncIterable<ReadyRecipient>,
  run: Partial<FlowOptions<ReadyRecipient>>,
): AsyncGenerator<Attempted> {
  for await (const result of sender.send(jobsFor(message, everyone), run)) yield outcomeOf(result);
}

function outcomeOf(result: SendResult<ReadyRecipient>): Attempted {
  const { tag: recipient } = result.job;
  switch (result.kind) {
    case "delivery":
      return {
        recipient,
        delivery: result.delivery,
        attempts: result.attempts,
        durationMs: result.durationMs,
        ...(result.isFinal ? {} : { isOpen: true }),
      };
    case "unsent":
      return { recipient };
    case "refused":
      return { recipient, error: result.error };
    default:
      return result satisfies never;
  }
}

async function* jobsFor(
  message: Message,
  everyone: AsyncIterable<ReadyRecipient>,
): AsyncGenerator<Job<ReadyRecipient>> {
  for await (const recipient of everyone)
    yield { tag: recipient, message, subscription: recipient.subscription, pair: recipient.pair };
}

/** The finished request for one recipient: fresh salt and key for each (RFC 8291 §3.1), token by origin. */
export function requestFor(
  { subscription, pair }: ReadyRecipient,
  { message }: Pick<Plan, "message">,
  tokens: TokenCache,
  { random }: Pick<Context, "random">,
): PushRequest {
  const authorization = tokens.authorizationFor(subscription.endpoint, pair, subscription.contentEncoding);
  return createPushRequest(message, subscription, authorization, {
    salt: random.bytes(16),
    privateKey: createScalar(random),
  });
}
