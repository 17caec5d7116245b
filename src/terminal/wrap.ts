/** Sentences broken between words, so that a narrow terminal does not break them within one. */
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
