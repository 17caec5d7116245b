/**
 * Writes DER (X.690), as much of it as a certificate needs. Each function makes one whole value, tag and length included.
 */

type Bytes = Uint8Array;

/** A SEQUENCE of values. */
export function sequence(...items: readonly Bytes[]): Bytes {
  return value(0x30, ...items);
}

/** A SET of one value, which needs no order. */
export function setOf(item: Bytes): Bytes {
  return value(0x31, item);
}

/** An INTEGER from the bytes of a number that is not negative, the highest first. */
export function integer(bytes: Bytes): Bytes {
  const firstUsed = bytes.findIndex((byte) => byte !== 0);
  const digits = firstUsed < 0 ? Uint8Array.of(0) : bytes.subarray(firstUsed);
  // The first bit is the sign.
  return value(0x02, ...((digits[0] ?? 0) < 0x80 ? [] : [Uint8Array.of(0)]), digits);
}

/** A BOOLEAN that is true; false is always the default, which DER leaves out. */
export function booleanTrue(): Bytes {
  return value(0x01, Uint8Array.of(0xff));
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return value(0x06, Uint8Array.from([40 * first + second, ...rest.flatMap(base128)]));
}

/** A BIT STRING of whole bytes, or of the first bits of one when `unusedBits` are not meant. */
export function bitString(bytes: Bytes, unusedBits = 0): Bytes {
  return value(0x03, Uint8Array.of(unusedBits), bytes);
}

/** An OCTET STRING around other values. */
export function octetString(...items: readonly Bytes[]): Bytes {
  return value(0x04, ...items);
}

/** A UTF8String. */
export function utf8String(text: string): Bytes {
  return value(0x0c, Buffer.from(text));
}

/** A time to the second, in the form that RFC 5280 §4.1.2.5 wants for its year. */
export function time(at: number): Bytes {
  const digits = `${new Date(at).toISOString().slice(0, 19).replace(/\D/g, "")}Z`;
  return digits < "2050" ? value(0x17, Buffer.from(digits.slice(2))) : value(0x18, Buffer.from(digits));
}

/** `[n]` that replaces the tag of a simple value. */
export function implicit(number: number, content: Bytes): Bytes {
  return value(0x80 | number, content);
}

/** `[n]` around whole values. */
export function constructed(number: number, ...items: readonly Bytes[]): Bytes {
  return value(0xa0 | number, ...items);
}

function value(tag: number, ...parts: readonly Bytes[]): Bytes {
  const content = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

function base128(number: number): readonly number[] {
  const bytes = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift(0x80 | (rest % 128));
  return bytes;
}
