/**
 * The many spellings of a subscription object, brought into one shape of unchecked values.
 *
 * Only own properties are read, by name, into a fresh object; unknown ones are
 * ignored, so a `__proto__` in outside JSON stays data (PROTOCOL.md §6 row 10).
 * Names are compared without case, `_`, `-`, `.` or spaces: `p256dh_key`, `authKey`
 * and the CSV heading `keys.auth` need no row of their own.
 */
import { parseBase64 } from "../base/bytes.ts";
import { UserError } from "../base/errors.ts";

/** Values found under any known spelling; `undefined` when absent, null or empty text. */
export interface SpelledSubscription {
  readonly endpoint: unknown;
  readonly p256dh: unknown;
  readonly auth: unknown;
  readonly expirationTime: unknown;
  readonly applicationServerKey: unknown;
  readonly contentEncoding: unknown;
}

/** Own properties of an outside object, by simplified name. */
export type Fields = ReadonlyMap<string, unknown>;

/** First spelling that has a value wins; the browser's own word stands first. */
const spellings = {
  endpoint: ["endpoint", "endpointurl"],
  p256dh: ["p256dh", "p256dhkey", "keysp256dh", "keyp256dh", "publickey", "userpublickey"],
  auth: ["auth", "authkey", "keysauth", "keyauth", "authtoken", "authsecret", "userauth"],
  expirationTime: ["expirationtime", "expiration", "expiresat"],
  applicationServerKey: ["applicationserverkey", "optionsapplicationserverkey", "vapidpublickey", "vapidkey"],
  contentEncoding: ["contentencoding", "encoding"],
} as const;

const wrappers = ["subscription", "pushsubscription"] as const;

/** Which part of a subscription a member, column or heading of this name is; `whole` for one that has it all in it. */
export function partNamed(name: string): keyof SpelledSubscription | "whole" | "keys" | undefined {
  const simple = simplified(name);
  if (wrappers.some((wrapper) => wrapper === simple)) return "whole";
  if (simple === "keys") return "keys";
  const parts = Object.entries(spellings) as [keyof SpelledSubscription, readonly string[]][];
  return parts.find(([, names]) => names.includes(simple))?.[0];
}

