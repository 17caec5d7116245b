/**
 * From a plan to results, as they come: encrypt, sign, post, and what became of it.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { UserError, systemCode } from "../../base/errors.ts";
import type { Delivery } from "../../protocol/delivery.ts";
import type { PushRequest } from "../../protocol/message.ts";
import { createPushRequest } from "../../protocol/push-request.ts";
import { createScalar } from "../../protocol/vapid.ts";
import type { Job } from "../../sender/job.ts";
import { send } from "../../sender/sender.ts";
import type { TokenCache } from "../../sender/token-cache.ts";
import type { Subject } from "../../protocol/subject.ts";
import type { Context } from "../context.ts";
import type { TransportOptions } from "./command.ts";
import type { Plan, ReadyRecipient } from "./plan.ts";
import { answerLine, requestLine } from "./wire-lines.ts";

/** What became of one recipient's message. */
export interface Result {
  readonly recipient: ReadyRecipient;
  readonly delivery: Delivery;
  readonly attempts: number;
  readonly durationMs: number;
}

/** What sending needs of the flags. */
export type NetworkOptions = Pick<
  TransportOptions,
  "concurrency" | "timeout" | "proxy" | "ca" | "allowHost" | "allowPrivate"
>;

type Needs = Pick<Context, "io" | "clock" | "random" | "env" | "signal" | "forceSignal" | "cwd">;

/** Sends to every ready recipient; results come in any order, and none for those not begun when stopped. */
export async function* deliver(
  plan: Plan,
  options: NetworkOptions,
  context: Needs & { subject: Subject | undefined },
): AsyncGenerator<Result> {
  const { io } = context;
  const results = send(jobsOf(plan), {
    concurrency: options.concurrency,
    retries: 0,
    timeoutMs: options.timeout,
    proxy: { url: options.proxy, environment: context.env },
    ca: options.ca === undefined ? undefined : readAuthorities(options.ca, context.cwd),
    allow: { private: options.allowPrivate, hosts: options.allowHost },
    subject: context.subject,
    random: context.random,
    signal: context.signal,
    forceSignal: context.forceSignal,
    clock: context.clock,
    observer: {
      sending: ({ tag }, request) => {
        io.detail(requestLine(tag, request));
      },
      answered: ({ tag }, delivery, durationMs) => {
        io.detail(answerLine({ recipient: tag, delivery, durationMs }));
      },
    },
  });
  for await (const result of results) {
    if (result.kind === "unsent") continue;
    // The plan has checked all that could refuse a request; an error here concerns every recipient alike.
    if (result.kind === "refused") throw result.error;
    const { job, delivery, attempts, durationMs } = result;
    yield { recipient: job.tag, delivery, attempts, durationMs };
  }
}

async function* jobsOf({ message, ready }: Plan): AsyncGenerator<Job<ReadyRecipient>> {
  for (const recipient of ready) {
    yield { tag: recipient, message, subscription: recipient.subscription, pair: recipient.pair };
  }
  await Promise.resolve();
}

/** The finished request for one recipient: fresh salt and key for each (RFC 8291 §3.1), token by origin. */
export function requestFor(
  { subscription, pair }: ReadyRecipient,
  { message }: Plan,
  tokens: TokenCache,
  { random }: Pick<Context, "random">,
): PushRequest {
  const authorization = tokens.authorizationFor(subscription.endpoint, pair, subscription.contentEncoding);
  return createPushRequest(message, subscription, authorization, {
    salt: random.bytes(16),
    privateKey: createScalar(random),
  });
}

function readAuthorities(file: string, cwd: string): string {
  try {
    const text = readFileSync(resolve(cwd, file), "utf8");
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  } catch (error) {
    throw new UserError("file-unreadable", `cannot read ${file} (${systemCode(error) ?? "unknown error"})`, {
      hints: ["give a PEM file of certificates to --ca"],
      cause: error,
    });
  }
  throw new UserError("ca-malformed", `${file} holds no PEM certificate`, {
    hints: ["give a PEM file of certificates to --ca"],
  });
}
