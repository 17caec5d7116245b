/**
 * What the HTTP door answers, as values: handlers return a `Reply` and one place writes it.
 *
 * Each body is JSON or opaque bytes, never sniffed, never readable for a page of
 * another origin: bodies and reasons hold what strangers sent.
 */
import type { ServerResponse } from "node:http";
import type { Refusal } from "./refusals.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const nothing = new Uint8Array();

/** A reply without a body. */
export function emptyReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers, body: nothing };
}

/** A reply with `value` as JSON. */
export function jsonReply(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  return { status, headers: { ...headers, "content-type": "application/json" }, body };
}

/** The error body: the status, the permanent name of the refusal, and what was wrong by which rule. */
export function errorBodyOf({ status, code, reason, reference }: Refusal): Readonly<Record<string, unknown>> {
  return { code: status, error: code, message: `${reason} (${reference})` };
}

/** How a refusal looks over HTTP. */
export function refusalReply(refusal: Refusal, headers: Readonly<Record<string, string>> = {}): Reply {
  const { status, retryAfterSeconds } = refusal;
  return jsonReply(status, errorBodyOf(refusal), {
    ...headers,
    ...(status === 401 ? { "www-authenticate": "vapid" } : {}), // RFC 9110 §15.5.2
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
  });
}

/** Writes a reply, unless the client is gone. */
export function writeReply(response: ServerResponse, reply: Reply, closes: boolean): void {
  if (response.headersSent || response.destroyed) return;
  const body = reply.status === 204 ? {} : { "content-length": String(reply.body.length) };
  response.writeHead(reply.status, {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    ...reply.headers,
    ...body,
    ...(closes ? { connection: "close" } : {}),
  });
  response.end(reply.body);
}
