/**
 * HEADERS and their CONTINUATIONs -> header lists: RFC 9113 §4.3 and §6.10.
 */
import { ConnectionError, errorCode, frameFlag, frameType, withoutPadding, type Frame } from "./frames.ts";
import { HeaderDecoder } from "./header-decoder.ts";
import type { Field } from "./static-table.ts";

/** What one block may take on the wire, continuations included: a peer could go on for ever. */
const maxBlockBytes = 65_536;
/** The stream a block depends on, and its weight (RFC 9113 §6.2). */
const priorityBytes = 5;

/** A header list and the stream it belongs to. */
export interface HeaderList {
  readonly streamId: number;
  /** Nothing comes after it on the stream. */
  readonly isLast: boolean;
  readonly fields: readonly Field[];
}

/** A block whose end has not come. */
interface OpenBlock {
  readonly streamId: number;
  readonly isLast: boolean;
  readonly pieces: Buffer[];
  bytes: number;
}

/** Puts the header blocks of one connection together and reads them. */
export class HeaderBlocks {
  readonly #decoder = new HeaderDecoder();
  #open: OpenBlock | undefined;

  /** @throws ConnectionError when a frame comes where only a continuation may */
  assertMayCome(type: number): void {
    if ((this.#open === undefined) === (type !== frameType.continuation)) return;
    throw new ConnectionError(
      errorCode.protocolError,
      "a header block is interrupted, or continued without one",
    );
  }

  /**
   * Takes the first frame of a block; returns the list when it is the last one too.
   *
   * @throws ConnectionError, CompressionError
   */
  begin({ flags, streamId, payload }: Frame): HeaderList | undefined {
    let piece = withoutPadding(flags, payload);
    if (flags & frameFlag.priority) piece = piece.subarray(priorityBytes);
    this.#open = { streamId, isLast: (flags & frameFlag.endStream) !== 0, pieces: [], bytes: 0 };
    return this.#grow(this.#open, flags, piece);
  }

  /** The same for the frames that follow it. */
  continue({ flags, streamId, payload }: Frame): HeaderList | undefined {
    if (this.#open?.streamId !== streamId)
      throw new ConnectionError(errorCode.protocolError, "a header block is continued on another stream");
    return this.#grow(this.#open, flags, payload);
  }

  #grow(block: OpenBlock, flags: number, piece: Buffer): HeaderList | undefined {
    block.pieces.push(piece);
    block.bytes += piece.length;
    if (block.bytes > maxBlockBytes)
      throw new ConnectionError(errorCode.enhanceYourCalm, "a header block has no end");
    if (!(flags & frameFlag.endHeaders)) return undefined;
    this.#open = undefined;
    const bytes = block.pieces.length === 1 ? piece : Buffer.concat(block.pieces);
    return { streamId: block.streamId, isLast: block.isLast, fields: this.#decoder.decode(bytes) };
  }
}
