/**
 * Files and streams of subscriptions, in whatever form people have them.
 *
 * JSON (one, a list, a map by name, `{"subscriptions": …}`), NDJSON and CSV are told
 * apart by their beginning. One bad entry is reported with its place and does not
 * stop the others; only a text in none of the forms throws. Streams are read with
 * one entry in memory.
 */
import { UserError } from "../base/errors.ts";
import { fieldsOf, isRecord, looksLikeSubscription, pick } from "../protocol/spellings.ts";
import { parseSubscription, type Subscription } from "../protocol/subscription.ts";
import { readHeading, readRows, type CsvHeading, type CsvPiece } from "./csv-rows.ts";
import { JsonValues, parseLenientJson, type JsonPiece } from "./json-values.ts";

/** A subscription with what a person calls it. */
export interface LabelledSubscription {
  readonly subscription: Subscription;
  readonly name: string | undefined;
  readonly tags: readonly string[];
}

/** An entry that was read; `at` is its place for people: `line 3`, `entry 2`, `"alice"`. */
export interface ImportedSubscription extends LabelledSubscription {
  readonly ok: true;
  readonly at: string;
}

/** An entry that is no subscription, and why. */
export interface RefusedEntry {
  readonly ok: false;
  readonly at: string;
  readonly error: UserError;
}

export type ImportEntry = ImportedSubscription | RefusedEntry;

/** The forms subscriptions are written in. */
export const subscriptionFormats = ["json", "ndjson", "csv"] as const;

export type SubscriptionFormat = (typeof subscriptionFormats)[number];

const formsHint =
  "give JSON.stringify(subscription), a JSON list or map of them, one per line, or CSV headed endpoint,p256dh,auth";

/**
 * Every subscription of a stream of lines, as they come, good and bad; memory holds one of them.
 *
 * @throws UserError `subscriptions-unreadable` when the stream is in none of the forms
 */
export async function* readSubscriptions(lines: AsyncIterable<string>): AsyncGenerator<ImportEntry> {
  const iterator = lines[Symbol.asyncIterator]();
  try {
    const { first, blank } = await firstLine(iterator);
    if (first === undefined) return;
    const form = formOf(first.trim());
    const rest = resume(first, iterator);
    if (form !== "json") {
      for await (const piece of readRows(rest, form)) yield readRow(piece, blank);
      return;
    }
    const reader = new JsonReader(blank);
    for await (const line of rest) yield* reader.push(line);
    yield* reader.end();
  } finally {
    await iterator.return?.();
  }
}

async function firstLine(
  iterator: AsyncIterator<string>,
): Promise<{ first: string | undefined; blank: number }> {
  for (let blank = 0; ; blank += 1) {
    const next = await iterator.next();
    if (next.done === true) return { first: undefined, blank };
    const line = blank === 0 ? withoutMark(next.value) : next.value;
    if (line.trim() !== "") return { first: line, blank };
  }
}

