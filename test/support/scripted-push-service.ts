/**
 * A push service that does exactly what a test tells it to, once per request.
 *
 * Leaving a test with a reply that nobody asked for, or after a request that no reply
 * was meant for, throws: a test that passes has used its script up.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { parseEndpoint, type Endpoint } from "../../src/protocol/subscription.ts";

/** How a reply may go wrong. */
type Fault =
  "reset-before-headers" | "reset-after-headers" | "stall-before-headers" | "stall-body" | "endless-body";

/** One answer of the script. */
export interface Reply {
  /** 201 unless given. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The reply waits for this. */
  readonly after?: Promise<unknown>;
  readonly fault?: Fault;
  /** These bytes instead of a response; then the connection is closed. */
  readonly raw?: string;
  /** A Content-Length other than the body's. */
  readonly contentLength?: number;
}

/** A request as it arrived. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

const tlsFile = (name: string): string => readFileSync(new URL(`tls/${name}`, import.meta.url), "utf8");

/** The certificate the TLS service shows; trust it with `ca`. */
export const testCertificate = tlsFile("cert.pem");

const testCertificateKey = tlsFile("key.pem");

export class ScriptedPushService implements AsyncDisposable {
  readonly requests: ReceivedRequest[] = [];
  readonly #server: Server;
  readonly #scheme: "http" | "https";
  readonly #replies: Reply[];
  readonly #unexpected: string[] = [];
  readonly #sockets = new Set<Socket>();
  #connections = 0;
  #noticed: () => void = () => undefined;

  private constructor(server: Server, scheme: "http" | "https", replies: Reply[]) {
    this.#server = server;
    this.#scheme = scheme;
    this.#replies = replies;
    server.keepAliveTimeout = 0; // idle connections are the client's to close
    server.on("connection", (socket: Socket) => {
      this.#connections += 1;
      this.#sockets.add(socket);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#noticed();
      });
      socket.on("error", () => undefined);
    });
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    });
  }

  /** Starts on a free port of 127.0.0.1, speaking plain HTTP. */
  static start(...replies: Reply[]): Promise<ScriptedPushService> {
    return ScriptedPushService.#listen(new ScriptedPushService(createServer(), "http", replies));
  }

  /** The same over TLS, with `testCertificate`. */
  static startTls(...replies: Reply[]): Promise<ScriptedPushService> {
    const server = createTlsServer({ key: testCertificateKey, cert: testCertificate });
    return ScriptedPushService.#listen(new ScriptedPushService(server, "https", replies));
  }

  static async #listen(service: ScriptedPushService): Promise<ScriptedPushService> {
    service.#server.listen(0, "127.0.0.1");
    await once(service.#server, "listening");
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections were opened so far. */
  get connections(): number {
    return this.#connections;
  }

  /** An endpoint of this service; `host` must lead to 127.0.0.1. */
  endpoint(path = "/push/1", host = "127.0.0.1"): Endpoint {
    return parseEndpoint(`${this.#scheme}://${host}:${this.port}${path}`);
  }

  /** Resolves when `count` requests have arrived in all. */
  async received(count: number): Promise<void> {
    while (this.requests.length < count) {
      await new Promise<void>((resolve) => {
        this.#noticed = resolve;
      });
    }
  }

  /** Resolves when as few connections are open, and returns how many. */
  async openConnections(most: number): Promise<number> {
    while (this.#sockets.size > most) {
      await new Promise<void>((resolve) => {
        this.#noticed = resolve;
      });
    }
    return this.#sockets.size;
  }

  /** Closes every connection, as a service does that was idle for long. */
  closeConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeConnections();
    this.#server.close();
    await once(this.#server, "close");
    if (this.#unexpected.length > 0)
      throw new Error(`no reply was meant for: ${this.#unexpected.join(", ")}`);
    if (this.#replies.length > 0) throw new Error(`${this.#replies.length} replies were not asked for`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers, rawHeaders } = request;
    const reply = this.#replies.shift();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.requests.push({ method, path: url, headers, rawHeaders, body: Buffer.concat(chunks) });
    if (reply === undefined) this.#unexpected.push(`${method} ${url}`);
    this.#noticed();
    await reply?.after;
    if (reply?.raw === undefined) perform(reply ?? { status: 500 }, response);
    else response.socket?.end(reply.raw, "latin1");
  }
}

function perform(reply: Reply, response: ServerResponse): void {
  const { status = 201, headers = {}, body = "", fault, contentLength = Buffer.byteLength(body) } = reply;
  const { socket } = response;
  switch (fault) {
    case "stall-before-headers":
      return;
    case "reset-before-headers":
      if (socket instanceof TLSSocket) socket.destroy();
      else socket?.resetAndDestroy();
      return;
    case "endless-body":
      response.writeHead(status, headers);
      writeForever(response);
      return;
    case "stall-body":
    case "reset-after-headers":
      response.writeHead(status, { "content-length": String(contentLength + 1000), ...headers });
      response.write(body === "" ? " " : body, () => {
        if (fault === "reset-after-headers") socket?.destroy();
      });
      return;
    case undefined:
      response.strictContentLength = false;
      response.writeHead(status, { "content-length": String(contentLength), ...headers });
      response.end(body, () => {
        if (contentLength > Buffer.byteLength(body)) socket?.end();
      });
      return;
    default:
      fault satisfies never;
  }
}

function writeForever(response: ServerResponse): void {
  const chunk = "x".repeat(4096);
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", write);
  write();
}
