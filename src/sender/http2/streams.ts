/**
 * The requests under way on one connection: RFC 9113 §5.1.
 */
import { DeadlineTimer } from "../deadline-timer.ts";
import type { Exchange } from "../exchange.ts";
import type { Verdict } from "../partial-response.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { ConnectionError, errorCode } from "./frames.ts";
import { SendFlow } from "./send-flow.ts";
import { Stream } from "./stream.ts";

const lastStreamId = 2 ** 31 - 1;

/** What the streams tell their connection. */
interface StreamsOwner {
  /** How long a request may take. */
  readonly timeoutMs: number;
  /** Streams have ended, for another reason than what was received. */
  ended(): void;
  /** A request sent at this time, by `performance.now()`, was not answered in its time. */
  unanswered(sentAt: number): void;
}

/** All streams of one connection. */
export class Streams {
  readonly sendFlow: SendFlow;
  readonly #writer: FrameWriter;
  readonly #owner: StreamsOwner;
  /** In the order in which they began, which is that of their deadlines. */
  readonly #open = new Map<number, Stream>();
  readonly #deadlines = new DeadlineTimer((now) => this.#expire(now));
  #nextId = 1;

  constructor(writer: FrameWriter, owner: StreamsOwner) {
    this.#writer = writer;
    this.#owner = owner;
    this.sendFlow = new SendFlow(writer);
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** No further stream can be opened: identifiers are not used twice (§5.1.1). */
  get isExhausted(): boolean {
    return this.#nextId > lastStreamId;
  }

  /** Opens the stream of a request. `sendWindow` is how much of a body the peer takes on it. */
  open(exchange: Exchange, sendWindow: number, now: number): Stream {
    const stream = new Stream(this.#nextId, exchange, sendWindow, this.#abandon);
    this.#nextId += 2;
    this.#open.set(stream.id, stream);
    exchange.deadlineAt = now + this.#owner.timeoutMs;
    this.#deadlines.expect(exchange.deadlineAt);
    return stream;
  }

  /**
   * The open stream, `undefined` for one that is closed.
   *
   * @throws ConnectionError for one that was never opened
   */
  find(streamId: number): Stream | undefined {
    const stream = this.#open.get(streamId);
    if (stream === undefined && (streamId % 2 === 0 || streamId >= this.#nextId))
      throw new ConnectionError(errorCode.protocolError, "a stream is used that nobody opened");
    return stream;
  }

  /** Those that were opened after this one. */
  above(streamId: number): readonly Stream[] {
    return [...this.#open.values()].filter(({ id }) => id > streamId);
  }

  /** Those of which not a byte has left, when this batch of the writer has not. */
  from(batch: number): readonly Stream[] {
    return [...this.#open.values()].filter((stream) => stream.batch >= batch);
  }

  /** The peer changed by how much each stream may send, below 0 too (§6.9.2). */
  shiftWindows(bytes: number): void {
    for (const stream of this.#open.values()) stream.sendWindow += bytes;
    if (bytes > 0) this.sendFlow.sendBlocked();
  }

  /** Acts upon what a stream makes of what arrived. */
  heed(stream: Stream, verdict: Verdict): void {
    switch (verdict) {
      case "more":
        return;
      case "done":
        // §8.1: an answer may come before the request is sent whole.
        this.remove(stream, stream.unsent.length > 0 ? errorCode.cancel : undefined);
        break;
      case "enough":
        this.remove(stream, errorCode.cancel);
        break;
      case "malformed":
        this.remove(stream, errorCode.protocolError);
        break;
      default:
        verdict satisfies never;
    }
    stream.end("the answer is not valid HTTP");
  }

  /** Takes a stream away; with a code, the peer is told. The caller settles its exchange. */
  remove(stream: Stream, resetWith?: number): void {
    this.#open.delete(stream.id);
    this.sendFlow.forget(stream);
    if (resetWith !== undefined) this.#writer.resetStream(stream.id, resetWith);
  }

  /** Ends all, as far as they have come. */
  endAll(why: string): void {
    this.#deadlines.stop();
    for (const stream of this.#open.values()) stream.end(why);
    this.#open.clear();
  }

  readonly #abandon = (stream: Stream): void => {
    this.remove(stream, errorCode.cancel);
    stream.end(
      stream.unsent.length > 0
        ? "stopped before the request was sent"
        : "stopped while waiting for an answer",
    );
    this.#owner.ended();
  };

  /** Ends what is due, and returns the next deadline. */
  #expire(now: number): number | undefined {
    const { timeoutMs } = this.#owner;
    for (const stream of this.#open.values()) {
      const { deadlineAt } = stream.exchange;
      if (deadlineAt > now) break;
      this.remove(stream, errorCode.cancel);
      const what = stream.unsent.length > 0 ? "the request was not taken" : "no answer";
      stream.end(`${what} within ${timeoutMs} ms`);
      this.#owner.unanswered(deadlineAt - timeoutMs);
    }
    this.#owner.ended();
    const [next] = this.#open.values();
    return next?.exchange.deadlineAt;
  }
}
