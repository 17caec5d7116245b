/**
 * One request and its answer over HTTP/1.1.
 *
 * It always ends, and once: with a response, or with a failure that tells whether
 * the request can have been processed. Redirects are answers like any other (RFC 8030
 * defines none), the body is read up to 8 kB, and the status counts as soon as the
 * headers are there: a body that stalls or breaks costs words, not the outcome.
 */
import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { request as httpsRequest, type RequestOptions as TlsRequestOptions } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { PushResponse, TransportFailure } from "../protocol/delivery.ts";
import { failureOf } from "./failure.ts";

const maxBodyBytes = 8192;
const maxHeaderBytes = 16_384;
const maxHeaderCount = 100;

/** How long an exchange may take. */
interface ExchangeLimits {
  /** Until there is a connection, TLS included. */
  readonly connectTimeoutMs: number;
  /** In all, the body of the answer included. */
  readonly timeoutMs: number;
}

/** What an exchange needs to begin. */
export interface ExchangeOptions {
  readonly request: RequestOptions & TlsRequestOptions;
  readonly body: Uint8Array;
  readonly limits: ExchangeLimits;
  /** Gives up, sent or not. */
  readonly signal: AbortSignal;
  /** The service, for people. */
  readonly host: string;
  /** The proxy in between, for people. */
  readonly proxy: string | undefined;
}

/**
 * Sends one request and waits for its answer.
 *
 * Rejects only for what is a bug of the caller's, such as a header that is none.
 */
export async function exchangeOverHttp1(options: ExchangeOptions): Promise<PushResponse | TransportFailure> {
  if (options.signal.aborted) {
    return { kind: "connect", message: `${options.host}: stopped before the request was sent` };
  }
  return new Promise((resolve) => {
    new Exchange(options, resolve).begin();
  });
}

/** An exchange on its way. */
class Exchange {
  readonly #options: ExchangeOptions;
  readonly #request: ClientRequest;
  readonly #resolve: (result: PushResponse | TransportFailure) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  #sent = false;
  #response: IncomingMessage | undefined;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(options: ExchangeOptions, resolve: (result: PushResponse | TransportFailure) => void) {
    this.#options = options;
    this.#request = createRequest(options.request);
    this.#resolve = resolve;
  }

  begin(): void {
    const { body, limits, proxy, signal } = this.#options;
    this.#giveUpAfter(limits.timeoutMs);
    const connecting = this.#giveUpAfter(limits.connectTimeoutMs);
    signal.addEventListener("abort", this.#stop, { once: true });
    onceConnected(this.#request, () => {
      this.#sent = true;
      clearTimeout(connecting);
    });
    this.#request.on("proxyConnect", ({ statusCode }: { readonly statusCode: number }) => {
      // What a proxy answers must never pass for the service's word: a 410 would delete a subscription.
      if (statusCode !== 200) this.#giveUp(`proxy ${proxy ?? ""} answered ${statusCode}`);
    });
    this.#request.on("response", (response) => {
      this.#receive(response);
    });
    this.#request.on("error", this.#fail);
    this.#request.on("close", this.#fail);
    this.#request.end(body);
  }

  #receive(response: IncomingMessage): void {
    this.#response = response;
    response.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > maxBodyBytes) this.#end(readResponse(response, this.#chunks));
    });
    response.on("end", this.#fail);
    response.on("error", this.#fail);
  }

  readonly #stop = (): void => {
    this.#giveUp(this.#sent ? "stopped while waiting for an answer" : "stopped before the request was sent");
  };

  /** The end of everything that was going to come, with an error or without one. */
  readonly #fail = (error?: unknown): void => {
    const { host, proxy } = this.#options;
    this.#end(this.#received() ?? failureOf(error, { host, proxy, sent: this.#sent }));
  };

  #giveUp(why: string): void {
    const kind = this.#sent ? "ambiguous" : "connect";
    this.#end(this.#received() ?? { kind, message: `${this.#options.host}: ${why}` });
  }

  #giveUpAfter(delayMs: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#giveUp(`no ${this.#sent ? "answer" : "connection"} within ${delayMs} ms`);
    }, delayMs);
    this.#timers.push(timer);
    return timer;
  }

  #received(): PushResponse | undefined {
    return this.#response && readResponse(this.#response, this.#chunks);
  }

  /** Settles the exchange; whatever happens to the request afterwards is of no interest. */
  #end(result: PushResponse | TransportFailure): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#options.signal.removeEventListener("abort", this.#stop);
    this.#resolve(result);
    // A response received whole leaves a connection that the next request can use.
    if (this.#response?.complete !== true) this.#request.destroy();
  }
}

function createRequest(options: ExchangeOptions["request"]): ClientRequest {
  const strict = { ...options, maxHeaderSize: maxHeaderBytes, insecureHTTPParser: false };
  const request = options.protocol === "http:" ? httpRequest(strict) : httpsRequest(strict);
  request.maxHeadersCount = maxHeaderCount;
  return request;
}

function readResponse({ statusCode = 0, headers }: IncomingMessage, chunks: readonly Buffer[]): PushResponse {
  const fields = Object.entries(headers).map(([name, value = ""]): [string, string] => [
    name,
    typeof value === "string" ? value : value.join(", "),
  ]);
  const body = Buffer.concat(chunks).subarray(0, maxBodyBytes).toString("utf8");
  return { status: statusCode, headers: Object.fromEntries(fields), body };
}

/** Calls back when the request has a connection, with TLS where it is TLS: from then on it is being sent. */
function onceConnected(request: ClientRequest, callback: () => void): void {
  request.once("socket", (socket) => {
    if (request.reusedSocket || isConnected(socket)) callback();
    else socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", callback);
  });
}

function isConnected(socket: Socket): boolean {
  // Not `getProtocol()`: that names a version before a single byte was exchanged.
  if (socket instanceof TLSSocket) return socket.getFinished() !== undefined;
  return !socket.connecting;
}
