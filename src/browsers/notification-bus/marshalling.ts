/**
 * D-Bus values to bytes and back (D-Bus specification, "Marshaling").
 *
 * Pure. Both byte orders are read, since each client writes its own machine's;
 * we write little-endian unless told otherwise. Offsets are those of the message,
 * whose body starts at a multiple of 8, so a body is marshalled from 0.
 */
import {
  alignmentOf,
  DbusFormatError,
  parseSignature,
  type BasicCode,
  type DbusType,
  type DbusValue,
  type DbusVariant,
} from "./signature.ts";

export type ByteOrder = "little" | "big";

/** Types whose values are numbers here. */
type NumberCode = Exclude<BasicCode, "b" | "x" | "t" | "s" | "o" | "g">;

/** The specification's bound on an array. */
const maxArrayBytes = 64 * 1024 * 1024;
/** And on nesting, through variants too. */
const maxDepth = 64;

/** The bytes of `values`, which must be of the types that `signature` names. */
export function marshal(
  signature: string,
  values: readonly DbusValue[],
  order: ByteOrder = "little",
): Buffer {
  const writer = new Writer(order);
  const types = parseSignature(signature);
  if (types.length !== values.length)
    throw new TypeError(`${values.length} values for the signature "${signature}"`);
  types.forEach((type, index) => {
    writer.write(type, values[index] ?? 0);
  });
  return writer.bytes();
}

/** The values of a signature's types, and where they end. */
export function unmarshal(
  signature: string,
  bytes: Buffer,
  order: ByteOrder,
): { readonly values: readonly DbusValue[]; readonly end: number } {
  const reader = new Reader(bytes, order);
  const values = parseSignature(signature).map((type) => reader.read(type, 0));
  return { values, end: reader.at };
}

/** Whether a value says its own type. */
export function isVariant(value: DbusValue | undefined): value is DbusVariant {
  return typeof value === "object" && "signature" in value;
}

/** Whether a value is an array, a struct or an entry. */
export function isList(value: DbusValue | undefined): value is readonly DbusValue[] {
  return Array.isArray(value);
}

class Writer {
  #bytes = Buffer.alloc(256);
  #length = 0;
  readonly #isLittle: boolean;

  constructor(order: ByteOrder) {
    this.#isLittle = order === "little";
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  write(type: DbusType, value: DbusValue): void {
    this.#align(alignmentOf(type));
    switch (type.kind) {
      case "basic":
        this.#writeBasic(type.code, value);
        return;
      case "variant":
        if (!isVariant(value)) throw mismatch("variant", value);
        this.#writeVariant(value);
        return;
      case "array":
        this.#writeArray(type.item, listOf(value));
        return;
      case "struct":
      case "entry": {
        const given = listOf(value);
        if (given.length !== type.fields.length) throw mismatch(type.kind, value);
        type.fields.forEach((field, index) => {
          this.write(field, given[index] ?? 0);
        });
        return;
      }
      default:
        return type satisfies never;
    }
  }

  #writeVariant({ signature, value }: DbusVariant): void {
    const [type, ...more] = parseSignature(signature);
    if (type === undefined || more.length > 0) throw mismatch("variant", signature);
    this.#writeBasic("g", signature);
    this.write(type, value);
  }

  /** The length counts from the first item, which may stand after padding that it does not count. */
  #writeArray(item: DbusType, values: readonly DbusValue[]): void {
    const lengthAt = this.#room(4);
    this.#align(alignmentOf(item));
    const start = this.#length;
    for (const value of values) this.write(item, value);
    this.#setUint32(lengthAt, this.#length - start);
  }

  #writeBasic(code: BasicCode, value: DbusValue): void {
    switch (code) {
      case "s":
      case "o":
        this.#writeText(textOf(value), 4);
        return;
      case "g":
        this.#writeText(textOf(value), 1);
        return;
      case "x":
      case "t":
        if (typeof value !== "bigint") throw mismatch(code, value);
        this.#setInt64(this.#room(8), value);
        return;
      case "b":
        if (typeof value !== "boolean") throw mismatch(code, value);
        this.#setUint32(this.#room(4), value ? 1 : 0);
        return;
      default:
        if (typeof value !== "number") throw mismatch(code, value);
        this.#writeNumber(code, value);
    }
  }

  #writeNumber(code: NumberCode, value: number): void {
    const little = this.#isLittle;
    switch (code) {
      case "y":
        this.#bytes.writeUInt8(value, this.#room(1));
        return;
      case "n":
      case "q": {
        const at = this.#room(2);
        const bits = code === "n" ? value & 0xffff : value;
        if (little) this.#bytes.writeUInt16LE(bits, at);
        else this.#bytes.writeUInt16BE(bits, at);
        return;
      }
      case "i":
      case "u":
      case "h":
        this.#setUint32(this.#room(4), code === "i" ? value >>> 0 : value);
        return;
      case "d": {
        const at = this.#room(8);
        if (little) this.#bytes.writeDoubleLE(value, at);
        else this.#bytes.writeDoubleBE(value, at);
        return;
      }
      default:
        return code satisfies never;
    }
  }

  #writeText(text: string, lengthBytes: 1 | 4): void {
    const bytes = Buffer.from(text, "utf8");
    const at = this.#room(lengthBytes + bytes.length + 1);
    if (lengthBytes === 4) this.#setUint32(at, bytes.length);
    else this.#bytes.writeUInt8(bytes.length, at);
    this.#bytes.set(bytes, at + lengthBytes);
  }

  #setUint32(at: number, value: number): void {
    if (this.#isLittle) this.#bytes.writeUInt32LE(value, at);
    else this.#bytes.writeUInt32BE(value, at);
  }

  #setInt64(at: number, value: bigint): void {
    const bits = BigInt.asUintN(64, value);
    if (this.#isLittle) this.#bytes.writeBigUInt64LE(bits, at);
    else this.#bytes.writeBigUInt64BE(bits, at);
  }

  #align(boundary: number): void {
    this.#room((boundary - (this.#length % boundary)) % boundary);
  }

  /** Makes room for so many zero bytes, and says where. */
  #room(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.alloc(this.#length * 2);
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}