async function* resume(first: string, iterator: AsyncIterator<string>): AsyncGenerator<string> {
  yield withoutReturn(first);
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
    yield withoutReturn(next.value);
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

function formOf(line: string): "json" | CsvHeading {
  if (/^[{[]/.test(line) && !line.startsWith("[object Object]")) return "json";
  const heading = readHeading(line);
  if (looksLikeSubscription(Object.fromEntries(heading.columns.map((name) => [name, "?"])))) return heading;
  throw unreadable(whyUnreadable(line));
}

function whyUnreadable(line: string): readonly [what: string, hint: string] {
  if (line.includes("[object Object]"))
    return ['is the text "[object Object]"', "use JSON.stringify(subscription) where it is turned into text"];
  if (!/^"?https?:\/\//i.test(line)) return ["is neither JSON nor CSV with a heading", formsHint];
  return readHeading(line).columns.length > 1
    ? ["is CSV without a heading line", "put endpoint,p256dh,auth in front as the first line"]
    : ["is an endpoint alone, without keys", formsHint];
}

function unreadable([what, hint]: readonly [string, string]): UserError {
  return new UserError("subscriptions-unreadable", `the text ${what}`, { hints: [hint] });
}

/** Turns lines of JSON into entries. */
class JsonReader {
  readonly #values = new JsonValues();
  readonly #skipped: number;
  #pieces = 0;

  constructor(skippedLines = 0) {
    this.#skipped = skippedLines;
  }

  *push(line: string): Generator<ImportEntry> {
    for (const piece of this.#values.push(line)) yield* this.#read(piece);
  }

  *end(): Generator<ImportEntry> {
    for (const piece of this.#values.end()) {
      if (this.#pieces === 0) throw unreadable(["begins like JSON and does not end", formsHint]);
      yield* this.#read(piece);
    }
  }

  *#read(piece: JsonPiece): Generator<ImportEntry> {
    this.#pieces += 1;
    const at = `line ${piece.line + this.#skipped}`;
    if ("value" in piece) yield* expand(piece.value, { at });
    else yield refuse(at, malformed(`is ${piece.defect}`));
  }
}

/** Where an entry stands, and what the place says about it. */
interface Place {
  readonly at: string;
  readonly name?: string;
  readonly tags?: readonly string[];
}

/** The entries of one JSON value: itself, its elements, or its members by name. */
function* expand(value: unknown, place: Place, isUnwrapped = false): Generator<ImportEntry> {
  if (Array.isArray(value)) {
    yield* expandList(value, place);
    return;
  }
  const members = isRecord(value) ? namedSubscriptions(value) : [];
  const isOne = looksLikeSubscription(value) && members.length < 2;
  if (isOne || !isRecord(value)) {
    yield readEntry(value, place);
    return;
  }
  const list = fieldsOf(value).get("subscriptions");
  if (!isUnwrapped && (Array.isArray(list) || isRecord(list))) yield* expand(list, place, true);
  else if (members.length === 0) yield readEntry(value, place);
  else for (const [name, member] of Object.entries(value)) yield* expandMember(name, member, place);
}

function* expandList(list: readonly unknown[], place: Place): Generator<ImportEntry> {
  for (const [index, element] of list.entries()) {
    const at = join(place.at, `entry ${index + 1}`);
    // Lists in lists are not followed: nobody writes them, and depth would be the writer's choice.
    yield readEntry(element, { ...place, at });
  }
}

function* expandMember(name: string, member: unknown, place: Place): Generator<ImportEntry> {
  const at = join(place.at, JSON.stringify(name));
  const error = nameDefect(name);
  if (error !== undefined) yield refuse(at, error);
  // Some databases use the endpoint as the key; it is no name.
  else if (/^https?:\/\//i.test(name)) yield readEntry(member, { at });
  else if (!Array.isArray(member)) yield readEntry(member, { at, name });
  // One person's browsers: a name is for one subscription, a tag for several.
  else if (member.length === 1) yield readEntry(member[0], { at, name });
  else yield* expandList(member, { at, tags: [name] });
}

/** The members that are subscriptions, or lists of them. */
function namedSubscriptions(value: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Object.values(value).filter(
    (member) =>
      looksLikeSubscription(member) ||
      (Array.isArray(member) && member.some((element) => looksLikeSubscription(element))),
  );
}

function join(at: string, inner: string): string {
  return at === "" ? inner : `${at}, ${inner}`;
}

function readRow(piece: CsvPiece, skippedLines: number): ImportEntry {
  const at = `line ${piece.line + skippedLines}`;
  return "row" in piece
    ? readEntry(piece.row, { at })
    : refuse(at, malformed(`cannot be read: ${piece.defect}`));
}

function readEntry(value: unknown, place: Place): ImportEntry {
  const at = place.at === "" ? "entry 1" : place.at;
  try {
    const subscription = parseSubscription(value);
    const labels = isRecord(value) ? readLabels(value) : { name: undefined, tags: [] };
    const tags = [...new Set([...(place.tags ?? []), ...labels.tags])];
    return { ok: true, at, subscription, name: place.name ?? labels.name, tags };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return refuse(at, error);
  }
}

function readLabels(value: Readonly<Record<string, unknown>>): Pick<LabelledSubscription, "name" | "tags"> {
  const fields = fieldsOf(value);
  return { name: readName(pick(fields, ["name", "label"])), tags: readTags(pick(fields, ["tags", "tag"])) };
}

function readName(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" && typeof value !== "number") throw malformed("has a name that is not text");
  const error = nameDefect(String(value));
  if (error !== undefined) throw error;
  return String(value);
}

const maxNameLength = 200;

function nameDefect(name: string): UserError | undefined {
  if (["__proto__", "constructor", "prototype"].includes(name)) {
    return new UserError("name-reserved", `the name ${name} is reserved`, { hints: ["choose another name"] });
  }
  if (name.length <= maxNameLength) return undefined;
  const message = `the name ${JSON.stringify(`${name.slice(0, 40)}…`)} is ${name.length} characters long`;
  return new UserError("name-too-long", message, {
    hints: [`keep names within ${maxNameLength} characters`],
  });
}

/** Tags as a list, its JSON text, or words separated by commas, semicolons or blanks. */
function readTags(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const list = typeof value === "string" && value.startsWith("[") ? parseLenientJson(value) : value;
  if (typeof list === "string") return list.split(/[,;\s]+/).filter((tag) => tag !== "");
  if (!Array.isArray(list)) throw malformed("has tags that are not a list of words");
  return list.map((tag: unknown) => {
    if (typeof tag === "string" || typeof tag === "number") return String(tag);
    throw malformed("has a tag that is not text");
  });
}

function malformed(what: string): UserError {
  return new UserError("subscription-malformed", `subscription ${what}`, { hints: [formsHint] });
}

function refuse(at: string, error: UserError): RefusedEntry {
  return { ok: false, at, error };
}
