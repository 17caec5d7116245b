/**
 * What the HTTP door answers, as values: handlers return a `Reply` and one place writes it.
 *
 * Each body is JSON or opaque bytes, never sniffed, never readable for a page of
 * another origin: bodies and reasons hold what strangers sent.
 */
import { constants } from "node:http2";
import type { Duplex } from "node:stream";
import { wireOf, type HttpRequest, type HttpResponse } from "./http-wire.ts";
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
function errorBodyOf({ status, code, reason, reference }: Refusal): Readonly<Record<string, unknown>> {
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

/** Writes a reply, unless the client is gone. What was not read of the request is not waited for. */
export function writeReply(request: HttpRequest, response: HttpResponse, reply: Reply): void {
  const wire = wireOf(request);
  const isGone = wire.kind === "http2" ? wire.stream.destroyed : response.destroyed;
  if (response.headersSent || isGone) return;
  const closes = !request.complete;
  const body = reply.status === 204 ? {} : { "content-length": String(reply.body.length) };
  response.writeHead(reply.status, {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    ...reply.headers,
    ...body,
    // HTTP/2 has no such header: one stream is ended instead of the connection (RFC 9113 §8.1, §8.2.2).
    ...(closes && wire.kind === "http1" ? { connection: "close" } : {}),
  });
  if (closes && wire.kind === "http2")
    response.end(reply.body, () => {
      wire.stream.close(constants.NGHTTP2_NO_ERROR);
    });
  else response.end(reply.body);
}

/** Answers on a connection that no HTTP parser has any more, and ends it. */
export function answerPlainly(socket: Duplex, refusal: Refusal): void {
  const body = JSON.stringify(errorBodyOf(refusal));
  const head = [
    `HTTP/1.1 ${refusal.status} ${refusal.code}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