class Reader {
  at = 0;
  readonly #bytes: Buffer;
  readonly #isLittle: boolean;

  constructor(bytes: Buffer, order: ByteOrder) {
    this.#bytes = bytes;
    this.#isLittle = order === "little";
  }

  read(type: DbusType, depth: number): DbusValue {
    if (depth > maxDepth) throw new DbusFormatError("values are nested too deep");
    this.#take((alignmentOf(type) - (this.at % alignmentOf(type))) % alignmentOf(type));
    switch (type.kind) {
      case "basic":
        return this.#readBasic(type.code);
      case "variant":
        return this.#readVariant(depth);
      case "array":
        return this.#readArray(type.item, depth);
      case "struct":
      case "entry":
        return type.fields.map((field) => this.read(field, depth + 1));
      default:
        return type satisfies never;
    }
  }

  #readVariant(depth: number): DbusVariant {
    const signature = this.#readText(1);
    const [type, ...more] = parseSignature(signature);
    if (type === undefined || more.length > 0)
      throw new DbusFormatError("a variant must be of one complete type");
    return { signature, value: this.read(type, depth + 1) };
  }

  #readArray(item: DbusType, depth: number): DbusValue {
    const length = this.#readUint32();
    if (length > maxArrayBytes) throw new DbusFormatError(`an array of ${length} bytes is too long`);
    const alignment = alignmentOf(item);
    this.#take((alignment - (this.at % alignment)) % alignment);
    const end = this.at + length;
    // Bytes are most of what a notification carries (its icon): no need for a step each.
    if (item.kind === "basic" && item.code === "y") {
      const start = this.#take(length);
      return this.#bytes.subarray(start, end);
    }
    const values: DbusValue[] = [];
    while (this.at < end) values.push(this.read(item, depth + 1));
    if (this.at !== end) throw new DbusFormatError("an array does not end where it says");
    return values;
  }

  #readBasic(code: BasicCode): DbusValue {
    switch (code) {
      case "b": {
        const value = this.#readUint32();
        if (value > 1) throw new DbusFormatError(`a boolean cannot be ${value}`);
        return value === 1;
      }
      case "x":
      case "t": {
        const at = this.#take(8);
        const bits = this.#isLittle ? this.#bytes.readBigUInt64LE(at) : this.#bytes.readBigUInt64BE(at);
        return code === "x" ? BigInt.asIntN(64, bits) : bits;
      }
      case "s":
      case "o":
        return this.#readText(4);
      case "g":
        return this.#readText(1);
      default:
        return this.#readNumber(code);
    }
  }

  #readNumber(code: NumberCode): number {
    const little = this.#isLittle;
    switch (code) {
      case "y":
        return this.#bytes.readUInt8(this.#take(1));
      case "n":
      case "q": {
        const at = this.#take(2);
        const bits = little ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
        return code === "n" ? (bits << 16) >> 16 : bits;
      }
      case "i":
        return this.#readUint32() | 0;
      case "u":
      case "h":
        return this.#readUint32();
      case "d": {
        const at = this.#take(8);
        return little ? this.#bytes.readDoubleLE(at) : this.#bytes.readDoubleBE(at);
      }
      default:
        return code satisfies never;
    }
  }

  #readText(lengthBytes: 1 | 4): string {
    const length = lengthBytes === 4 ? this.#readUint32() : this.#bytes.readUInt8(this.#take(1));
    const start = this.#take(length + 1);
    if (this.#bytes[start + length] !== 0) throw new DbusFormatError("a string does not end with a zero");
    return this.#bytes.toString("utf8", start, start + length);
  }

  #readUint32(): number {
    const at = this.#take(4);
    return this.#isLittle ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  /** Steps over so many bytes, which must be there, and says where they began. */
  #take(size: number): number {
    const at = this.at;
    if (at + size > this.#bytes.length) throw new DbusFormatError("a value ends outside of its message");
    this.at = at + size;
    return at;
  }
}

function listOf(value: DbusValue): readonly DbusValue[] {
  if (value instanceof Uint8Array) return [...value];
  if (isList(value)) return value;
  throw mismatch("list", value);
}

function textOf(value: DbusValue): string {
  if (typeof value === "string") return value;
  throw mismatch("text", value);
}

function mismatch(wanted: string, value: DbusValue): TypeError {
  return new TypeError(`a ${typeof value} stands where a ${wanted} belongs`);
}
