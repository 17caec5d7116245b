/**
 * Rows in the text format of `COPY`: tabs between, `\\N` for what is not there.
 */
import { Buffer } from "node:buffer";

export type CopyValue =
  string | number | bigint | boolean | Date | Uint8Array | readonly string[] | null | undefined;

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** One line for `COPY … FROM STDIN`, its end included. */
export function copyLine(values: readonly CopyValue[]): string {
  return `${values.map(field).join("\t")}\n`;
}

function field(value: CopyValue): string {
  if (value === undefined || value === null) return "\\N";
  if (typeof value === "string") return escaped(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\\\x${Buffer.from(value).toString("hex")}`;
  if (typeof value === "object") return escaped(arrayLiteral(value));
  return String(value);
}

function escaped(text: string): string {
  return text.replace(/[\\\n\r\t]/g, (character) => escapes[character] ?? character);
}

/** An array as the database writes one. */
export function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
}
