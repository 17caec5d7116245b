/**
 * JSON values out of lines, one at a time: NDJSON, pretty-printed values one after
 * the other (as `jq` prints them), and lists written over many lines.
 *
 * Memory holds one value, never the text. A JSON string cannot span lines (RFC 8259
 * §7), so brackets can be counted line by line, and a damaged line spoils itself
 * alone: the next line that begins a value where none may begin starts afresh.
 */

/** One value, or a stretch of lines that is none; `line` is where it begins, counted from 1. */
export type JsonPiece =
  | { readonly line: number; readonly value: unknown }
  | { readonly line: number; readonly defect: "not JSON" | "unfinished JSON" | "too long" };

/** Far above any single subscription; a map of a hundred thousand, which cannot be cut, still fits. */
const maxPendingCharacters = 64 * 1024 * 1024;

/** Nothing that is meant is nested so deeply. */
const maxDepth = 100;

/** Collects lines until they make a value. */
export class JsonValues {
  #lines: string[] = [];
  #start = 0;
  #characters = 0;
  /** Open brackets of the unfinished value, outermost first. */
  #open = "";
  #number = 0;
  #isAfterDefect = false;

  /** Takes the next line; answers the values it completes. */
  push(line: string): readonly JsonPiece[] {
    this.#number += 1;
    const text = line.trim();
    if (text === "") return [];
    return this.#lines.length === 0 ? this.#begin(text) : this.#continue(text);
  }

  /** What is left when no more lines come. */
  end(): readonly JsonPiece[] {
    return this.#lines.length === 0 ? [] : [this.#give("unfinished JSON")];
  }

  #begin(text: string): readonly JsonPiece[] {
    // The brackets of a list with each element on lines of its own: the elements are values by themselves.
    if (/^(?:\[|\],?|,)$/.test(text)) return [];
    const value = parseJson(withoutComma(text));
    if (value !== undefined) {
      this.#isAfterDefect = false;
      return [{ line: this.#number, value }];
    }
    // The rest of a broken value over many lines is no further defect.
    if (this.#isAfterDefect && !text.startsWith("{")) return [];
    this.#start = this.#number;
    return this.#add(text);
  }

  #continue(text: string): readonly JsonPiece[] {
    if (!text.startsWith("{") || this.#mayBeginObject()) return this.#add(text);
    const broken = this.#give("unfinished JSON");
    return [broken, ...this.#begin(text)];
  }

  /** Whether an object may begin here: after a colon, or as an element of a list. */
  #mayBeginObject(): boolean {
    const last = this.#lines.at(-1) ?? "";
    return last.endsWith(":") || (this.#open.endsWith("[") && /[[,]$/.test(last));
  }

  #add(text: string): readonly JsonPiece[] {
    this.#lines.push(text);
    this.#characters += text.length;
    if (this.#characters > maxPendingCharacters) return [this.#give("too long")];
    const open = openBrackets(this.#open, text);
    if (open === undefined) return [this.#give("not JSON")];
    this.#open = open;
    return open === "" ? this.#finish() : [];
  }

  #finish(): readonly JsonPiece[] {
    const text = withoutComma(this.#lines.join("\n"));
    const line = this.#start;
    // Elements of a list may share lines ("}, {"): then several came at once.
    const value = parseLenientJson(text) ?? parseLenientJson(`[${text}]`);
    if (value === undefined) return [this.#give("not JSON")];
    this.#reset();
    return [{ line, value }];
  }

  #give(defect: "not JSON" | "unfinished JSON" | "too long"): JsonPiece {
    this.#reset();
    this.#isAfterDefect = true;
    return { line: this.#start, defect };
  }

  #reset(): void {
    this.#lines = [];
    this.#characters = 0;
    this.#open = "";
    this.#isAfterDefect = false;
  }
}

/** The value of a JSON text; `undefined`, which no JSON text means, when it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Like `parseJson`, but a comma may follow the last element or member. */
export function parseLenientJson(text: string): unknown {
  return parseJson(text) ?? parseJson(text.replace(stringsAndLastCommas, "$1"));
}

// Strings are matched, closed or not, to be left alone, and so that every character is looked at once.
const stringsAndLastCommas = /("[^"\\]*(?:\\[^][^"\\]*)*"?)|,(?=\s*[}\]])/g;
const stringsAndBrackets = /"[^"\\]*(?:\\.[^"\\]*)*"?|[{}[\]]/g;

/** The brackets open after `text`, given those before; `undefined` when they cannot match. */
function openBrackets(before: string, text: string): string | undefined {
  let open = before;
  for (const [token] of text.matchAll(stringsAndBrackets)) {
    if (open.length > maxDepth) return undefined;
    if (token === "{" || token === "[") open += token;
    else if (token === "}" || token === "]") {
      if (!open.endsWith(token === "}" ? "{" : "[")) return undefined;
      open = open.slice(0, -1);
    } else if (token.length === 1 || !/[^\\](?:\\\\)*"$/.test(token)) return undefined; // never closed
  }
  return open;
}

function withoutComma(text: string): string {
  return text.endsWith(",") ? text.slice(0, -1) : text;
}
