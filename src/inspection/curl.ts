/**
 * A curl command line -> the request it makes: as browsers' "Copy as cURL" writes it, or `webpush send --curl`.
 *
 * Words are split as a POSIX shell and bash's $'…' do; nothing is expanded or run.
 */
import { UserError } from "../base/errors.ts";
import type { HttpRequest } from "./request.ts";

/** What stands where the body does. */
export type CurlBody = { readonly text: string } | { readonly file: string } | undefined;

export interface CurlCommand {
  readonly request: Omit<HttpRequest, "body">;
  readonly body: CurlBody;
}

/** curl's options that take a value of no interest here; others without a value are skipped alone. */
const valued = new Set(
  (
    "-x --proxy --cacert --capath --cert -E --key --max-time -m --connect-timeout -o --output -w --write-out --retry " +
    "-A --user-agent -e --referer -b --cookie -c --cookie-jar -u --user --resolve --interface --dns-servers -T --upload-file"
  ).split(" "),
);

/**
 * Reads a command line.
 *
 * @throws UserError `inspect-unreadable`
 */
export function parseCurl(text: string): CurlCommand {
  const [, ...words] = shellWords(text);
  const headers: [string, string][] = [];
  let [method, url]: (string | undefined)[] = [undefined, undefined];
  let body: CurlBody;
  for (let at = 0; at < words.length; at += 1) {
    const [option, value, taken] = optionAt(words, at);
    at += taken;
    switch (option) {
      case "-X":
      case "--request":
        method = value;
        break;
      case "-H":
      case "--header":
        headers.push(splitHeader(value));
        break;
      case "-d":
      case "--data":
      case "--data-ascii":
      case "--data-binary":
      case "--data-raw":
        body = option !== "--data-raw" && value.startsWith("@") ? { file: value.slice(1) } : { text: value };
        break;
      case "--url":
      case undefined:
        url = value;
        break;
      default: // another option; its value, if it has one, was taken with it
    }
  }
  if (url === undefined) {
    throw new UserError("inspect-unreadable", "the curl command names no address", {
      hints: ["copy the whole command, to its last line"],
    });
  }
  const request = {
    method: method ?? (body === undefined ? "GET" : "POST"),
    url,
    headers: Object.fromEntries(headers),
  };
  return { request, body };
}

/** An option with its value, `undefined` for a word that is none, and how many words after it were taken. */
function optionAt(words: readonly string[], at: number): readonly [string | undefined, string, number] {
  const word = words[at] ?? "";
  const next = words[at + 1] ?? "";
  if (!word.startsWith("-") || word === "-") return [undefined, word, 0];
  const [, name = "", joined] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  if (joined !== undefined) return [name, joined, 0];
  const isValued =
    /^(?:-X|-H|-d|--request|--header|--url|--data(?:-(?:ascii|binary|raw))?)$/.test(word) || valued.has(word);
  if (isValued) return [word, next, 1];
  // -XPOST, -H'name: value'
  const [, short = "", rest = ""] = /^(-[XHd])(.+)$/s.exec(word) ?? [];
  return rest === "" ? [word, "", 0] : [short, rest, 0];
}

function splitHeader(text: string): [string, string] {
  const at = text.indexOf(":");
  return at < 0
    ? [text.trim().toLowerCase(), ""]
    : [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
}

/** The words of a command line. */
function shellWords(text: string): readonly string[] {
  const pattern = /\\\r?\n|\s+|\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\$]+|\$)/gsy;
  const words: string[] = [];
  let word: string | undefined;
  let read = 0;
  for (const found of text.trim().matchAll(pattern)) {
    read += found[0].length;
    const part = partOf(found);
    if (part === undefined) {
      if (word !== undefined && !found[0].startsWith("\\")) {
        words.push(word);
        word = undefined;
      }
    } else word = (word ?? "") + part;
  }
  if (word !== undefined) words.push(word);
  if (read === text.trim().length) return words;
  throw new UserError("inspect-unreadable", "the curl command has a quotation mark without its other", {
    hints: ["copy the whole command, to its last line"],
  });
}

/** What a piece adds to its word; undefined between words. */
function partOf([, ansi, single, double, escaped, plain]: RegExpExecArray): string | undefined {
  if (ansi !== undefined) return unescapeAnsi(ansi);
  if (double !== undefined)
    return double.replace(/\\(?:\r?\n|(["\\$`]))/g, (_all, kept: string | undefined) => kept ?? "");
  return single ?? escaped ?? plain;
}

const ansiNames: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  "0": "\0",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  e: "\x1b",
};

/** bash's $'…': `\n`, `\x41`, `\u00e9`, `\'`. */
function unescapeAnsi(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-f]{1,2})|u([0-9a-f]{1,4})|(.))/gis,
    (_all, hex: string | undefined, unicode: string | undefined, one: string) => {
      const code = hex ?? unicode;
      return code === undefined ? (ansiNames[one] ?? one) : String.fromCharCode(Number.parseInt(code, 16));
    },
  );
}
