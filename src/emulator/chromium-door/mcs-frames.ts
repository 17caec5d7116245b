/**
 * The framing of MCS, the protocol by which Google's service delivers messages: cuts a TLS stream into frames.
 *
 * The first byte of each direction is the version, 41. A frame is a tag of one byte, the length as a varint,
 * and a protobuf message. Nothing here knows what the messages say.
 */

/** The version both sides begin with. */
export const mcsVersion = 41;

/** What the frames are called, by their tags. */
export const mcsTags = {
  heartbeatPing: 0,
  heartbeatAck: 1,
  loginRequest: 2,
  loginResponse: 3,
  close: 4,
  iq: 7,
  dataMessage: 8,
} as const;

/**
 * Far above what a browser has reason to send: the longest is a LoginRequest, which repeats the ids of what
 * was received, 24 bytes each.
 * @internal
 */
export const maxFrameBytes = 262_144;

export interface McsFrame {
  readonly tag: number;
  readonly payload: Uint8Array;
}

/** What a chunk of the stream completed, and why nothing more can be read, if so. */
export interface FramesRead {
  readonly frames: readonly McsFrame[];
  readonly violation: string | undefined;
}

/** Reads a stream chunk by chunk. After a violation it reads nothing more. */
export class McsFrameReader {
  #expects: "version" | "tag" | "length" | "payload" = "version";
  #tag = 0;
  #length = 0;
  /** Bits of the length read so far. */
  #lengthBits = 0;
  #payload = Buffer.alloc(0);
  #filled = 0;
  #violation: string | undefined;

  read(chunk: Uint8Array): FramesRead {
    const frames: McsFrame[] = [];
    let position = 0;
    while (position < chunk.length && this.#violation === undefined) {
      if (this.#expects === "payload") {
        const part = chunk.subarray(position, position + this.#length - this.#filled);
        position += part.length;
        this.#append(part);
      } else {
        this.#readByte(chunk[position] ?? 0);
        position += 1;
      }
      if (this.#expects === "payload" && this.#filled === this.#length) frames.push(this.#takeFrame());
    }
    return { frames, violation: this.#violation };
  }

  #readByte(byte: number): void {
    if (this.#expects === "version") {
      if (byte !== mcsVersion) this.#violation = `the stream is of MCS version ${byte}, not ${mcsVersion}`;
      this.#expects = "tag";
    } else if (this.#expects === "tag") {
      this.#tag = byte;
      [this.#length, this.#lengthBits] = [0, 0];
      this.#expects = "length";
    } else {
      this.#readLengthByte(byte);
    }
  }

  #readLengthByte(byte: number): void {
    this.#length += (byte & 0x7f) * 2 ** this.#lengthBits;
    this.#lengthBits += 7;
    if (this.#length > maxFrameBytes) {
      this.#violation = `a frame is longer than ${maxFrameBytes} bytes`;
    } else if (byte < 0x80) {
      this.#expects = "payload";
    } else if (this.#lengthBits >= 35) {
      this.#violation = "the length of a frame does not end";
    }
  }

  /** Room is made as bytes come, not as a length promises them. */
  #append(part: Uint8Array): void {
    const needed = this.#filled + part.length;
    if (needed > this.#payload.length) {
      const larger = Buffer.alloc(Math.min(this.#length, Math.max(needed, 2 * this.#payload.length)));
      larger.set(this.#payload.subarray(0, this.#filled));
      this.#payload = larger;
    }
    this.#payload.set(part, this.#filled);
    this.#filled = needed;
  }

  #takeFrame(): McsFrame {
    const payload = this.#payload;
    this.#payload = Buffer.alloc(0);
    this.#filled = 0;
    this.#expects = "tag";
    return { tag: this.#tag, payload };
  }
}

/** A frame as it stands in the stream. */
export function encodeFrame({ tag, payload }: McsFrame): Uint8Array {
  const head = [tag];
  let rest = payload.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) head.push((rest % 0x80) | 0x80);
  return Buffer.concat([Uint8Array.from([...head, rest]), payload]);
}
