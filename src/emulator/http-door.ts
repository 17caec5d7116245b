/**
 * HTTP/1.1 on loopback: guards, finds the route of a request, and writes what its handler answers.
 *
 * What there is to ask for stands with those who answer it: push-routes.ts for senders, rfc8030-routes.ts
 * for receivers that poll.
 *
 * Nothing a client sends brings it down: sizes and times are bounded, and a
 * handler that throws costs its own request alone.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../base/clock.ts";
import type { AutopushDoor } from "./autopush-door.ts";
import { messageOf, systemCode, UserError } from "../base/errors.ts";
import { isLoopbackHost } from "../protocol/subscription.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { PushService } from "./push-service.ts";
import { refuse, type Refusal, type RefusalCode } from "./refusals.ts";
import { errorBodyOf, refusalReply, writeReply, type Reply } from "./replies.ts";
import { originOf } from "./request-guard.ts";
import { findRoute, type Route } from "./route.ts";

export interface HttpDoorOptions {
  readonly service: PushService;
  readonly clock: Clock;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** An address of this machine; 127.0.0.1 by default. */
  readonly host?: string;
  /** Lets `host` be an address that other machines reach. */
  readonly allowRemote?: boolean;
  /** How long a client may take to send one request; 10 s by default. */
  readonly requestTimeoutMs?: number;
  /** How long a poll waits that does not say; 30 s by default. */
  readonly pollSeconds?: number;
  /** How long a poll may wait at most; 300 s by default. */
  readonly maxPollSeconds?: number;
  /** What there is to ask for; the first that matches answers. */
  readonly routes: readonly Route[];
  /** Who takes connections that are to become WebSockets; without it they are refused. */
  readonly autopush?: AutopushDoor;
}

/** An open door. */
export interface HttpDoor extends AsyncDisposable {
  /** Where it listens, as `http://127.0.0.1:8030`. */
  readonly origin: string;
  readonly port: number;
  /** Stops listening and ends every connection, waiting polls included. */
  close(): Promise<void>;
}

const maxHeaderBytes = 16_384;

/**
 * Opens the HTTP door of a push service.
 *
 * @throws UserError `emulator-host` when the address is not on loopback and `allowRemote` was not given,
 *   `emulator-port` when the port cannot be had.
 */
export async function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const { host = "127.0.0.1", port = 0, requestTimeoutMs = 10_000, allowRemote = false } = options;
  if (!allowRemote && !isLoopbackHost(hostInUrl(host))) throw remoteHostError(host);
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
    joinDuplicateHeaders: true, // otherwise a second Authorization is dropped without a word
  });
  await listen(server, host, port);
  const door = { ...options, allowRemote, port: (server.address() as AddressInfo).port };
  server.on("request", (request, response) => void answer(door, request, response));
  server.on("clientError", (error, socket) => {
    answerGarbage(door, error, socket);
  });
  const { autopush } = options;
  if (autopush !== undefined)
    server.on("upgrade", (request, socket, head) => {
      autopush.upgrade(request, socket, head, door);
    });
  const close = () => closeServer(server);
  const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : hostInUrl(host);
  return { origin: `http://${shown}:${door.port}`, port: door.port, close, [Symbol.asyncDispose]: close };
}

type OpenDoor = HttpDoorOptions & { readonly port: number; readonly allowRemote: boolean };

/** Answers one request, whatever it is. */
async function answer(door: OpenDoor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Not the machine's time: whoever compares clocks by it must see the one that TTL and VAPID are judged by.
  response.setHeader("date", new Date(door.clock.now()).toUTCString());
  let reply: Reply | undefined;
  try {
    reply = await replyTo(door, request, response);
  } catch (error) {
    reply = refusalReply(door.service.report(refuse("internal", `the emulator failed: ${messageOf(error)}`)));
  }
  if (reply !== undefined) writeReply(response, reply, !request.complete);
}

async function replyTo(
  door: OpenDoor,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Reply | undefined> {
  const { service } = door;
  const origin = originOf(request, door);
  if (origin.kind === "refused") return refusalReply(service.report(origin));
  const { path, query } = parseTarget(request.url ?? "");
  const found = findRoute(door.routes, { path, query, hostname: new URL(origin.origin).hostname });
  if (found === undefined) {
    return refusalReply(
      service.report(refuse("no-such-resource", `there is nothing at ${request.url ?? ""}`)),
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

const garbage: ReadonlyMap<string | undefined, RefusalCode> = new Map([
  ["HPE_HEADER_OVERFLOW", "headers-too-large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "request-timeout"],
]);

/** Answers what is not an HTTP request. */
function answerGarbage({ service }: OpenDoor, error: Error, socket: Duplex): void {
  const code = systemCode(error);
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = garbageRefusal(garbage.get(code) ?? "request-malformed", error);
  service.report(refusal);
  const body = JSON.stringify(errorBodyOf(refusal));
  const head = [
    `HTTP/1.1 ${refusal.status} ${refusal.code}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

function garbageRefusal(code: RefusalCode, error: Error): Refusal {
  if (code === "headers-too-large")
    return refuse(code, `the headers are larger than ${maxHeaderBytes} bytes`);
  if (code === "request-timeout") return refuse(code, "the request did not arrive in time");
  return refuse(code, `this is not an HTTP/1.1 request: ${error.message}`);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(portError(error, host, port));
    });
    server.listen({ host, port, exclusive: true }, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

/** An address as it stands in a URL, unified as the URL parser does. */
function hostInUrl(host: string): string {
  const authority = host.includes(":") ? `[${host}]` : host;
  return URL.canParse(`http://${authority}/`) ? new URL(`http://${authority}/`).hostname : authority;
}

function remoteHostError(host: string): UserError {
  return new UserError("emulator-host", `${host} is not a loopback address`, {
    hints: [
      "listen on 127.0.0.1",
      "or allow other machines to reach this push service, which protects nothing",
    ],
  });
}

function portError(cause: Error, host: string, port: number): UserError {
  const isTaken = systemCode(cause) === "EADDRINUSE";
  const what = isTaken ? "is taken by another program" : `cannot be opened: ${cause.message}`;
  const hints = [
    isTaken
      ? "stop the other program, or choose another port; 0 takes any free one"
      : "choose another address or port",
  ];
  return new UserError("emulator-port", `port ${port} of ${host} ${what}`, { kind: "failed", hints, cause });
}
