/**
 * What a connection speaks: told by its first byte, and once more inside TLS.
 *
 * | First byte | In the clear, or inside a tunnel | Inside TLS |
 * |---|---|---|
 * | 22 | TLS | - |
 * | 41 | - | Chromium's MCS |
 * | any other | HTTP/1.1, upgrades to WebSocket, `CONNECT` | the same; HTTP/2 where ALPN agreed on it |
 *
 * A client that says nothing, or never ends what it began, is hung up on; the error
 * of one connection is its own.
 */
import { createServer as createHttp1Server, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { systemCode } from "../base/errors.ts";
import type { AutopushDoor } from "./autopush-door.ts";
import type { TlsIdentity } from "./certificate.ts";
import type { ChromiumDoor } from "./chromium-door/door.ts";
import { maxHeaderBytes, type HttpDoor } from "./http-door.ts";
import { boundSession, boundRequest, unifyHeaders } from "./http2-requests.ts";
import type { PushService } from "./push-service.ts";
import { refuse } from "./refusals.ts";
import type { GuardOptions } from "./request-guard.ts";
import type { OpenTunnel } from "./tunnel.ts";

export interface ProtocolOptions {
  readonly service: PushService;
  readonly door: HttpDoor;
  readonly guard: GuardOptions;
  readonly tls: TlsIdentity;
  readonly openTunnel: OpenTunnel;
  /** How long a client may take for its first byte, a handshake, a request. */
  readonly requestTimeoutMs: number;
  /** Who takes connections that are to become WebSockets; without it they are refused. */
  readonly autopush: AutopushDoor | undefined;
  /** Who takes MCS connections; without it they are hung up on. */
  readonly chromium: Pick<ChromiumDoor, "accept"> | undefined;
}

/** Reads connections that somebody else accepted. */
export interface Protocols {
  accept(socket: Duplex): void;
  /** Stops the timers; connections are ended by whoever accepted them. */
  close(): void;
}

const firstByte = { tls: 22, mcs: 41 } as const; // RFC 8446 §5.1; MCS's version

/** Servers that listen nowhere: they are handed their connections. */
export function createProtocols(options: ProtocolOptions): Protocols {
  const http1 = openHttp1(options);
  const http2 = openHttp2(options);
  const tls = openTls(options, (socket) => {
    if (socket.alpnProtocol === "h2") http2.emit("connection", socket);
    else
      sniff(socket, options.requestTimeoutMs, (byte) => {
        if (byte !== firstByte.mcs) http1.emit("connection", socket);
        else if (options.chromium === undefined) socket.destroy();
        else options.chromium.accept(socket);
      });
  });
  return {
    accept(socket) {
      sniff(socket, options.requestTimeoutMs, (byte) => {
        (byte === firstByte.tls ? tls : http1).emit("connection", socket);
      });
    },
    close() {
      http1.close();
    },
  };
}

/** Calls `found` with the first byte, which can still be read then. Hangs up when none comes. */
function sniff(socket: Duplex, limitMs: number, found: (byte: number) => void): void {
  const timer = setTimeout(() => socket.destroy(), limitMs);
  const hangUp = () => socket.destroy();
  const stop = () => {
    clearTimeout(timer);
    socket.off("readable", look).off("end", hangUp).off("close", stop);
  };
  const look = () => {
    const chunk = socket.read() as Buffer | null;
    const byte = chunk?.[0];
    if (chunk === null || byte === undefined) return;
    stop();
    socket.unshift(chunk);
    found(byte);
  };
  socket.on("readable", look).on("end", hangUp).on("close", stop);
}

function openHttp1({ door, guard, autopush, openTunnel, requestTimeoutMs }: ProtocolOptions) {
  const server = createHttp1Server({
    maxHeaderSize: maxHeaderBytes,
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
    joinDuplicateHeaders: true, // otherwise a second Authorization is dropped without a word
  });
  server.on("request", (request, response) => void door.answer(request, response));
  server.on("clientError", (error, socket) => {
    door.answerGarbage(error, socket);
  });
  server.on("connect", openTunnel);
  if (autopush !== undefined)
    server.on("upgrade", (request, socket, head) => {
      if (request.headers.upgrade?.toLowerCase() === "websocket")
        autopush.upgrade(request, socket, head, guard);
      else {
        // A server may ignore an upgrade (RFC 9110 §7.8): clients that offer h2c go on with HTTP/1.1.
        socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]));
        server.emit("connection", socket);
      }
    });
  // A server checks its time limits from this event on, and this one will not listen by itself.
  server.emit("listening");
  return server;
}

/** The head of a request as it came, but for the wish to upgrade. */
function headWithoutUpgrade({ method = "", url = "", rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    if (!/^(?:upgrade|http2-settings|connection)$/i.test(name)) lines.push(`${name}: ${value}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function openHttp2({ door, requestTimeoutMs }: ProtocolOptions) {
  const server = createHttp2Server({
    settings: { maxConcurrentStreams: 100, maxHeaderListSize: maxHeaderBytes },
  });
  server.on("session", (session) => {
    boundSession(session, requestTimeoutMs);
  });
  server.on("request", (request, response) => {
    unifyHeaders(request);
    boundRequest(request, requestTimeoutMs);
    void door.answer(request, response);
  });
  return server;
}

function openTls(
  { service, tls: { certificatePem, keyPem }, requestTimeoutMs }: ProtocolOptions,
  accept: (socket: Duplex & { readonly alpnProtocol: string | false | null }) => void,
) {
  const server = createTlsServer({
    cert: certificatePem,
    key: keyPem.reveal(),
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: requestTimeoutMs,
  });
  server.on("tlsClientError", (error, socket) => {
    socket.destroy();
    // Some clients say why they hang up, and people look for the reason on our side.
    if (isDistrust(systemCode(error))) service.report(refuse("certificate-untrusted", distrust));
  });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => socket.destroy());
    accept(socket);
  });
  return server;
}

const distrust =
  "a client does not trust the emulator's certificate; it needs NODE_EXTRA_CA_CERTS or the like";

/** The alerts of those who were shown a certificate and did not like it. */
function isDistrust(code: string | undefined): boolean {
  return /_ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN)$/.test(code ?? "");
}
