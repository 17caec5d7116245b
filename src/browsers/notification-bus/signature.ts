/**
 * D-Bus signatures: the types of a message's values, as text (D-Bus specification, "Type System").
 *
 * `a{sv}` is parsed once into a tree, which reading and writing both walk.
 */

/** One complete type. */
export type DbusType =
  | { readonly kind: "basic"; readonly code: BasicCode }
  | { readonly kind: "variant" }
  | { readonly kind: "array"; readonly item: DbusType }
  | { readonly kind: "struct"; readonly fields: readonly DbusType[] }
  /** Only inside of arrays; its value is a pair. */
  | { readonly kind: "entry"; readonly fields: readonly DbusType[] };

/** Types of one value; `h` is the index of a file descriptor, of which we never have any. */
export type BasicCode = "y" | "b" | "n" | "q" | "i" | "u" | "x" | "t" | "d" | "s" | "o" | "g" | "h";

/** A value and what it is. */
export interface DbusVariant {
  readonly signature: string;
  readonly value: DbusValue;
}

/** Structs and dictionary entries are arrays of their fields; 64-bit integers are bigints, arrays of bytes are bytes. */
export type DbusValue = number | bigint | boolean | string | readonly DbusValue[] | Uint8Array | DbusVariant;

/** Bytes that are no D-Bus: the connection they came over cannot go on. */
export class DbusFormatError extends Error {
  override readonly name = "DbusFormatError";
}

const basicCodes = "ybnqiuxtdsogh";
/** The specification's bound on nesting, arrays and structs together. */
const maxDepth = 64;

/** Reads a signature: any number of complete types in a row. */
export function parseSignature(signature: string): readonly DbusType[] {
  if (signature.length > 255) throw new DbusFormatError("a signature is longer than 255 characters");
  const types: DbusType[] = [];
  let at = 0;
  while (at < signature.length) {
    const [type, next] = parseType(signature, at, 0);
    types.push(type);
    at = next;
  }
  return types;
}

function parseType(signature: string, at: number, depth: number): readonly [DbusType, number] {
  if (depth > maxDepth) throw malformed(signature);
  const code = signature.charAt(at);
  if (isBasic(code)) return [{ kind: "basic", code }, at + 1];
  switch (code) {
    case "v":
      return [{ kind: "variant" }, at + 1];
    case "a": {
      if (signature.charAt(at + 1) === "{") {
        const [fields, next] = parseFields(signature, at + 2, "}", depth + 1);
        const [key] = fields;
        if (fields.length !== 2 || key?.kind !== "basic") throw malformed(signature);
        return [{ kind: "array", item: { kind: "entry", fields } }, next];
      }
      const [item, next] = parseType(signature, at + 1, depth + 1);
      return [{ kind: "array", item }, next];
    }
    case "(": {
      const [fields, next] = parseFields(signature, at + 1, ")", depth + 1);
      if (fields.length === 0) throw malformed(signature);
      return [{ kind: "struct", fields }, next];
    }
    default:
      throw malformed(signature);
  }
}

function parseFields(
  signature: string,
  start: number,
  end: string,
  depth: number,
): readonly [readonly DbusType[], number] {
  const fields: DbusType[] = [];
  let at = start;
  while (signature.charAt(at) !== end) {
    const [field, next] = parseType(signature, at, depth);
    fields.push(field);
    at = next;
  }
  return [fields, at + 1];
}

function isBasic(code: string): code is BasicCode {
  return code !== "" && basicCodes.includes(code);
}

function malformed(signature: string): DbusFormatError {
  return new DbusFormatError(`the signature ${JSON.stringify(signature)} is malformed`);
}

const alignments: Readonly<Record<BasicCode, 1 | 2 | 4 | 8>> = {
  y: 1,
  g: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  s: 4,
  o: 4,
  h: 4,
  x: 8,
  t: 8,
  d: 8,
};

/** The boundary a value of this type starts at. */
export function alignmentOf(type: DbusType): 1 | 2 | 4 | 8 {
  switch (type.kind) {
    case "variant":
      return 1;
    case "array":
      return 4;
    case "struct":
    case "entry":
      return 8;
    case "basic":
      return alignments[type.code];
    default:
      return type satisfies never;
  }
}
