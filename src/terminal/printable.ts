/**
 * The one sanitiser: text from outside, made safe to show on a terminal.
 *
 * Endpoints, payloads, names and what a push service answers are strangers'
 * words. Raw, they could clear the screen, forge a line of ours or hide their
 * own order (CWE-150). Everything that drives a terminal becomes a visible
 * escape, `\u{1b}`; letters of every script and emoji stay as they are.
 */

/**
 * What is escaped: C0, DEL and C1 controls, line and paragraph separators, bidi
 * controls, invisible characters, and lone surrogates. Zero-width joiners stay:
 * emoji and some scripts need them.
 */
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/gu;

const unsafeButLayout =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/gu;

export interface PrintableOptions {
  /** Longest result in characters; what is cut off is shown as `…`. */
  readonly limit?: number;
  /** Keep newlines and tabs, for text that is shown as a block of its own. */
  readonly layout?: boolean;
}

/** `text` with everything that could drive a terminal turned into visible escapes. */
export function printable(text: string, { limit = 500, layout = false }: PrintableOptions = {}): string {
  const points = text.length > limit ? Array.from(text.slice(0, limit * 2)) : undefined;
  const cut =
    points !== undefined && points.length > limit ? `${points.slice(0, limit - 1).join("")}…` : text;
  return cut.replace(layout ? unsafeButLayout : unsafe, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
