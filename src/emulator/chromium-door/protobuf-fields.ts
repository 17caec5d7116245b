/**
 * One protobuf message, its fields read by number: all that Chromium's few messages need of a schema.
 *
 * What is not protobuf is `undefined`, never an exception; a field of another wire type than the one asked
 * for is as good as absent, as protobuf itself has it.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

type Value = bigint | Uint8Array;

/** The fields of one message. */
export class Fields {
  readonly #values: ReadonlyMap<number, readonly Value[]>;

  constructor(values: ReadonlyMap<number, readonly Value[]>) {
    this.#values = values;
  }

  /** The number of an integer, boolean, enum or fixed-width field; the last one if it is repeated. */
  integer(field: number): bigint | undefined {
    return this.#all(field).findLast((value) => typeof value === "bigint");
  }

  /** The same as a signed number, as protobuf's `int32` is written. */
  number(field: number): number | undefined {
    const value = this.integer(field);
    return value === undefined ? undefined : Number(BigInt.asIntN(64, value));
  }

  text(field: number): string | undefined {
    return this.texts(field).at(-1);
  }

  /** A repeated text. */
  texts(field: number): readonly string[] {
    return this.#bytes(field).map((value) => Buffer.from(value).toString());
  }

  /** A message within this one; `undefined` when there is none, or it cannot be read. */
  message(field: number): Fields | undefined {
    const bytes = this.#bytes(field).at(-1);
    return bytes === undefined ? undefined : readFields(bytes);
  }

  bytes(field: number): Uint8Array | undefined {
    return this.#bytes(field).at(-1);
  }

  #bytes(field: number): readonly Uint8Array[] {
    return this.#all(field).filter((value) => value instanceof Uint8Array);
  }

  #all(field: number): readonly Value[] {
    return this.#values.get(field) ?? [];
  }
}

/** The fields of a message; `undefined` when the bytes are none. */
export function readFields(bytes: Uint8Array): Fields | undefined {
  const values = new Map<number, Value[]>();
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      const value = readValue(reader, wireType, field);
      const earlier = values.get(field);
      if (earlier !== undefined && value !== undefined) earlier.push(value);
      else if (value !== undefined) values.set(field, [value]);
    }
    return reader.pos === reader.len ? new Fields(values) : undefined;
  } catch {
    // The reader is a pure function of the bytes, and an exception is its only way to say that they are none.
    return undefined;
  }
}

function readValue(reader: BinaryReader, wireType: WireType, field: number): Value | undefined {
  switch (wireType) {
    case WireType.Varint:
      return BigInt(reader.uint64());
    case WireType.Bit64:
      return BigInt(reader.fixed64());
    case WireType.LengthDelimited:
      return reader.bytes();
    case WireType.Bit32:
    case WireType.StartGroup:
    case WireType.EndGroup:
      reader.skip(wireType, field);
      return undefined;
  }
}
