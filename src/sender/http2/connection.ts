/**
 * One HTTP/2 connection to a push service: RFC 9113, the part of it that posting needs.
 *
 * Written over a socket rather than with `node:http2`, which spends some 100 us of CPU on
 * each request for objects that nobody here looks at; this takes a tenth (docs/performance.md).
 * And what matters most is decided here frame by frame: whether a request can have been
 * processed. A peer that breaks the protocol loses the connection; what was under way on
 * it is then answered as far as it was answered.
 */
import type { Socket } from "node:net";
import type { Connection, ConnectionOwner } from "../connection.ts";
import { DeadlineTimer } from "../deadline-timer.ts";
import type { Exchange } from "../exchange.ts";
import { brokeOff, NoConnection } from "../failure.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import {
  ConnectionError,
  errorCode,
  frameFlag,
  frameType,
  maxPayloadBytes,
  setting,
  type Frame,
} from "./frames.ts";
import { CompressionError, HeaderDecoder } from "./header-decoder.ts";
import { HeaderEncoder } from "./header-encoder.ts";
import { PeerSettings, readSettings, widened } from "./peer-settings.ts";
import { receiveWindowBytes, Stream } from "./stream.ts";
import { maxHeaderBytes } from "../partial-response.ts";

/** What one header block may take on the wire, continuations included. */
const maxBlockBytes = 65_536;
/** The window of the whole connection (RFC 9113 §6.9.2), and when it is opened again. */
const connectionWindowBytes = 65_535;
const refillBytes = connectionWindowBytes / 2;
/** Frames that get no request further: beyond this many in a row somebody only keeps us busy. */
const maxIdleFrames = 10_000;
/** After such a silence nobody knows whether the connection still stands. */
const silenceMs = 15_000;
const keepIdleMs = 60_000;
const lingerMs = 1000;
const lastStreamId = 2 ** 31 - 1;

/** What we ask of the peer: no push, and no more than is read. */
const ourSettings = [
  [setting.enablePush, 0],
  [setting.initialWindowSize, receiveWindowBytes],
  [setting.maxHeaderListSize, maxHeaderBytes],
] as const;

/** A header block whose end has not come. */
interface OpenBlock {
  readonly streamId: number;
  readonly isLast: boolean;
  readonly pieces: Buffer[];
  bytes: number;
}

export class Http2Connection implements Connection {
  readonly protocol = "h2";
  readonly keepIdleMs = keepIdleMs;
  used = false;
  idleSince: number | undefined = performance.now();
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  readonly #encoder = new HeaderEncoder();
  readonly #decoder = new HeaderDecoder();
  readonly #peer = new PeerSettings();
  /** In the order in which they began, which is that of their deadlines. */
  readonly #streams = new Map<number, Stream>();
  /** Those with a body that the peer does not let us send yet. */
  readonly #blocked = new Set<Stream>();
  readonly #deadlines = new DeadlineTimer((now) => this.#expire(now));
  #nextId = 1;
  #sendWindow = connectionWindowBytes;
  #receiveWindow = connectionWindowBytes;
  #block: OpenBlock | undefined;
  #idleFrames = 0;
  #heardAt = performance.now();
  #probe: NodeJS.Timeout | undefined;
  #state: "opening" | "open" | "retired" | "closed" = "opening";
  #opened: (error?: Error) => void = () => undefined;

