/**
 * One request on its way, and its one answer.
 *
 * Whoever has an exchange in hand (the queue of an origin, a stream, a connection) is
 * its holder. It ends exactly once: with a response, or with a failure that tells
 * whether the request can have been processed. What happens afterwards is of no interest.
 */
import type { PushResponse, TransportFailure } from "../protocol/delivery.ts";
import type { PushRequest } from "../protocol/message.ts";

/** How an exchange ends. */
export type Answer = PushResponse | TransportFailure;

/** Who has an exchange in hand and can be asked to let go of it. */
export interface Holder {
  /** The caller does not want to wait any longer. The holder settles the exchange. */
  giveUp(exchange: Exchange): void;
}

/** How long things may take. */
export interface ExchangeLimits {
  /** Until there is a connection that can carry requests, TLS included. */
  readonly connectTimeoutMs: number;
  /** From the moment a request is on the wire, the body of the answer included. */
  readonly timeoutMs: number;
}

/** A request, the place it goes to, and who waits for the answer. */
export class Exchange {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Path and query, byte for byte as in the endpoint. */
  readonly path: string;
  /** The service as `host` or `host:port`: the authority of the request, and its name for people. */
  readonly host: string;
  holder: Holder | undefined = undefined;
  /** When to stop waiting for the answer, by `performance.now()`; set when it is on the wire. */
  deadlineAt = 0;
  /** It was moved once from a connection that was being closed, unprocessed. */
  moved = false;
  #settled = false;
  readonly #settle: (answer: Answer) => void;

  constructor(
    { headers, body }: PushRequest,
    to: { readonly host: string; readonly path: string },
    settle: (answer: Answer) => void,
  ) {
    this.headers = headers;
    this.body = body;
    this.path = to.path;
    this.host = to.host;
    this.#settle = settle;
  }

  /** Ends the exchange. Only the first end counts. */
  settle(answer: Answer): void {
    if (this.#settled) return;
    this.#settled = true;
    this.holder = undefined;
    this.#settle(answer);
  }

  /** Ends the exchange without an answer. */
  fail(kind: TransportFailure["kind"], why: string): void {
    this.settle({ kind, message: `${this.host}: ${why}` });
  }
}
