/**
 * Writing header blocks: HPACK, RFC 7541.
 *
 * All requests of a run look alike but for their path. So everything else goes into the
 * connection's table once and is a byte or two from then on; strings are written plain,
 * which costs bytes only where they are new. `Authorization` may be indexed too: RFC 7541
 * §7.1.3 warns of values that somebody could guess whose own text shares the table, and
 * here nobody's does: paths never enter it.
 */
import type { Exchange } from "../exchange.ts";
import { isFieldName, isFieldValue } from "../partial-response.ts";
import { createField, staticTable, type Field } from "./static-table.ts";

/** The largest block written. One frame of the least size that every peer takes holds it (RFC 9113 §4.2). */
const maxBlockBytes = 16_384;

/** What an index or a length takes at most in these sizes. */
const maxIntegerBytes = 4;
const maxTableBytes = 4096;
const pathIndex = 4;
const postIndex = 3;
const httpsIndex = 7;
const literal = { pattern: 0x00, bits: 4 };
const indexedLiteral = { pattern: 0x40, bits: 6 };
const indexed = { pattern: 0x80, bits: 7 };
const tableSize = { pattern: 0x20, bits: 5 };

/** Another value in each message (the draft's aesgcm carries its keys here): not worth a place in the table. */
const differentEachTime: ReadonlySet<string> = new Set(["encryption", "crypto-key"]);

const staticNames: ReadonlyMap<string, number> = new Map(
  [...staticTable.entries()].reverse().map(([at, { name }]) => [name, at + 1]),
);

/** The encoding side of one connection. */
export class HeaderEncoder {
  /** The number of each entry of the table, counted from the first ever made, by name and value. */
  readonly #numbers = new Map<string, Map<string, number>>();
  readonly #table: Field[] = [];
  #tableBytes = 0;
  #tableLimit = maxTableBytes;
  #made = 0;
  #mustResize = false;
  #out: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The peer keeps no larger table than this (SETTINGS_HEADER_TABLE_SIZE). */
  limitTable(bytes: number): void {
    if (bytes >= this.#tableLimit) return;
    this.#tableLimit = bytes;
    this.#mustResize = true;
    this.#evict(0);
  }

  /**
   * Writes the block of a request and returns where it ends. `out` has room for `maxBlockBytes`.
   * The exchange has passed `assertHeaders`: once a block is begun it cannot be taken back.
   */
  encode(
    { host, path, headers }: Pick<Exchange, "host" | "path" | "headers">,
    out: Buffer,
    at: number,
  ): number {
    this.#out = out;
    this.#at = at;
    if (this.#mustResize) this.#integer(tableSize, this.#tableLimit);
    this.#mustResize = false;
    this.#integer(indexed, postIndex);
    this.#integer(indexed, httpsIndex);
    this.#field(":authority", host);
    this.#integer(literal, pathIndex);
    this.#string(path);
    for (const name of Object.keys(headers)) this.#field(name, headers[name] ?? "");
    return this.#at;
  }

  #field(name: string, value: string): void {
    const number = this.#numbers.get(name)?.get(value);
    if (number !== undefined) {
      this.#integer(indexed, staticTable.length + this.#made - number);
      return;
    }
    const field = createField(name, value);
    const isKept = !differentEachTime.has(name) && field.size <= this.#tableLimit;
    const nameIndex = staticNames.get(name) ?? 0;
    this.#integer(isKept ? indexedLiteral : literal, nameIndex);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
    if (isKept) this.#keep(field);
  }

  #keep(field: Field): void {
    this.#evict(field.size);
    this.#table.push(field);
    this.#tableBytes += field.size;
    const values = this.#numbers.get(field.name) ?? new Map<string, number>();
    values.set(field.value, this.#made);
    this.#numbers.set(field.name, values);
    this.#made += 1;
  }

  #evict(needed: number): void {
    while (this.#tableBytes + needed > this.#tableLimit) {
      const oldest = this.#table.shift();
      if (oldest === undefined) return;
      this.#tableBytes -= oldest.size;
      const values = this.#numbers.get(oldest.name);
      values?.delete(oldest.value);
      if (values?.size === 0) this.#numbers.delete(oldest.name);
    }
  }

  /** RFC 7541 §5.1. */
  #integer({ pattern, bits }: { readonly pattern: number; readonly bits: number }, value: number): void {
    const most = (1 << bits) - 1;
    if (value < most) {
      this.#out[this.#at++] = pattern | value;
      return;
    }
    this.#out[this.#at++] = pattern | most;
    let rest = value - most;
    for (; rest >= 0x80; rest >>= 7) this.#out[this.#at++] = (rest & 0x7f) | 0x80;
    this.#out[this.#at++] = rest;
  }

  #string(text: string): void {
    this.#integer({ pattern: 0, bits: 7 }, text.length);
    this.#at += this.#out.write(text, this.#at, "latin1");
  }
}

/**
 * Makes sure that a request's headers can be written. HTTP/2 has no lines, so a line break in a
 * value would travel, and what the service makes of it is anybody's guess (`node:http2` drops the field).
 *
 * @throws TypeError for what only a bug can have brought this far
 */
export function assertHeaders({ path, host, headers }: Pick<Exchange, "path" | "host" | "headers">): void {
  let bytes = path.length + host.length + 10 * maxIntegerBytes;
  for (const [name, value] of Object.entries(headers)) {
    bytes += name.length + value.length + 3 * maxIntegerBytes;
    if (!isFieldName(name)) throw new TypeError("Invalid character in header name");
    if (!isFieldValue(value)) throw new TypeError(`Invalid character in header content ["${name}"]`);
  }
  if (bytes > maxBlockBytes) throw new TypeError(`the headers of a request are ${bytes} bytes long`);
}
