/** Sentences broken between words, so that a narrow terminal does not break them within one. */
import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";

/** `text` in lines of at most `columns`; a word that is longer gets a line of its own. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(" ")) {
    const longer: string = line === undefined ? word : `${line} ${word}`;
    if (line !== undefined && stringWidth(longer) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line ?? ""];
}

/** What a line of talk begins with: `error: `, a number, or a word that others stand below. */
const label = /^ *(?:(?:error|hint|warning|note|bug): +|\d+\. +|\S+ {2,})?/;

/**
 * Lines of talk broken to fit `columns`, what goes on below standing under its begin. A line to copy, `$ command`,
 * stays whole: a terminal that breaks it by itself still copies it as one.
 */
export function wrapTalk(text: string, columns: number): string {
  if (columns === Number.POSITIVE_INFINITY) return text;
  return text
    .split("\n")
    .flatMap((line) => wrapLine(line, columns))
    .join("\n");
}

function wrapLine(line: string, columns: number): readonly string[] {
  if (stringWidth(line) <= columns) return [line];
  const plain = stripVTControlCharacters(line);
  if (/^ *\$ /.test(plain)) return [line];
  const begin = stringWidth(label.exec(plain)?.[0] ?? "");
  const indent = " ".repeat(begin > columns / 2 ? 2 : begin);
  const [first = ""] = wrap(line, columns);
  if (first.length === line.length) return [line];
  const rest = wrap(line.slice(first.length + 1), columns - indent.length);
  return [first, ...rest.map((part) => indent + part.trimStart())];
}
