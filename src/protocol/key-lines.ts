/**
 * Keys that have a name next to them: `.env`, YAML, JSON members, and what tools print.
 *
 * There is no list of accepted names. A name is taken apart into words; the last
 * of `public`, `private`, `subject` and their like says what the value is (so that
 * NEXT_PUBLIC_VAPID_PRIVATE_KEY is private), and `vapid` or `push` among the words
 * lets it win over other keys of the same file, such as JWT_PRIVATE_KEY.
 */
import { formatBase64url } from "../base/bytes.ts";
import { UserError } from "../base/errors.ts";
import { isRecord, readBytes } from "./spellings.ts";

/** A name and a value as they stand in a file. */
export type NamedValue = readonly [name: string, value: string];

/** The values that were found, still unread text. */
export interface NamedKeys {
  readonly publicText: string | undefined;
  readonly privateText: string | undefined;
  readonly subject: string | undefined;
}

type Role = "public" | "private" | "subject";

const roleWords: readonly (readonly [Role, RegExp])[] = [
  ["public", /^(?:vapid)?(?:public|pub)(?:key)?$/],
  ["private", /^(?:vapid)?(?:private|priv|pvt)(?:key)?$/],
  ["subject", /^(?:vapid)?(?:subject|sub|e?mail|mailto|contact)$/],
];

/** A word that may stand in a name that says neither `vapid` nor `push`. */
const plainWord = "key";

/** Names of places where a key lies, not of keys. */
const otherWords = /^(?:path|file|filename|passphrase|password|id)$/;

const maxDepth = 4;

/**
 * The key values among named ones; `undefined` when no name speaks of a key.
 *
 * @throws UserError `keys-ambiguous` when two names that count the same have different values.
 */
export function pickKeys(values: Iterable<NamedValue>): NamedKeys | undefined {
  const candidates = [...values].flatMap(classify);
  const privateKey = pickRole(candidates, "private");
  // A public key that matters less than the private one belongs to something else.
  const publicKey = pickRole(candidates, "public", privateKey?.rank);
  if (privateKey === undefined && publicKey === undefined) return undefined;
  const [subject] = ranked(candidates, "subject");
  return { publicText: publicKey?.value, privateText: privateKey?.value, subject: subject?.value };
}

interface Candidate {
  readonly name: string;
  readonly value: string;
  readonly role: Role;
  /** 3: the name says vapid, 2: push, 1: neither, but nothing else either. */
  readonly rank: number;
}

function classify([name, value]: NamedValue): Candidate[] {
  const words = wordsOf(name);
  const role = words.flatMap(roleOfWord).at(-1);
  if (role === undefined || value === "" || words.some((word) => otherWords.test(word))) return [];
  const rank = rankOf(words, wordsOf(name.slice(name.lastIndexOf(".") + 1)));
  return rank === 0 ? [] : [{ name, value, role, rank }];
}

function rankOf(words: readonly string[], lastWords: readonly string[]): number {
  if (words.some((word) => word.startsWith("vapid"))) return 3;
  if (words.some((word) => /^(?:web)?push$/.test(word))) return 2;
  return lastWords.every((word) => word === plainWord || roleOfWord(word).length > 0) ? 1 : 0;
}