  private constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#writer = new FrameWriter(socket);
    this.#reader = new FrameReader((frame) => {
      this.#take(frame);
    });
    socket.on("data", (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.once("close", () => {
      this.#end(brokeOff);
    });
    this.#writer.preface(ourSettings);
  }

  /**
   * Begins to speak HTTP/2. No request is sent before the peer's settings have come: until then it may
   * turn out to speak something else, or to allow fewer streams, and requests on the wire would be in doubt.
   */
  static open(socket: Socket, owner: ConnectionOwner, signal: AbortSignal): Promise<Http2Connection> {
    return new Promise((resolve, reject) => {
      const connection = new Http2Connection(socket, owner);
      const stop = (): void => {
        connection.#end("");
        socket.destroy();
      };
      connection.#opened = (error) => {
        signal.removeEventListener("abort", stop);
        if (error === undefined) resolve(connection);
        else reject(signal.aborted ? (signal.reason as Error) : error);
      };
      signal.addEventListener("abort", stop);
      if (socket.destroyed || signal.aborted) stop();
    });
  }

  get room(): number {
    if (this.#state !== "open" || this.#probe !== undefined) return 0;
    return Math.max(0, this.#peer.maxStreams - this.#streams.size);
  }

  get capacity(): number {
    return this.#state === "open" ? this.#peer.maxStreams : 0;
  }

  readiness(now: number): "ready" | "checking" | "stale" {
    if (this.#state !== "open") return "stale";
    if (this.#probe !== undefined) return "checking";
    if (this.#streams.size > 0 || now - this.#heardAt < silenceMs) return "ready";
    this.#writer.ping(Buffer.alloc(8), false);
    this.#probe = setTimeout(() => {
      this.#socket.destroy();
    }, this.#owner.limits.connectTimeoutMs);
    return "checking";
  }

  begin(exchange: Exchange, now: number): void {
    const stream = new Stream(this.#nextId, exchange, this.#peer.initialWindow, this.#abandon);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    this.used = true;
    this.idleSince = undefined;
    exchange.deadlineAt = now + this.#owner.limits.timeoutMs;
    this.#deadlines.expect(exchange.deadlineAt);
    this.#writer.headers(stream.id, stream.unsent.length === 0, (out, at) =>
      this.#encoder.encode(exchange, out, at),
    );
    this.#sendBody(stream);
    if (this.#nextId > lastStreamId) this.retire();
  }

  retire(): void {
    if (this.#state !== "open") return;
    this.#state = "retired";
    this.#owner.retired(this);
    if (this.#streams.size === 0) this.close();
  }

  close(): void {
    this.#leave(errorCode.noError, brokeOff);
  }

  #receive(chunk: Buffer): void {
    if (this.#state === "closed") return;
    this.#heardAt = performance.now();
    const before = this.#streams.size;
    const roomBefore = this.room;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (error instanceof ConnectionError) this.#leave(error.code, `HTTP/2 went wrong: ${error.message}`);
      else if (error instanceof CompressionError)
        this.#leave(errorCode.compressionError, `HTTP/2 went wrong: ${error.message}`);
      else throw error;
    }
    if (this.#streams.size < before || this.room > roomBefore) this.#settleDown();
  }

  /** Streams have ended, or more may begin. */
  #settleDown(): void {
    if (this.#state === "closed") return;
    if (this.#streams.size === 0) this.idleSince ??= performance.now();
    if (this.#state === "retired" && this.#streams.size === 0) this.close();
    else this.#owner.freed(this);
  }

  #take(frame: Frame): void {
    if (this.#state === "closed") return;
    if (this.#state === "opening" && (frame.type !== frameType.settings || frame.flags & frameFlag.ack))
      throw new ConnectionError(errorCode.protocolError, "it does not begin with settings");
    if (this.#block !== undefined && frame.type !== frameType.continuation)
      throw new ConnectionError(errorCode.protocolError, "a header block is interrupted");
    this.#idleFrames += 1;
    if (this.#idleFrames > maxIdleFrames)
      throw new ConnectionError(errorCode.enhanceYourCalm, "there are frames without end");
    switch (frame.type) {
      case frameType.headers:
        this.#takeHeaders(frame);
        return;
      case frameType.continuation:
        this.#takeContinuation(frame);
        return;
      case frameType.data:
        this.#takeData(frame);
        return;
      case frameType.rstStream:
        this.#takeReset(frame);
        return;
      case frameType.settings:
        this.#takeSettings(frame);
        return;
      case frameType.ping:
        this.#takePing(frame);
        return;
      case frameType.goaway:
        this.#takeGoaway(frame);
        return;
      case frameType.windowUpdate:
        this.#takeWindowUpdate(frame);
        return;
      case frameType.pushPromise:
        throw new ConnectionError(errorCode.protocolError, "a push is promised");
      default: // RFC 9113 §5.5: PRIORITY, and what is not known, is passed over
    }
  }

  #takeHeaders({ flags, streamId, payload }: Frame): void {
    let block = withoutPadding(flags, payload);
    if (flags & frameFlag.priority) block = block.subarray(5);
    this.#block = { streamId, isLast: (flags & frameFlag.endStream) !== 0, pieces: [], bytes: 0 };
    this.#growBlock(this.#block, flags, block);
  }

  #takeContinuation({ flags, streamId, payload }: Frame): void {
    if (this.#block?.streamId !== streamId)
      throw new ConnectionError(errorCode.protocolError, "a continuation continues nothing");
    this.#growBlock(this.#block, flags, payload);
  }

  #growBlock(block: OpenBlock, flags: number, piece: Buffer): void {
    block.pieces.push(piece);
    block.bytes += piece.length;
    if (block.bytes > maxBlockBytes)
      throw new ConnectionError(errorCode.enhanceYourCalm, "a header block has no end");
    if (!(flags & frameFlag.endHeaders)) return;
    this.#block = undefined;
    // Also for a stream that is closed: the block may change the table.
    const fields = this.#decoder.decode(block.pieces.length === 1 ? piece : Buffer.concat(block.pieces));
    const stream = this.#streamOf(block.streamId);
    if (stream !== undefined) this.#heed(stream, stream.takeHeaders(fields, block.isLast));
  }

  #takeData({ flags, streamId, payload }: Frame): void {
    const stream = this.#streamOf(streamId);
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0 || stream?.isWithinWindow(payload.length) === false)
      throw new ConnectionError(errorCode.flowControlError, "more is sent than was allowed");
    if (this.#receiveWindow < refillBytes) {
      this.#writer.windowUpdate(0, connectionWindowBytes - this.#receiveWindow);
      this.#receiveWindow = connectionWindowBytes;
    }
    const chunk = withoutPadding(flags, payload);
    if (stream !== undefined) this.#heed(stream, stream.takeData(chunk, (flags & frameFlag.endStream) !== 0));
  }

  /** The open stream, `undefined` for one that is closed. */
  #streamOf(streamId: number): Stream | undefined {
    const stream = this.#streams.get(streamId);
    if (stream === undefined && (streamId % 2 === 0 || streamId >= this.#nextId))
      throw new ConnectionError(errorCode.protocolError, "a stream is used that nobody opened");
    return stream;
  }

  #heed(stream: Stream, verdict: ReturnType<Stream["takeData"]>): void {
    switch (verdict) {
      case "more":
        return;
      case "done":
        // RFC 9113 §8.1: an answer may come before the request is sent whole.
        this.#remove(stream, stream.unsent.length > 0 ? errorCode.cancel : undefined);
        stream.end("");
        return;
      case "enough":
        this.#remove(stream, errorCode.cancel);
        stream.end("");
        return;
      case "malformed":
        this.#remove(stream, errorCode.protocolError);
        stream.end("the answer is not valid HTTP");
        return;
      default:
        verdict satisfies never;
    }
  }

  #takeReset({ streamId, payload }: Frame): void {
    if (payload.length !== 4) throw new ConnectionError(errorCode.frameSizeError, "a reset is cut short");
    const stream = this.#streamOf(streamId);
    if (stream === undefined) return;
    this.#remove(stream, undefined);
    const code = payload.readUInt32BE(0);
    if (stream.isAnswered) stream.end("");
    else if (code === errorCode.refusedStream)
      stream.exchange.fail("refused-stream", "the request was refused");
    else if (code === errorCode.enhanceYourCalm) stream.exchange.fail("calm", askedForCalm);
    else if (code === errorCode.http11Required) this.#owner.wantsHttp1(stream.exchange);
    else stream.end("the request was cut off before an answer came");
  }

  #takeSettings({ flags, streamId, payload }: Frame): void {
    if (streamId !== 0) throw new ConnectionError(errorCode.protocolError, "settings are for a stream");
    if (flags & frameFlag.ack) return;
    const windowBefore = this.#peer.initialWindow;
    for (const [id, value] of readSettings(payload)) this.#peer.apply(id, value);
    this.#encoder.limitTable(this.#peer.headerTableBytes);
    const growth = this.#peer.initialWindow - windowBefore;
    for (const stream of this.#streams.values()) stream.sendWindow += growth; // RFC 9113 §6.9.2
    this.#writer.settingsAck();
    if (growth > 0) this.#sendBlocked();
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#opened();
  }

  #takePing({ flags, streamId, payload }: Frame): void {
    if (payload.length !== 8 || streamId !== 0)
      throw new ConnectionError(errorCode.frameSizeError, "a ping is malformed");
    if (!(flags & frameFlag.ack)) {
      this.#writer.ping(payload, true);
      return;
    }
    clearTimeout(this.#probe);
    this.#probe = undefined;
  }

  #takeGoaway({ payload, streamId }: Frame): void {
    if (payload.length < 8 || streamId !== 0)
      throw new ConnectionError(errorCode.frameSizeError, "a goodbye is malformed");
    const lastId = payload.readUInt32BE(0) & 0x7fff_ffff;
    const code = payload.readUInt32BE(4);
    this.retire();
    // RFC 9113 §6.8: streams above the last id were not processed; the others may still be answered.
    for (const stream of [...this.#streams.values()].filter(({ id }) => id > lastId)) {
      this.#remove(stream, undefined);
      this.#passOn(stream, code);
    }
  }

  /** Decides about a request that a connection did not take any more. */
  #passOn(stream: Stream, code: number): void {
    const { exchange } = stream;
    if (stream.isAnswered) stream.end("");
    else if (code === errorCode.http11Required) this.#owner.wantsHttp1(exchange);
    else if (code === errorCode.enhanceYourCalm) exchange.fail("calm", askedForCalm);
    else if (code === errorCode.noError && !exchange.moved) {
      // Servers close a connection after so many requests; that is no reason to trouble anybody. Once:
      // one that closes each new connection has something else to say.
      exchange.moved = true;
      this.#owner.unprocessed(exchange);
    } else exchange.fail("refused-stream", "the connection was closed before the request was looked at");
  }

  #takeWindowUpdate({ streamId, payload }: Frame): void {
    if (payload.length !== 4)
      throw new ConnectionError(errorCode.frameSizeError, "a window update is cut short");
    const bytes = payload.readUInt32BE(0) & 0x7fff_ffff;
    if (streamId === 0) {
      this.#sendWindow = widened(this.#sendWindow, bytes);
      this.#sendBlocked();
      return;
    }
    const stream = this.#streamOf(streamId);
    if (stream === undefined) return;
    stream.sendWindow = widened(stream.sendWindow, bytes);
    if (stream.unsent.length > 0) this.#sendBody(stream);
  }

  #sendBlocked(): void {
    for (const stream of this.#blocked) this.#sendBody(stream);
  }

  #sendBody(stream: Stream): void {
    while (stream.unsent.length > 0) {
      const bytes = Math.min(stream.unsent.length, maxPayloadBytes, this.#sendWindow, stream.sendWindow);
      if (bytes <= 0) {
        this.#blocked.add(stream);
        return;
      }
      const part = stream.takeUnsent(bytes);
      this.#sendWindow -= bytes;
      this.#writer.data(stream.id, stream.unsent.length === 0, part);
    }
    this.#blocked.delete(stream);
  }

  #remove(stream: Stream, resetWith: number | undefined): void {
    this.#idleFrames = 0;
    this.#streams.delete(stream.id);
    this.#blocked.delete(stream);
    if (resetWith !== undefined) this.#writer.resetStream(stream.id, resetWith);
  }

  readonly #abandon = (stream: Stream): void => {
    this.#remove(stream, errorCode.cancel);
    stream.end(
      stream.unsent.length > 0
        ? "stopped before the request was sent"
        : "stopped while waiting for an answer",
    );
    this.#settleDown();
  };

  /** Ends what is due, and returns the next deadline. */
  #expire(now: number): number | undefined {
    const { timeoutMs } = this.#owner.limits;
    let isDead = false;
    for (const stream of this.#streams.values()) {
      const { deadlineAt } = stream.exchange;
      if (deadlineAt > now) break;
      isDead ||= this.#heardAt < deadlineAt - timeoutMs;
      this.#remove(stream, errorCode.cancel);
      stream.end(
        `${stream.unsent.length > 0 ? "the request was not taken" : "no answer"} within ${timeoutMs} ms`,
      );
    }
    // Not a word since before the request: whatever else is sent there would be in doubt too.
    if (isDead) this.retire();
    this.#settleDown();
    const [next] = this.#streams.values();
    return next?.exchange.deadlineAt;
  }

  /** Says goodbye and closes. */
  #leave(code: number, why: string): void {
    if (this.#state === "closed") return;
    this.#writer.goaway(code);
    this.#writer.flush();
    this.#end(why);
    this.#socket.setTimeout(lingerMs, () => {
      this.#socket.destroy();
    });
    this.#socket.destroySoon();
  }

  #end(why: string): void {
    if (this.#state === "closed") return;
    const wasOpening = this.#state === "opening";
    this.#state = "closed";
    this.#deadlines.stop();
    clearTimeout(this.#probe);
    for (const stream of this.#streams.values()) stream.end(why);
    this.#streams.clear();
    this.#blocked.clear();
    if (wasOpening) this.#opened(new NoConnection(why === brokeOff ? "connection closed at once" : why));
    else this.#owner.closed(this);
  }
}

const askedForCalm = "the service asks for calm";

function withoutPadding(flags: number, payload: Buffer): Buffer {
  if (!(flags & frameFlag.padded)) return payload;
  const padding = payload[0] ?? 0;
  if (padding >= payload.length)
    throw new ConnectionError(errorCode.protocolError, "there is more padding than frame");
  return payload.subarray(1, payload.length - padding);
}
