/**
 * Bytes as they arrive -> frames.
 */
import { ConnectionError, errorCode, frameHeaderBytes, maxPayloadBytes, type Frame } from "./frames.ts";

/** Cuts what one connection receives into frames. */
export class FrameReader {
  readonly #take: (frame: Frame) => void;
  /** The beginning of a frame whose end has not come. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  #needed = frameHeaderBytes;

  constructor(take: (frame: Frame) => void) {
    this.#take = take;
  }

  /**
   * Takes the next bytes and hands on each frame that is complete with them.
   *
   * @throws ConnectionError for a frame larger than agreed, and what the taker throws
   */
  push(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
    // Joined only when they make up a frame: a peer that sends single bytes costs no more for it.
    if (this.#bytes < this.#needed) return;
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces);
    const rest = bytes.subarray(this.#cut(bytes));
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
  }

  /** Hands on the whole frames, and returns where they end. */
  #cut(bytes: Buffer): number {
    let at = 0;
    for (;;) {
      this.#needed = frameHeaderBytes;
      if (bytes.length - at < frameHeaderBytes) return at;
      const length = bytes.readUIntBE(at, 3);
      if (length > maxPayloadBytes)
        throw new ConnectionError(errorCode.frameSizeError, "a frame is too large");
      const end = at + frameHeaderBytes + length;
      if (end > bytes.length) {
        this.#needed = frameHeaderBytes + length;
        return at;
      }
      this.#take({
        type: bytes[at + 3] ?? 0,
        flags: bytes[at + 4] ?? 0,
        streamId: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: bytes.subarray(at + frameHeaderBytes, end),
      });
      at = end;
    }
  }
}
