/**
 * Answers HTTP requests of either version: guards, finds the route, and writes what its handler answers.
 *
 * What there is to ask for stands with those who answer it: push-routes.ts for senders, rfc8030-routes.ts
 * for receivers that poll.
 *
 * Nothing a client sends brings it down: sizes and times are bounded (protocols.ts),
 * and a handler that throws costs its own request alone.
 */
import type { Duplex } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { messageOf, systemCode } from "../base/errors.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { wireOf, type HttpRequest, type HttpResponse } from "./http-wire.ts";
import type { PushService } from "./push-service.ts";
import { refuse, type Refusal, type RefusalCode } from "./refusals.ts";
import { answerPlainly, refusalReply, writeReply, type Reply } from "./replies.ts";
import { originOf, type GuardOptions } from "./request-guard.ts";
import { findRoute, type Route } from "./route.ts";

export interface HttpDoorOptions {
  readonly service: PushService;
  readonly clock: Clock;
  /** What there is to ask for; the first that matches answers. */
  readonly routes: readonly Route[];
  /** How long a poll waits that does not say; 30 s by default. */
  readonly pollSeconds?: number;
  /** How long a poll may wait at most; 300 s by default. */
  readonly maxPollSeconds?: number;
}

/** Whoever has requests brings them here. */
export interface HttpDoor {
  /** Answers one request, whatever it is. */
  answer(request: HttpRequest, response: HttpResponse): Promise<void>;
  /** Answers what is not an HTTP/1.1 request, and hangs up. */
  answerGarbage(error: Error, socket: Duplex): void;
}

/** Largest header section of a request. */
export const maxHeaderBytes = 16_384;

/** The HTTP door of a push service. */
export function createHttpDoor(options: HttpDoorOptions, guard: GuardOptions): HttpDoor {
  const door = { ...options, guard };
  return {
    answer: (request, response) => answer(door, request, response),
    answerGarbage: (error, socket) => {
      answerGarbage(door, error, socket);
    },
  };
}

type OpenDoor = HttpDoorOptions & { readonly guard: GuardOptions };

async function answer(door: OpenDoor, request: HttpRequest, response: HttpResponse): Promise<void> {
  // Not the machine's time: whoever compares clocks by it must see the one that TTL and VAPID are judged by.
  response.setHeader("date", new Date(door.clock.now()).toUTCString());
  let reply: Reply | undefined;
  try {
    reply = await replyTo(door, request, response);
  } catch (error) {
    reply = refusalReply(door.service.report(refuse("internal", `the emulator failed: ${messageOf(error)}`)));
  }
  if (reply !== undefined) writeReply(request, response, reply);
}

async function replyTo(
  door: OpenDoor,
  request: HttpRequest,
  response: HttpResponse,
): Promise<Reply | undefined> {
  const { service } = door;
  const origin = originOf(request, door.guard);
  if (origin.kind === "refused") return refusalReply(service.report(origin));
  const { path, query } = parseTarget(request.url ?? "");
  const found = findRoute(door.routes, { path, query, hostname: new URL(origin.origin).hostname });
  if (found === undefined) {
    return refusalReply(
      service.report(refuse("no-such-resource", `there is nothing at ${shortened(request.url ?? "")}`)),
    );
  }
  const { route, id } = found;
  const handler = route.methods.get(request.method ?? "");
  if (handler === undefined) {
    const allow = [...route.methods.keys()].join(", ");
    const reason = `${request.method ?? "this method"} is not a method of ${route.name}, which takes ${allow}`;
    return refusalReply(service.report(refuse("method-not-allowed", reason)), { allow });
  }
  const { pollSeconds = 30, maxPollSeconds = 300, clock } = door;
  const exchange: HttpExchange = {
    service,
    clock,
    request,
    response,
    wire: wireOf(request),
    origin: origin.origin,
    id,
    query,
    pollSeconds,
    maxPollSeconds,
  };
  return handler(exchange);
}

/** The path and query of a request target; absolute forms too (RFC 9112 §3.2.2). */
function parseTarget(target: string): { readonly path: string; readonly query: URLSearchParams } {
  const [path = "", query = ""] = target.replace(/^https?:\/\/[^/?]*/i, "").split("?", 2);
  return { path, query: new URLSearchParams(query) };
}

/** The log remembers thousands of reasons: 16 kB of target in each would be hundreds of megabytes. */
function shortened(target: string): string {
  return target.length > 200 ? `${target.slice(0, 200)}…` : target;
}

const garbage: ReadonlyMap<string | undefined, RefusalCode> = new Map([
  ["HPE_HEADER_OVERFLOW", "headers-too-large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "request-timeout"],
]);

function answerGarbage({ service }: OpenDoor, error: Error, socket: Duplex): void {
  const code = systemCode(error);
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  answerPlainly(socket, service.report(garbageRefusal(garbage.get(code) ?? "request-malformed", error)));
}

function garbageRefusal(code: RefusalCode, error: Error): Refusal {
  if (code === "headers-too-large")
    return refuse(code, `the headers are larger than ${maxHeaderBytes} bytes`);
  if (code === "request-timeout") return refuse(code, "the request did not arrive in time");
  return refuse(code, `this is not an HTTP/1.1 request: ${error.message}`);
}
