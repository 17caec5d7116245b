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

/** What an option's value is; `other` values are passed over. Options that are not here take none. */
type Meaning = "method" | "header" | "data" | "raw data" | "url" | "other";

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...named("method", "-X --request"),
  ...named("header", "-H --header"),
  ...named("data", "-d --data --data-ascii --data-binary"),
  ...named("raw data", "--data-raw"),
  ...named("url", "--url"),
  ...named(
    "other",
    "-x --proxy --cacert --capath --cert -E --key -m --max-time --connect-timeout -o --output -w",
  ),
  ...named("other", "--write-out --retry -A --user-agent -e --referer -b --cookie -c --cookie-jar -u --user"),
  ...named("other", "--resolve --interface --dns-servers -T --upload-file"),
]);

function named(meaning: Meaning, options: string): readonly (readonly [string, Meaning])[] {
  return options.split(" ").map((option) => [option, meaning]);
}

/**
 * Reads a command line.
 *
 * @throws UserError `inspect-unreadable`
 */
export function parseCurl(text: string): CurlCommand {
  const [, ...words] = shellWords(text);
  const given = pairsIn(words);
  const last = (meaning: Meaning): string | undefined => given.findLast(([what]) => what === meaning)?.[1];
  const url = last("url");
  if (url === undefined) {
    throw new UserError("inspect-unreadable", "the curl command names no address", {
      hints: ["copy the whole command, to its last line"],
    });
  }
  const data = last("data");
  const raw = last("raw data");
  const body = raw === undefined ? bodyOf(data) : { text: raw };
  const headers = given.filter(([what]) => what === "header").map(([, value]) => splitHeader(value));
  const method = last("method") ?? (raw === undefined && data === undefined ? "GET" : "POST");
  return {
    request: { method, url, headers: Object.fromEntries(headers) },
    body,
  };
}

function bodyOf(data: string | undefined): CurlBody {
  if (data === undefined || data === "") return undefined;
  return data.startsWith("@") ? { file: data.slice(1) } : { text: data };
}

type Pair = readonly [meaning: Meaning, value: string];

/** Options with their values, and the words that are none: addresses. */
function pairsIn(words: readonly string[]): readonly Pair[] {
  const pairs: Pair[] = [];
  const rest = words[Symbol.iterator]();
  for (const word of rest) {
    const [, long = word, joined] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    const meaning = meanings.get(long) ?? meanings.get(word.slice(0, 2));
    if (!word.startsWith("-")) pairs.push(["url", word]);
    else if (meaning === undefined || (word.startsWith("--") && !meanings.has(long))) continue;
    // --data=x, -XPOST, -X POST
    else if (joined !== undefined) pairs.push([meaning, joined]);
    else if (!word.startsWith("--") && word.length > 2) pairs.push([meaning, word.slice(2)]);
    else pairs.push([meaning, rest.next().value ?? ""]);
  }
  return pairs;
}

function splitHeader(text: string): [string, string] {
  const at = text.indexOf(":");
  return at < 0
    ? [text.trim().toLowerCase(), ""]
    : [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
}

/** The words of a command line. */
function shellWords(text: string): readonly string[] {
  const pattern =
    /\\\r?\n|\s+|\$'([^'\\]*(?:\\.[^'\\]*)*)'|'([^']*)'|"([^"\\]*(?:\\.[^"\\]*)*)"|\\(.)|([^\s'"\\$]+|\$)/gsy;
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
