/**
 * A curl command line -> the request it makes: as browsers' "Copy as cURL" writes it, or `webpush send --curl`.
 *
 * Words are split as a POSIX shell and bash's $'…' do; nothing is expanded or run. While they
 * are, each character is one byte of the command's UTF-8: `\xNN` is a byte, and a body is bytes.
 */
import { UserError } from "../base/errors.ts";
import type { HttpRequest } from "./request.ts";

/** What stands where the body does. */
export type CurlBody = { readonly bytes: Uint8Array } | { readonly file: string } | undefined;

export interface CurlCommand {
  readonly request: Omit<HttpRequest, "body">;
  readonly body: CurlBody;
}

/** What an option's value is; `other` values are passed over. Options that are not here are taken to have none. */
type Meaning = "method" | "header" | "data" | "raw data" | "url" | "other";

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...named("method", "-X --request"),
  ...named("header", "-H --header"),
  ...named("data", "-d --data --data-ascii --data-binary --json"),
  ...named("raw data", "--data-raw"),
  ...named("url", "--url"),
  ...named(
    "other",
    "-x --proxy --cacert --capath --cert -E --key -m --max-time --connect-timeout -o --output -w",
  ),
  ...named("other", "--write-out --retry -A --user-agent -e --referer -b --cookie -c --cookie-jar -u --user"),
  ...named(
    "other",
    "--resolve --interface --dns-servers -T --upload-file -F --form -D --dump-header -K --config",
  ),
  ...named(
    "other",
    "--limit-rate --retry-delay --retry-max-time --connect-to --unix-socket -Y -y -r --range",
  ),
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
  const addresses = given.filter(([what]) => what === "url").map(([, value]) => textOf(value));
  const last = (meaning: Meaning): string | undefined => given.findLast(([what]) => what === meaning)?.[1];
  // The value of an option that is not in the table passes for an address.
  const url = addresses.findLast((one) => /^https?:\/\//i.test(one)) ?? addresses.at(-1);
  if (url === undefined) {
    throw new UserError("inspect-unreadable", "the curl command names no address", {
      hints: ["copy the whole command, to its last line"],
    });
  }
  const data = last("data");
  const raw = last("raw data");
  const body = raw === undefined ? bodyOf(data) : { bytes: Buffer.from(raw, "latin1") };
  const headers = given.filter(([what]) => what === "header").map(([, value]) => splitHeader(textOf(value)));
  const method = textOf(last("method") ?? (raw === undefined && data === undefined ? "GET" : "POST"));
  return {
    request: { method, url, headers: Object.fromEntries(headers) },
    body,
  };
}

function bodyOf(data: string | undefined): CurlBody {
  if (data === undefined || data === "") return undefined;
  return data.startsWith("@") ? { file: textOf(data.slice(1)) } : { bytes: Buffer.from(data, "latin1") };
}

/** Characters of one byte each -> the text that their UTF-8 is. */
function textOf(word: string): string {
  return Buffer.from(word, "latin1").toString("utf8");
}

type Pair = readonly [meaning: Meaning, value: string];

/** Options with their values, and the words that are none: addresses. */
function pairsIn(words: readonly string[]): readonly Pair[] {
  const pairs: Pair[] = [];
  const rest = words[Symbol.iterator]();
  for (const word of rest) {
    if (!word.startsWith("-")) {
      pairs.push(["url", word]);
      continue;
    }
    const { option, joined } = word.startsWith("--") ? longOption(word) : shortOption(word);
    const meaning = meanings.get(option);
    if (meaning !== undefined) pairs.push([meaning, joined ?? rest.next().value ?? ""]);
  }
  return pairs;
}

interface GivenOption {
  readonly option: string;
  /** The value that stands in the same word. */
  readonly joined: string | undefined;
}

/** `--data`, `--data=x` */
function longOption(word: string): GivenOption {
  const [, option = word, joined] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  return { option, joined };
}

/** `-X`, `-XPOST`, `-sSX`, `-sSXPOST`: the first that takes a value has the rest of the word. */
function shortOption(word: string): GivenOption {
  const letters = Array.from(word.slice(1));
  const at = letters.findIndex((letter) => meanings.has(`-${letter}`));
  const value = at < 0 ? "" : word.slice(at + 2);
  return { option: `-${letters[at] ?? ""}`, joined: value === "" ? undefined : value };
}

function splitHeader(text: string): [string, string] {
  const at = text.indexOf(":");
  return at < 0
    ? [text.trim().toLowerCase(), ""]
    : [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
}

/** The words of a command line. */
function shellWords(text: string): readonly string[] {
  // Not \s: a byte of a character may look like a space to it.
  const pattern =
    /\\\r?\n|[ \t\r\n]+|\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^ \t\r\n'"\\$]+|\$)/gsy;
  const bytes = Buffer.from(text.trim(), "utf8").toString("latin1");
  const words: string[] = [];
  let word: string | undefined;
  let read = 0;
  for (const found of bytes.matchAll(pattern)) {
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
  if (read === bytes.length) return words;
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
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  e: "\x1b",
};

/** bash's $'…': `\n`, `\x41` and `\101` as bytes, `\u00e9` as its UTF-8, `\'`. */
function unescapeAnsi(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|[0-7]{1,3}|.)/gs, (_all, code: string) => {
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    if (code.length === 1) return ansiNames[code] ?? code;
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return code.startsWith("x") ? character : Buffer.from(character, "utf8").toString("latin1");
  });
}