/** A name without case and without what is between its words. */
export function simplified(name: string): string {
  return /^[a-z0-9]*$/.test(name) ? name : name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Deepest chain of wrappers and JSON-in-a-string that is followed. */
const maxDepth = 4;

/** What to do about nearly every malformed subscription. */
export const copyWholeSubscription =
  "hand in what JSON.stringify(subscription) gives in the page, `keys` included";

/** The own properties of `object` by simplified name; of two that differ only in spelling, the first. */
export function fieldsOf(object: object): Fields {
  const fields = new Map<string, unknown>();
  for (const [name, value] of Object.entries(object)) {
    const simple = simplified(name);
    if (!fields.has(simple)) fields.set(simple, value);
  }
  return fields;
}

/** The first value present under `names`; null and blank text count as absent. */
export function pick(fields: Fields, names: readonly string[]): unknown {
  for (const name of names) {
    const value = fields.get(name);
    if (value !== undefined && value !== null && !(typeof value === "string" && value.trim() === ""))
      return value;
  }
  return undefined;
}

/** Whether `value` is a plain collection of named members rather than a list, bytes or a scalar. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Whether an object has an endpoint under any spelling, itself or in a wrapper: then it is one subscription. */
export function looksLikeSubscription(value: unknown, depth = 0): boolean {
  if (!isRecord(value) || depth > maxDepth) return false;
  const fields = fieldsOf(value);
  const endpoint = pick(fields, spellings.endpoint);
  // A person may be called "endpoint": an object there is an entry of a named map, not a URL.
  if (endpoint !== undefined && !isRecord(endpoint)) return true;
  const wrapped = pick(fields, wrappers);
  return typeof wrapped === "string" || looksLikeSubscription(wrapped, depth + 1);
}

/**
 * The values of a subscription in any spelling, not yet checked.
 *
 * @throws UserError `subscription-malformed` when it is not an object of named values.
 */
export function readSpelling(value: unknown, depth = 0): SpelledSubscription {
  const fields = fieldsOf(expectRecord(value, depth));
  const wrapped = pick(fields, wrappers);
  const own = readFields(fields);
  if (own.endpoint !== undefined || wrapped === undefined) return own;
  const inner = readSpelling(wrapped, depth + 1);
  return {
    ...inner,
    expirationTime: inner.expirationTime ?? own.expirationTime,
    applicationServerKey: inner.applicationServerKey ?? own.applicationServerKey,
    contentEncoding: inner.contentEncoding ?? own.contentEncoding,
  };
}

function readFields(fields: Fields): SpelledSubscription {
  const keys = nested(fields, "keys");
  const options = nested(fields, "options");
  return {
    endpoint: pick(fields, spellings.endpoint),
    p256dh: pick(keys, spellings.p256dh) ?? pick(fields, spellings.p256dh),
    auth: pick(keys, spellings.auth) ?? pick(fields, spellings.auth),
    expirationTime: pick(fields, spellings.expirationTime),
    applicationServerKey:
      pick(fields, spellings.applicationServerKey) ?? pick(options, spellings.applicationServerKey),
    contentEncoding: pick(fields, spellings.contentEncoding),
  };
}

/** The fields of a member object; a database column may hold it as JSON text. */
function nested(fields: Fields, name: string): Fields {
  const value = fields.get(name);
  const object = typeof value === "string" ? parseJson(value) : value;
  return isRecord(object) ? fieldsOf(object) : new Map();
}

function expectRecord(value: unknown, depth: number): object {
  if (depth > maxDepth) throw malformed("is wrapped too many times");
  if (typeof value === "string") return expectRecord(parseText(value), depth + 1);
  if (Array.isArray(value)) throw malformed(`is a list of ${value.length}, not one object`);
  if (!isRecord(value)) throw malformed(`is ${value === null ? "null" : `a ${typeof value}`}, not an object`);
  return value;
}

/** Text that holds the object: JSON within JSON happens when `JSON.stringify` ran twice. */
function parseText(text: string): unknown {
  const parsed = parseJson(text);
  if (parsed !== undefined) return parsed;
  if (text.trim() === "") throw malformed("is empty");
  if (text.includes("[object Object]"))
    throw malformed(
      'is the text "[object Object]"',
      "use JSON.stringify(subscription) where it is turned into text",
    );
  if (/^\s*https?:\/\//i.test(text))
    throw malformed("is an endpoint alone, without keys", copyWholeSubscription);
  if (isFcmToken(text)) throw malformed("is an FCM registration token", fcmTokenAdvice);
  throw malformed("is not JSON");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function malformed(what: string, hint: string = copyWholeSubscription): UserError {
  return new UserError("subscription-malformed", `subscription ${what}`, { hints: [hint] });
}

/** What to do when a token of the Firebase SDK stands where an endpoint should. */
export const fcmTokenAdvice =
  "a Firebase token is no push endpoint: call registration.pushManager.subscribe() in the page and hand in its JSON";

/** Whether `text` is a registration token of the Firebase SDK, often mistaken for an endpoint. */
export function isFcmToken(text: string): boolean {
  return /^(?:[\w-]{8,64}:)?APA91[\w-]/.test(text.trim());
}

/**
 * The bytes of a key in any form it is found in: base64 text, bytes, a list of
 * numbers, `{"0":4,"1":…}` (a Uint8Array through JSON) or `{"type":"Buffer","data":[…]}`.
 */
export function readBytes(value: unknown): Uint8Array | undefined {
  // PostgreSQL's encode() and MIME break lines after 76 characters, inside of a p256dh.
  if (typeof value === "string") return parseBase64(value.replace(/[\r\n]+/g, ""));
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (Array.isArray(value)) return bytesOfList(value);
  if (!isRecord(value)) return undefined;
  if (value["type"] === "Buffer" && Array.isArray(value["data"])) return bytesOfList(value["data"]);
  // Own integer-like names come first and in ascending order, so the values are in order too.
  const names = Object.keys(value);
  const isNumbered = names.length > 0 && names.every((name, index) => name === String(index));
  return isNumbered ? bytesOfList(Object.values(value)) : undefined;
}

function bytesOfList(list: readonly unknown[]): Uint8Array | undefined {
  const isByte = (item: unknown): item is number =>
    typeof item === "number" && Number.isInteger(item) && item >= 0 && item <= 255;
  return list.length > 0 && list.every(isByte) ? Uint8Array.from(list) : undefined;
}
