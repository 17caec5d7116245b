/**
 * Reading header blocks: HPACK, RFC 7541.
 *
 * One decoder belongs to one connection, and sees every block of it in order, also
 * those nobody waits for any more: each may change the table that the next one uses.
 * Memory is bounded by the table of 4096 bytes, the default that we leave as it is.
 */
import { readHuffman } from "./huffman.ts";
import { createField, staticTable, type Field } from "./static-table.ts";

const maxTableBytes = 4096;
/** Five bytes of an integer (RFC 7541 §5.1) say more than any length or index here can be. */
const maxIntegerShift = 21;

/** A header block that cannot be understood, and after which none can be (RFC 9113 §4.3). */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
}

/** The decoding side of one connection. */
export class HeaderDecoder {
  /** The newest entry is the last. */
  readonly #table: Field[] = [];
  #tableBytes = 0;
  #tableLimit = maxTableBytes;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /**
   * Reads one block, continuations included.
   *
   * @throws CompressionError
   */
  decode(block: Buffer): readonly Field[] {
    this.#block = block;
    this.#at = 0;
    const fields: Field[] = [];
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0;
      if (first >= 0x80) fields.push(this.#fieldAt(this.#integer(7)));
      else if (first >= 0x40) {
        const field = this.#literal(6);
        this.#add(field);
        fields.push(field);
      } else if (first >= 0x20) {
        // RFC 7541 §4.2: only at the beginning of a block.
        if (fields.length > 0) throw new CompressionError("the table is resized inside a block");
        this.#resize(this.#integer(5));
      } else fields.push(this.#literal(4)); // without indexing, or never to be indexed
    }
    return fields;
  }

  #literal(prefixBits: number): Field {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#fieldAt(index).name;
    return createField(name, this.#string());
  }

  #fieldAt(index: number): Field {
    const field =
      index <= staticTable.length
        ? staticTable[index - 1]
        : this.#table[this.#table.length - (index - staticTable.length)];
    if (field === undefined) throw new CompressionError(`there is no field ${index}`);
    return field;
  }

  /** RFC 7541 §5.1. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= maxIntegerShift; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new CompressionError("an integer is too large");
  }

  /** RFC 7541 §5.2. */
  #string(): string {
    const isHuffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#block.length) throw new CompressionError("a string is cut short");
    if (!isHuffman) return this.#block.toString("latin1", start, this.#at);
    const text = readHuffman(this.#block, start, this.#at);
    if (text === undefined) throw new CompressionError("a string is not Huffman-coded");
    return text;
  }

  #byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new CompressionError("the block is cut short");
    this.#at += 1;
    return byte;
  }

  #resize(limit: number): void {
    if (limit > maxTableBytes) throw new CompressionError("the table is larger than agreed");
    this.#tableLimit = limit;
    this.#evict(0);
  }

  /** RFC 7541 §4.4: an entry larger than the table empties it. */
  #add(field: Field): void {
    this.#evict(field.size);
    if (field.size > this.#tableLimit) return;
    this.#table.push(field);
    this.#tableBytes += field.size;
  }

  #evict(needed: number): void {
    while (this.#tableBytes + needed > this.#tableLimit) {
      const oldest = this.#table.shift();
      if (oldest === undefined) return;
      this.#tableBytes -= oldest.size;
    }
  }
}
