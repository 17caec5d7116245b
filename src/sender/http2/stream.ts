/**
 * One request and its answer over HTTP/2: RFC 9113 §8.1.
 */
import type { Exchange, Holder } from "../exchange.ts";
import {
  addField,
  maxHeaderBytes,
  maxHeaderCount,
  maxInterimAnswers,
  PartialResponse,
  type Verdict,
} from "../partial-response.ts";
import { ConnectionError, errorCode } from "./frames.ts";
import type { Field } from "./static-table.ts";

/** What we let a peer send on one stream: more than is ever read, so it never waits for us. */
export const receiveWindowBytes = 16_384;

const nothing = new Uint8Array();

/** A request under way. */
export class Stream implements Holder {
  readonly id: number;
  readonly exchange: Exchange;
  /** How much the peer takes on this stream; below 0 when it changed its mind (RFC 9113 §6.9.2). */
  sendWindow: number;
  /** What of the request's body has not been sent. */
  unsent: Uint8Array;
  /** The writer's batch with which the request begins to leave. */
  batch = 0;
  readonly #stopped: (stream: Stream) => void;
  #receiveWindow = receiveWindowBytes;
  #interimAnswers = 0;
  #response: PartialResponse | undefined;

  /** `stopped` is told when the exchange is given up. */
  constructor(id: number, exchange: Exchange, sendWindow: number, stopped: (stream: Stream) => void) {
    this.id = id;
    this.exchange = exchange;
    this.sendWindow = sendWindow;
    this.unsent = exchange.body;
    this.#stopped = stopped;
    exchange.holder = this;
  }

  giveUp(): void {
    this.#stopped(this);
  }

  /** Takes the next part of the body off, at most `bytes` of it. */
  takeUnsent(bytes: number): Uint8Array {
    const part = bytes === this.unsent.length ? this.unsent : this.unsent.subarray(0, bytes);
    this.unsent = bytes === this.unsent.length ? nothing : this.unsent.subarray(bytes);
    this.sendWindow -= part.length;
    return part;
  }

  takeHeaders(fields: readonly Field[], isLast: boolean): Verdict {
    // Trailers, which nobody reads.
    if (this.#response !== undefined) return isLast ? "done" : "enough";
    const status = statusOf(fields);
    if (status === undefined || status === 101) return "malformed"; // RFC 9113 §8.6: nothing is upgraded
    if (status < 200) {
      this.#interimAnswers += 1;
      return isLast || this.#interimAnswers > maxInterimAnswers ? "malformed" : "more";
    }
    const headers = headersOf(fields);
    if (headers === undefined) return "malformed";
    this.#response = new PartialResponse(status, headers);
    return isLast ? "done" : "more";
  }

  takeData(chunk: Buffer, isLast: boolean): Verdict {
    if (this.#response === undefined) return "malformed";
    if (chunk.length > 0 && !this.#response.append(chunk)) return "enough";
    return isLast ? "done" : "more";
  }

  /**
   * Counts what arrived, padding too.
   *
   * @throws ConnectionError when the peer sent more than it may
   */
  countReceived(bytes: number): void {
    this.#receiveWindow -= bytes;
    if (this.#receiveWindow >= 0) return;
    throw new ConnectionError(errorCode.flowControlError, "more is sent than was allowed");
  }

  /** Whether the status is known, and so the outcome. */
  get isAnswered(): boolean {
    return this.#response !== undefined;
  }

  /**
   * Settles the exchange with what there is. Without an answer it is unknown whether the request was
   * processed, unless a part of it never left.
   */
  end(why: string): void {
    if (this.#response !== undefined) this.exchange.settle(this.#response.finish());
    else this.exchange.fail(this.unsent.length > 0 ? "connect" : "ambiguous", why);
  }
}

/** The status, when the block begins with one and with no other pseudo-header (RFC 9113 §8.3.2). */
function statusOf([first]: readonly Field[]): number | undefined {
  return first?.name === ":status" && /^[1-9]\d\d$/.test(first.value) ? Number(first.value) : undefined;
}

function headersOf([, ...fields]: readonly Field[]): ReadonlyMap<string, string> | undefined {
  if (fields.length > maxHeaderCount) return undefined;
  const headers = new Map<string, string>();
  let bytes = 0;
  for (const { name, value, isFit } of fields) {
    bytes += name.length + value.length;
    if (!isFit || bytes > maxHeaderBytes) return undefined;
    addField(headers, name, value);
  }
  return headers;
}
