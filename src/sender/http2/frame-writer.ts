/**
 * Frames -> bytes, as few writes as possible.
 *
 * All that one turn of the event loop produces leaves in one write: one TLS record and
 * one system call for dozens of requests. That, and that nothing is made per request
 * but its bytes, is most of what makes this faster than `node:http2` (docs/performance.md).
 */
import type { Socket } from "node:net";
import { clientPreface, frameFlag, frameHeaderBytes, frameType, maxPayloadBytes } from "./frames.ts";

const bufferBytes = 65_536;

/** Writes the frames of one connection. */
export class FrameWriter {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #length = 0;
  #scheduled = false;
  #batch = 0;
  /** A buffer that the socket has done with. */
  #spare: Buffer | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** The client's preface: what comes before all else (RFC 9113 §3.4). */
  preface(settings: readonly (readonly [id: number, value: number])[]): void {
    this.#reserve(clientPreface.length);
    this.#length += clientPreface.copy(this.#buffer, this.#length);
    this.#head(settings.length * 6, frameType.settings, 0, 0);
    for (const [id, value] of settings) {
      this.#length = this.#buffer.writeUInt16BE(id, this.#length);
      this.#length = this.#buffer.writeUInt32BE(value, this.#length);
    }
  }

  /** Agrees to the peer's settings. */
  settingsAck(): void {
    this.#head(0, frameType.settings, frameFlag.ack, 0);
  }

  /** Asks for a sign of life, or gives one. `data` are eight bytes. */
  ping(data: Uint8Array, isAck: boolean): void {
    this.#head(8, frameType.ping, isAck ? frameFlag.ack : 0, 0);
    this.#bytes(data);
  }

  /** Says that no more will be asked, or what the peer did wrong. We are sent no streams, so the last id is 0. */
  goaway(code: number): void {
    this.#head(8, frameType.goaway, 0, 0);
    this.#length = this.#buffer.writeUInt32BE(0, this.#length);
    this.#length = this.#buffer.writeUInt32BE(code, this.#length);
  }

  /** Ends one stream. */
  resetStream(streamId: number, code: number): void {
    this.#head(4, frameType.rstStream, 0, streamId);
    this.#length = this.#buffer.writeUInt32BE(code, this.#length);
  }

  /** Lets the peer send more; 0 stands for the connection. */
  windowUpdate(streamId: number, bytes: number): void {
    this.#head(4, frameType.windowUpdate, 0, streamId);
    this.#length = this.#buffer.writeUInt32BE(bytes, this.#length);
  }

  /** Begins a request. `write` puts the header block at the place it is given and returns its end. */
  headers(streamId: number, isLast: boolean, write: (out: Buffer, at: number) => number): void {
    this.#reserve(frameHeaderBytes + maxPayloadBytes);
    const start = this.#length;
    const end = write(this.#buffer, start + frameHeaderBytes);
    const flags = frameFlag.endHeaders | (isLast ? frameFlag.endStream : 0);
    this.#head(end - start - frameHeaderBytes, frameType.headers, flags, streamId);
    this.#length = end;
  }

  /** A part of a request's body, at most `maxPayloadBytes`. */
  data(streamId: number, isLast: boolean, bytes: Uint8Array): void {
    this.#head(bytes.length, frameType.data, isLast ? frameFlag.endStream : 0, streamId);
    this.#bytes(bytes);
  }

  /** The number of the batch that is written now; those before it are with the socket. */
  get batch(): number {
    return this.#batch;
  }

  /** Hands everything to the socket now; drops it when nothing leaves there any more. */
  flush(): void {
    if (this.#length === 0) return;
    if (!this.#socket.writable) {
      this.#length = 0;
      return;
    }
    this.#batch += 1;
    const buffer = this.#buffer;
    this.#socket.write(buffer.subarray(0, this.#length), () => {
      this.#spare = buffer;
    });
    this.#buffer = this.#spare ?? Buffer.allocUnsafeSlow(bufferBytes);
    this.#spare = undefined;
    this.#length = 0;
  }

  #bytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #head(payloadBytes: number, type: number, flags: number, streamId: number): void {
    this.#reserve(frameHeaderBytes + payloadBytes);
    const buffer = this.#buffer;
    let at = this.#length;
    at = buffer.writeUIntBE(payloadBytes, at, 3);
    buffer[at++] = type;
    buffer[at++] = flags;
    this.#length = buffer.writeUInt32BE(streamId, at);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > bufferBytes) this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}
