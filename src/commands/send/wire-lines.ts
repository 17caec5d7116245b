/** Requests and answers as `--verbose` shows them: what went over the wire, secrets left out. */
import type { PushRequest } from "../../protocol/message.ts";
import { shortenEndpoint } from "../../protocol/subscription.ts";
import { printable } from "../../terminal/printable.ts";
import type { Result } from "./deliver.ts";
import type { ReadyRecipient } from "./plan.ts";

/** Headers that hold a bearer token, or values as random as one. */
const secretHeaders = new Set(["authorization", "crypto-key", "encryption"]);

/** The request's headers with secrets replaced, in order. */
export function shownHeaders({ headers }: PushRequest): readonly (readonly [string, string])[] {
  return Object.entries(headers).map(([name, value]) => [name, secretHeaders.has(name) ? "[secret]" : value]);
}

/** `--> POST fcm.googleapis.com/…a1b2c3  ttl: 600, urgency: high`. */
export function requestLine({ subscription }: ReadyRecipient, request: PushRequest): string {
  const headers = shownHeaders(request).map(([name, value]) => `${name}: ${value}`);
  return `--> ${request.method} ${printable(shortenEndpoint(subscription.endpoint))}  ${headers.join(", ")}`;
}

/** `<-- 201 fcm.googleapis.com/…a1b2c3  ok, 12 ms, request id 7D3F`. */
export function answerLine({ recipient, delivery, durationMs }: Omit<Result, "attempts">): string {
  const facts = [
    delivery.cause,
    `${Math.round(durationMs)} ms`,
    ...(delivery.requestId === undefined
      ? []
      : [`request id ${printable(delivery.requestId, { limit: 200 })}`]),
    ...(delivery.retryAfterMs === undefined ? [] : [`retry after ${delivery.retryAfterMs / 1000} s`]),
    ...(delivery.reason === undefined ? [] : [`said ${printable(delivery.reason, { limit: 300 })}`]),
  ];
  const status = delivery.status ?? "---";
  return `<-- ${status} ${printable(shortenEndpoint(recipient.subscription.endpoint))}  ${facts.join(", ")}`;
}
