/**
 * One HTTP/2 connection to a push service: RFC 9113, the part of it that posting needs.
 *
 * Written over a socket rather than with `node:http2`, which spends some 80 us of CPU on
 * each request for objects that nobody here looks at; this takes a quarter or less (docs/performance.md).
 * And what matters most is decided here frame by frame: whether a request can have been
 * processed. A peer that breaks the protocol loses the connection; what was under way on
 * it is then answered as far as it was answered.
 */
import type { Socket } from "node:net";
import type { Connection, ConnectionOwner } from "../connection.ts";
import type { Exchange } from "../exchange.ts";
import { brokeOff, NoConnection } from "../failure.ts";
import { maxHeaderBytes } from "../partial-response.ts";
import { readGoaway, readPing, readReset, readSettings, readWindowUpdate } from "./control-frames.ts";
import { FrameGuard } from "./frame-guard.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import {
  ConnectionError,
  errorCode,
  frameFlag,
  frameType,
  setting,
  withoutPadding,
  type Frame,
} from "./frames.ts";
import { HeaderBlocks, type HeaderList } from "./header-blocks.ts";
import { CompressionError } from "./header-decoder.ts";
import { HeaderEncoder } from "./header-encoder.ts";
import { PeerSettings } from "./peer-settings.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { receiveWindowBytes } from "./stream.ts";
import { Streams } from "./streams.ts";
import { failUnprocessed, isUnprocessed } from "./unprocessed.ts";

/** After such a silence nobody knows whether the connection still stands. */
const silenceMs = 15_000;
const keepIdleMs = 60_000;
/** How long a peer may take to let go of a connection that we have left. */
const lingerMs = 1000;

