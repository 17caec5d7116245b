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
 * controls, lone surrogates, and whatever is drawn as nothing at all: zero-width
 * spaces, fillers, tags. Of those, the joiners and the selectors of emoji and
 * Mongolian letters stay: people write with them.
 */
const unsafe =
  /[\p{Cc}\p{Cs}\u2028\u2029\ufff9-\ufffb]|(?![\u034f\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}/gu;

const unsafeButLayout =
  /(?![\n\t])[\p{Cc}\p{Cs}\u2028\u2029\ufff9-\ufffb]|(?![\u034f\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}/gu;

export interface PrintableOptions {
  /** Longest result in characters; what is cut off is shown as `…`. */
  readonly limit?: number;
  /** Keep newlines and tabs, for text that is shown as a block of its own. */
  readonly layout?: boolean;
}

/** `text` with everything that could drive a terminal turned into visible escapes. */
export function printable(text: string, { limit = 500, layout = false }: PrintableOptions = {}): string {
  // A character is one or two units of a string: this many hold more than `limit` of them, if there are more.
  const points = text.length > limit ? Array.from(text.slice(0, (limit + 1) * 2)) : undefined;
  const cut =
    points !== undefined && points.length > limit ? `${points.slice(0, limit - 1).join("")}…` : text;
  return cut.replace(layout ? unsafeButLayout : unsafe, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
