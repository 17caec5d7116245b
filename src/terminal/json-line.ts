/**
 * JSON records that are safe to look at.
 *
 * `JSON.stringify` escapes C0 controls only: a push service's words with U+009B or
 * U+202E in them would still drive the terminal that `--json` prints to. Here they
 * become `\u009b`, which every JSON parser reads as the same text.
 */

/** What `printable()` escapes and `JSON.stringify` does not; inside JSON all of these stand in strings. */
const unsafe = /[\u007f-\u009f\u2028\u2029\ufff9-\ufffb]|\p{Default_Ignorable_Code_Point}/gu;

/** `value` as one line of JSON that parses to the same and drives no terminal. */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(unsafe, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
    }).join(""),
  );
}
