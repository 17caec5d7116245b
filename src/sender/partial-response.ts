/**
 * A response as far as it has come.
 *
 * The status counts as soon as the headers are there: a body that stalls or breaks
 * costs words, not the outcome. The body is kept up to 8 kB; nobody needs more to say
 * what went wrong, and a hostile one has no end.
 */
import type { PushResponse } from "../protocol/delivery.ts";

const maxBodyBytes = 8192;

/** The most a response's header section may hold, names and values together. */
export const maxHeaderBytes = 16_384;

/** The most header fields a response may have. */
export const maxHeaderCount = 100;

/** Interim answers beyond this are no way to answer. */
export const maxInterimAnswers = 16;

/** What a reader makes of what arrived: `enough` when the rest is of no use, `malformed` when it is no HTTP. */
export type Verdict = "more" | "done" | "enough" | "malformed";

/** Status and headers of a response, and what came of its body. */
export class PartialResponse {
  readonly #status: number;
  readonly #headers: ReadonlyMap<string, string>;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(status: number, headers: ReadonlyMap<string, string>) {
    this.#status = status;
    this.#headers = headers;
  }

  /** Takes a part of the body, and tells whether more of it would be of use. */
  append(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return this.#bytes <= maxBodyBytes;
  }

  /** What there is, as a whole. */
  finish(): PushResponse {
    const body =
      this.#bytes === 0 ? "" : Buffer.concat(this.#chunks).subarray(0, maxBodyBytes).toString("utf8");
    // Not by assignment: a header may be called `__proto__`.
    return { status: this.#status, headers: Object.fromEntries(this.#headers), body };
  }
}

/** Adds a header field; a repeated one is joined by a comma (RFC 9110 §5.3). */
export function addField(fields: Map<string, string>, name: string, value: string): void {
  const earlier = fields.get(name);
  fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
}

const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const unfit = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Whether a name, in lower case, is one (RFC 9110 §5.1). */
export function isFieldName(name: string): boolean {
  return fieldName.test(name);
}

/** Whether a value holds nothing that could break out of its line (RFC 9110 §5.5). */
export function isFieldValue(value: string): boolean {
  return !unfit.test(value);
}