/** `webPushPublicKey`, `WEB_PUSH_PUBLIC_KEY` and `web-push.public key` are the same words; browsers say `applicationServerKey`. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/application[^a-z0-9]?server/, "public ")
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

function roleOfWord(word: string): Role[] {
  return roleWords.flatMap(([role, pattern]) => (pattern.test(word) ? [role] : []));
}

function ranked(candidates: readonly Candidate[], role: Role, least = 1): Candidate[] {
  const some = candidates.filter((candidate) => candidate.role === role && candidate.rank >= least);
  const best = Math.max(...some.map(({ rank }) => rank));
  return some.filter(({ rank }) => rank === best);
}

function pickRole(candidates: readonly Candidate[], role: Role, least?: number): Candidate | undefined {
  const [first, ...others] = ranked(candidates, role, least);
  const other = others.find(({ value }) => value !== first?.value);
  if (first === undefined || other === undefined) return first;
  const names = first.name === other.name ? first.name : `${first.name} and ${other.name}`;
  throw new UserError("keys-ambiguous", `there are two different ${role} keys, ${names}`, {
    hints: ["keep the pair you mean and remove the other from the file"],
  });
}

/** Every text in a JSON value with its path as the name; byte arrays become base64url. */
export function membersOf(value: unknown, path = "", depth = 0): NamedValue[] {
  if (typeof value === "string") return [[path, value.trim()]];
  if (!isRecord(value) && !Array.isArray(value)) return [];
  const bytes = readBytes(value);
  if (bytes !== undefined) return [[path, formatBase64url(bytes)]];
  // A JWK as the value of a name stays whole: its own d, x and y mean nothing alone.
  if (isRecord(value) && path !== "" && "kty" in value) return [[path, jwkText(value)]];
  if (depth >= maxDepth) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    membersOf(member, path === "" ? name : `${path}.${name}`, depth + 1),
  );
}

/** The members of a JWK that say anything (RFC 7518 §6.2); others may be nested without end. */
function jwkText({ kty, crv, x, y, d }: Readonly<Record<string, unknown>>): string {
  const flat = Object.entries({ kty, crv, x, y, d }).map(([name, value]) => {
    return [name, typeof value === "object" && value !== null ? {} : value] as const;
  });
  return JSON.stringify(Object.fromEntries(flat));
}

/** `NAME=value`, `name: value`, `'name' => 'value',`, `export NAME="value"`, or a name with its value on the next line. */
const namedLine =
  /^\s*(?:[-*]\s+)?(?:(?:export|set|const|let|var)\s+|\$env:)?["'`]?([A-Za-z_][\w.\- ]{0,80}?)["'`]?\s*(?:=>|:=|[:=])\s*(.*)$/;

/** How far below its name a value may begin. */
const maxGapLines = 3;

/** An EC key has five lines; an RSA key, to be refused by its name, up to some fifty. */
const maxPemLines = 100;

/** Every named value in a text, comments left out. */
export function namedLines(text: string): NamedValue[] {
  const values: NamedValue[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const [, name, rest] = /^\s*(?:#|\/\/)/.test(line) ? [] : (namedLine.exec(line) ?? []);
    if (name === undefined || rest === undefined) continue;
    values.push([
      name,
      rest === "" ? valueBelow(lines, index) : (quotedBlock(lines, index, rest) ?? plainValue(rest)),
    ]);
  }
  return values;
}

/** The next line with something on it, when that can be a key: `Public Key:` of `web-push generate-vapid-keys`. */
function valueBelow(lines: readonly string[], index: number): string {
  const next = lines.slice(index + 1, index + 1 + maxGapLines).find((line) => line.trim() !== "") ?? "";
  return /^[\w+/-]+={0,2}$/.test(next.trim()) ? next.trim() : "";
}

/** A PEM in quotation marks over several lines, as `.env` files hold it. */
function quotedBlock(lines: readonly string[], index: number, rest: string): string | undefined {
  const quote = /^(["'`])-----BEGIN/.exec(rest)?.[1];
  if (quote === undefined || rest.indexOf(quote, 1) > 0) return undefined;
  const following = lines.slice(index + 1, index + 1 + maxPemLines);
  const end = following.findIndex((line) => line.includes(quote));
  return [rest.slice(1), ...following.slice(0, end < 0 ? undefined : end + 1)].join("\n").split(quote)[0];
}

/** A value without its quotation marks, its comment and the punctuation of the language it stands in. */
function plainValue(rest: string): string {
  const quoted = /^(["'`])(.*?)\1/.exec(rest)?.[2];
  if (quoted !== undefined) return quoted.trim();
  return rest
    .replace(/\s+(?:#|\/\/).*$/, "")
    .replace(/[\s,;]+$/, "")
    .trim();
}