/** What we ask of the peer: no push, and no more than is read. */
const ourSettings = [
  [setting.enablePush, 0],
  [setting.initialWindowSize, receiveWindowBytes],
  [setting.maxHeaderListSize, maxHeaderBytes],
] as const;

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
  readonly #blocks = new HeaderBlocks();
  readonly #guard = new FrameGuard();
  readonly #peer = new PeerSettings();
  readonly #receiveWindow = new ReceiveWindow();
  readonly #streams: Streams;
  #heardAt = performance.now();
  /** Runs while we wait for a sign of life. */
  #probe: NodeJS.Timeout | undefined;
  #state: "opening" | "open" | "retired" | "closed" = "opening";
  #opened: (error?: Error) => void = () => undefined;

  /** What to do with each type of frame; others are passed over (RFC 9113 §5.5), PRIORITY among them. */
  readonly #takers: Readonly<Record<number, (frame: Frame) => void>> = {
    [frameType.data]: (frame) => {
      this.#takeData(frame);
    },
    [frameType.headers]: (frame) => {
      this.#takeHeaders(this.#blocks.begin(frame));
    },
    [frameType.continuation]: (frame) => {
      this.#takeHeaders(this.#blocks.continue(frame));
    },
    [frameType.rstStream]: (frame) => {
      this.#takeReset(frame);
    },
    [frameType.settings]: (frame) => {
      this.#takeSettings(frame);
    },
    [frameType.ping]: (frame) => {
      this.#takePing(frame);
    },
    [frameType.goaway]: (frame) => {
      this.#takeGoaway(frame);
    },
    [frameType.windowUpdate]: (frame) => {
      this.#takeWindowUpdate(frame);
    },
    [frameType.pushPromise]: () => {
      throw new ConnectionError(errorCode.protocolError, "a push is promised");
    },
  };

  private constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#writer = new FrameWriter(socket);
    this.#streams = new Streams(this.#writer, {
      timeoutMs: owner.limits.timeoutMs,
      ended: () => {
        this.#settleDown();
      },
      unanswered: (sentAt) => {
        // Not a word since that request: whatever else is sent there would be in doubt too.
        if (this.#heardAt < sentAt) this.retire();
      },
    });
    this.#reader = new FrameReader((frame) => {
      this.#take(frame);
    });
    socket.on("data", (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.once("end", () => {
      this.#end(brokeOff);
      socket.destroy();
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
        connection.#end(brokeOff);
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
    if (this.#state !== "open" || this.#probe !== undefined || !this.#socket.writable) return 0;
    return Math.max(0, this.#peer.maxStreams - this.#streams.size);
  }

  get capacity(): number {
    return this.#peer.maxStreams;
  }

  readiness(now: number): "ready" | "checking" | "stale" {
    // A socket is lost a while before it says so: what is written there then never leaves.
    if (this.#state !== "open" || !this.#socket.writable) return "stale";
    if (this.#probe !== undefined) return "checking";
    if (this.#streams.size > 0 || now - this.#heardAt < silenceMs) return "ready";
    this.#writer.ping(Buffer.alloc(8), false);
    this.#probe = setTimeout(() => {
      this.#socket.destroy();
    }, this.#owner.limits.connectTimeoutMs);
    return "checking";
  }

  begin(exchange: Exchange, now: number): void {
    const stream = this.#streams.open(exchange, this.#peer.initialWindow, now);
    this.used = true;
    this.idleSince = undefined;
    this.#writer.headers(stream.id, stream.unsent.length === 0, (out, at) =>
      this.#encoder.encode(exchange, out, at),
    );
    stream.batch = this.#writer.batch;
    this.#streams.sendFlow.send(stream);
    if (this.#streams.isExhausted) this.retire();
  }

  /** Takes no more requests, and closes when those under way have ended. */
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
    const streamsBefore = this.#streams.size;
    const roomBefore = this.room;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof ConnectionError || error instanceof CompressionError)) throw error;
      const code = error instanceof ConnectionError ? error.code : errorCode.compressionError;
      this.#owner.misunderstood();
      this.#leave(code, `HTTP/2 went wrong: ${error.message}`);
    }
    if (this.#streams.size < streamsBefore) this.#guard.progress();
    // Once for all that arrived together.
    if (this.#streams.size < streamsBefore || this.room > roomBefore) this.#settleDown();
  }

  #take(frame: Frame): void {
    if (this.#state === "closed") return;
    this.#guard.assertMayCome(frame);
    this.#blocks.assertMayCome(frame.type);
    this.#takers[frame.type]?.(frame);
  }

  #takeHeaders(list: HeaderList | undefined): void {
    if (list === undefined) return;
    const stream = this.#streams.find(list.streamId);
    if (stream !== undefined) this.#streams.heed(stream, stream.takeHeaders(list.fields, list.isLast));
  }

  #takeData({ flags, streamId, payload }: Frame): void {
    const stream = this.#streams.find(streamId);
    const growth = this.#receiveWindow.take(payload.length);
    if (growth > 0) this.#writer.windowUpdate(0, growth);
    if (stream === undefined) return;
    stream.countReceived(payload.length);
    const isLast = (flags & frameFlag.endStream) !== 0;
    this.#streams.heed(stream, stream.takeData(withoutPadding(flags, payload), isLast));
  }

  #takeReset(frame: Frame): void {
    const code = readReset(frame);
    if (code === errorCode.enhanceYourCalm) this.#owner.overloaded();
    const stream = this.#streams.find(frame.streamId);
    if (stream === undefined) return;
    this.#streams.remove(stream);
    if (!stream.isAnswered && isUnprocessed(code)) failUnprocessed(stream.exchange, code, this.#owner);
    else stream.end("the request was cut off before an answer came");
  }

  #takeSettings(frame: Frame): void {
    const settings = readSettings(frame);
    if (frame.flags & frameFlag.ack) return;
    const windowBefore = this.#peer.initialWindow;
    for (const [id, value] of settings) {
      this.#peer.apply(id, value);
      // Each in its turn: what counts is the smallest, also when a larger one follows (RFC 7541 §4.2).
      if (id === setting.headerTableSize) this.#encoder.limitTable(value);
    }
    this.#writer.settingsAck();
    this.#streams.shiftWindows(this.#peer.initialWindow - windowBefore);
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#opened();
  }

  #takePing(frame: Frame): void {
    const data = readPing(frame);
    if (frame.flags & frameFlag.ack) {
      clearTimeout(this.#probe);
      this.#probe = undefined;
    } else this.#writer.ping(data, true);
  }

  #takeGoaway(frame: Frame): void {
    const { lastId, code } = readGoaway(frame);
    if (code === errorCode.enhanceYourCalm) this.#owner.overloaded();
    this.retire();
    // RFC 9113 §6.8: streams above the last id were not processed; the others may still be answered.
    for (const stream of this.#streams.above(lastId)) {
      this.#streams.remove(stream);
      if (stream.isAnswered) stream.end("");
      else failUnprocessed(stream.exchange, code, this.#owner);
    }
  }

  #takeWindowUpdate(frame: Frame): void {
    const bytes = readWindowUpdate(frame);
    const stream = frame.streamId === 0 ? undefined : this.#streams.find(frame.streamId);
    if (frame.streamId === 0) this.#streams.sendFlow.widen(bytes);
    else if (stream !== undefined) this.#streams.sendFlow.widenStream(stream, bytes);
  }

  /** Streams have ended, or more may begin. */
  #settleDown(): void {
    if (this.#state === "closed") return;
    if (this.#streams.size === 0) this.idleSince ??= performance.now();
    if (this.#state === "retired" && this.#streams.size === 0) this.close();
    else this.#owner.freed(this);
  }

  /** Says goodbye and closes. */
  #leave(code: number, why: string): void {
    if (this.#state === "closed") return;
    this.#writer.goaway(code);
    this.#writer.flush();
    this.#end(why);
    const linger = setTimeout(() => {
      this.#socket.destroy();
    }, lingerMs);
    this.#socket.once("close", () => {
      clearTimeout(linger);
    });
    this.#socket.destroySoon();
  }

  #end(why: string): void {
    if (this.#state === "closed") return;
    const wasOpening = this.#state === "opening";
    this.#state = "closed";
    clearTimeout(this.#probe);
    for (const stream of this.#streams.from(this.#writer.batch)) {
      this.#streams.remove(stream);
      failUnprocessed(stream.exchange, errorCode.noError, this.#owner);
    }
    this.#streams.endAll(why);
    if (wasOpening) this.#opened(new NoConnection(why === brokeOff ? "connection closed at once" : why));
    else this.#owner.closed(this);
  }
}
