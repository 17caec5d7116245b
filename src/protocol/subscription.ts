/**
 * PushSubscription JSON in its many spellings -> `Subscription`, checked once.
 *
 * What comes out can be encrypted to: the endpoint is a URL kept byte for byte
 * (push services compare it so; a re-encoded WNS token is another token), the key
 * is a point on P-256, the auth secret is 16 bytes. An endpoint is a capability
 * (RFC 8030 §8.3): whoever has it can send, so errors show it shortened.
 */
import { createHash } from "node:crypto";
import { formatBase64url } from "../base/bytes.ts";
import type { Brand } from "../base/brand.ts";
import { UserError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { nearest } from "../base/suggest.ts";
import { isP256Point, pointBytes } from "./p256.ts";
import {
  copyWholeSubscription,
  fcmTokenAdvice,
  isFcmToken,
  readBytes,
  readSpelling,
  type SpelledSubscription,
} from "./spellings.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "./vapid.ts";

/** A push resource URL (RFC 8030 §2), byte for byte as given: `https:`, or `http:` on loopback. */
export type Endpoint = Brand<string, "Endpoint">;

/** The browser's public key, `p256dh`: unpadded base64url of an uncompressed point on P-256 (RFC 8291 §2.1). */
export type SubscriptionKey = Brand<string, "SubscriptionKey">;

/** The content codings a subscription may ask for, the standard one first. */
export const contentEncodings = ["aes128gcm", "aesgcm"] as const;

/** How a message is encrypted: RFC 8291's `aes128gcm`, or the draft before it. */
export type ContentEncoding = (typeof contentEncodings)[number];

/** Everything a sender must know about one browser. */
export interface Subscription {
  readonly endpoint: Endpoint;
  /** Milliseconds since 1970 when the subscription ends; null, as browsers say, when that is not known. */
  readonly expirationTime: number | null;
  readonly p256dh: SubscriptionKey;
  /** Unpadded base64url of 16 bytes (RFC 8291 §3.2). */
  readonly auth: Secret<string>;
  /** The VAPID key it was made with, when the page said so. */
  readonly applicationServerKey: VapidPublicKey | undefined;
  readonly contentEncoding: ContentEncoding;
}

/** `PushSubscription.toJSON()`, with what it leaves out and a sender wants. */
export interface PushSubscriptionJson {
  readonly endpoint: string;
  readonly expirationTime: number | null;
  readonly keys: { readonly p256dh: string; readonly auth: string };
  readonly applicationServerKey?: string;
  readonly contentEncoding?: ContentEncoding;
}

const authBytes = 16;

/** Far above any real one: WNS endpoints, the longest, stay under 700 characters. */
const maxEndpointLength = 2048;

/**
 * Reads a push resource URL (RFC 8030 §4). Plain `http:` is accepted for loopback only.
 *
 * @throws UserError `endpoint-malformed`
 */
export function parseEndpoint(text: string): Endpoint {
  const defect = textDefect(text) ?? urlDefect(text);
  if (defect === undefined) return text as Endpoint;
  const [what, hint] = defect;
  throw new UserError("endpoint-malformed", `endpoint ${what}`, { hints: [hint] });
}

type Defect = readonly [what: string, hint: string];

const copyEndpoint = "copy `endpoint` from the subscription exactly as the browser gave it";

/** What is wrong with a text that should be an endpoint, before it is read as a URL. */
function textDefect(text: string): Defect | undefined {
  if (text.trim() === "") return ["is empty", copyEndpoint];
  if (text === "[object Object]") return ['is the text "[object Object]"', copyWholeSubscription];
  if (/^\s*[{[]/.test(text)) return ["is JSON, not a URL", "hand the JSON in as the subscription"];
  if (isFcmToken(text)) return ["is an FCM registration token, not a URL", fcmTokenAdvice];
  if (text.length > maxEndpointLength)
    return [`is ${text.length} characters long, the most is ${maxEndpointLength}`, copyEndpoint];
  // The URL parser would drop, encode or turn these into slashes, and the URL would no longer be the one given.
  const odd = /[^!-~]|\\/u.exec(text)?.[0];
  if (odd !== undefined) return [`contains ${nameCharacter(odd)}`, copyEndpoint];
  if (/^https?:\/\/[^/?#]/i.test(text)) return undefined;
  if (/^[\w-]+(?:\.[\w-]+)+(?::\d+)?\//.test(text))
    return [`${excerpt(text)} has no scheme`, "put https:// in front of it"];
  if (isPoint(text)) return ["is a public key, not a URL", copyEndpoint];
  return [`${excerpt(text)} is not an absolute https URL`, copyEndpoint];
}

function urlDefect(text: string): Defect | undefined {
  if (!URL.canParse(text)) return [`${excerpt(text)} is not a URL`, copyEndpoint];
  const defect = (what: string, hint: string): Defect => [`${shortenEndpoint(text)} ${what}`, hint];
  // The raw text, because an empty user name ("https://@host/") leaves no trace in the parsed URL.
  if (/^[^/]*\/\/[^/?]*@/.test(text)) return defect("carries user-info", "remove the part up to the @");
  if (text.includes("#")) return defect("carries a fragment", "remove the part from the # on");
  const { protocol, host, hostname } = new URL(text);
  // 0x7f.1, 2130706433: an address in disguise is meant to pass as something else than it is.
  if (/^[\d.]+$/.test(hostname) && !text.toLowerCase().startsWith(`${protocol}//${host}`))
    return ["names its host in a disguised form", `write the address as it is: ${hostname}`];
  if (protocol === "http:" && !isLoopbackHost(hostname))
    return defect("is plain http", "use https; http is accepted for localhost only");
  return undefined;
}

function nameCharacter(character: string): string {
  if (character === " ") return "a space";
  if (character === "\n" || character === "\r") return "a line break";
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return character === "\\" ? "a backslash" : `the character U+${code}`;
}

/** The scheme and host of an endpoint: the `aud` of its VAPID token (RFC 8292 §2). */
export function endpointOrigin(endpoint: Endpoint): string {
  return new URL(endpoint).origin;
}

/** Whether an endpoint is on this machine: localhost, *.localhost, 127.0.0.0/8 or [::1]. */
export function isLoopbackEndpoint(endpoint: Endpoint): boolean {
  return isLoopbackHost(new URL(endpoint).hostname);
}

/** Whether the `hostname` of a parsed URL is this machine; the parser has lower-cased it and unified addresses. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(?:(?:.*\.)?localhost\.?|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** An endpoint for people, too short to send with: `fcm.googleapis.com/…a1b2c3`. */
export function shortenEndpoint(endpoint: string): string {
  if (!URL.canParse(endpoint)) return excerpt(endpoint);
  const { host, pathname, search } = new URL(endpoint);
  return host === "" ? excerpt(endpoint) : `${host}/…${(pathname + search).slice(1).slice(-6)}`;
}

/** The beginning of a text that may be a secret: less than half of it, 24 characters at most. */
function excerpt(text: string): string {
  return JSON.stringify(`${text.slice(0, Math.min(24, Math.floor(text.length / 2)))}…`);
}

/** Crockford's base32 without look-alikes (i, l, o, u): ids are read aloud and typed. */
const idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const idLength = 10;

/** A short stable name for an endpoint: the first 50 bits of its SHA-256, in ten characters. */
export function subscriptionId(endpoint: Endpoint): string {
  const digest = createHash("sha256").update(endpoint).digest();
  let bits = digest.readBigUInt64BE() >> 14n;
  let id = "";
  for (let index = 0; index < idLength; index += 1) {
    id = idAlphabet.charAt(Number(bits & 31n)) + id;
    bits >>= 5n;
  }
  return id;
}

/**
 * Reads a subscription from an object in any common spelling, or the JSON text of one.
 *
 * @throws UserError `subscription-malformed`, `endpoint-malformed`, `p256dh-malformed`, `auth-malformed`,
 *   `encoding`, `application-server-key-malformed`
 */
export function parseSubscription(value: unknown): Subscription {
  const spelled = readSpelling(value);
  assertComplete(spelled);
  if (typeof spelled.endpoint !== "string") {
    throw new UserError("endpoint-malformed", `endpoint is a ${typeof spelled.endpoint}, not text`, {
      hints: [copyEndpoint],
    });
  }
  const endpoint = parseEndpoint(spelled.endpoint);
  const applicationServerKey = parseApplicationServerKey(spelled.applicationServerKey);
  const p256dh = parseP256dh(spelled);
  if (p256dh === (applicationServerKey as string | undefined)) {
    throw new UserError("p256dh-malformed", "p256dh is the VAPID public key, not the browser's key", {
      hints: [copyWholeSubscription],
    });
  }
  return {
    endpoint,
    expirationTime: parseExpirationTime(spelled.expirationTime),
    p256dh,
    auth: parseAuth(spelled.auth),
    applicationServerKey,
    contentEncoding: parseSpelledEncoding(spelled.contentEncoding),
  };
}

/** The subscription as `PushSubscription.toJSON()` spells it. Reveals the auth secret. */
export function formatSubscription(subscription: Subscription): PushSubscriptionJson {
  const { endpoint, expirationTime, p256dh, auth, applicationServerKey, contentEncoding } = subscription;
  return {
    endpoint,
    expirationTime,
    keys: { p256dh, auth: auth.reveal() },
    ...(applicationServerKey === undefined ? {} : { applicationServerKey }),
    ...(contentEncoding === "aes128gcm" ? {} : { contentEncoding }),
  };
}

/**
 * Reads the name of a content coding.
 *
 * @throws UserError `encoding`
 * @internal
 */
export function parseContentEncoding(text: string): ContentEncoding {
  const found = contentEncodings.find((encoding) => encoding === text.trim().toLowerCase());
  if (found !== undefined) return found;
  const meant = nearest(text, contentEncodings);
  throw new UserError("encoding", `content encoding ${JSON.stringify(text.slice(0, 40))} is not known`, {
    hints: [`use ${meant ?? contentEncodings.join(" or ")}`],
  });
}

function assertComplete({ endpoint, p256dh, auth }: SpelledSubscription): void {
  if (endpoint !== undefined && p256dh !== undefined && auth !== undefined) return;
  const values = Object.entries({ endpoint, p256dh, auth });
  const missing = values.flatMap(([name, value]) => (value === undefined ? [name] : []));
  const lacksKeys = missing.join() === "p256dh,auth";
  const what = lacksKeys ? "has an endpoint but no keys" : `has no ${missing.join(" and no ")}`;
  const hints = [copyWholeSubscription];
  if (lacksKeys) hints.push("a PushSubscription that was spread or logged loses its keys; toJSON() has them");
  throw new UserError("subscription-malformed", `subscription ${what}`, { hints });
}

function parseP256dh(spelled: SpelledSubscription): SubscriptionKey {
  const bytes = readKey("p256dh", spelled.p256dh);
  if (isP256Point(bytes)) return formatBase64url(bytes) as SubscriptionKey;
  if (bytes.length === authBytes && isPoint(spelled.auth)) {
    throw new UserError("subscription-malformed", "p256dh and auth are swapped", {
      hints: ["p256dh is the long one, 87 characters beginning with B; auth has 22"],
    });
  }
  if (bytes.length !== pointBytes || bytes[0] !== 0x04) {
    const first = bytes.length === pointBytes ? ` beginning 0x${formatByte(bytes[0])}` : "";
    const what = `is ${bytes.length} bytes${first}, expected ${pointBytes} beginning 0x04`;
    throw keyMalformed("p256dh", what, copyWholeSubscription);
  }
  throw keyMalformed(
    "p256dh",
    "is not a point on the P-256 curve",
    "copy the key again: a part was lost or changed",
  );
}

function formatByte(byte = 0): string {
  return byte.toString(16).padStart(2, "0");
}

function parseAuth(value: unknown): Secret<string> {
  const bytes = readKey("auth", value);
  if (bytes.length === authBytes) return new Secret(formatBase64url(bytes));
  throw keyMalformed("auth", `is ${bytes.length} bytes, expected ${authBytes}`, copyWholeSubscription);
}

function readKey(name: "p256dh" | "auth", value: unknown): Uint8Array {
  const bytes = readBytes(value);
  if (bytes !== undefined) return bytes;
  if (typeof value === "string" && value.includes("-----BEGIN"))
    throw keyMalformed(name, "is PEM, not base64url", copyWholeSubscription);
  if (typeof value === "string") throw keyMalformed(name, "is not base64url", copyWholeSubscription);
  if (typeof value === "object" && value !== null && Object.keys(value).length === 0) {
    const hint = "an ArrayBuffer of getKey() is lost in JSON: hand in JSON.stringify(subscription) instead";
    throw keyMalformed(name, "is an empty object", hint);
  }
  const kind = Array.isArray(value) ? "a list that is not bytes" : `a ${typeof value}`;
  throw keyMalformed(name, `is ${kind}, not base64url`, copyWholeSubscription);
}

function keyMalformed(name: "p256dh" | "auth", what: string, hint: string): UserError {
  return new UserError(`${name}-malformed`, `${name} ${what}`, { hints: [hint] });
}

function isPoint(value: unknown): boolean {
  const bytes = readBytes(value);
  return bytes !== undefined && isP256Point(bytes);
}

/** `JSON.stringify(subscription.options)` prints the key's ArrayBuffer as `{}`: then it is not known. */
function parseApplicationServerKey(value: unknown): VapidPublicKey | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "object" && value !== null && Object.keys(value).length === 0) {
    if (!(value instanceof ArrayBuffer) || value.byteLength === 0) return undefined;
  }
  const bytes = readBytes(value);
  try {
    return parseVapidPublicKey(bytes === undefined ? textOf(value) : formatBase64url(bytes));
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    const message = `applicationServerKey: ${cause.message}`;
    throw new UserError("application-server-key-malformed", message, { hints: cause.hints, cause });
  }
}

function parseSpelledEncoding(value: unknown): ContentEncoding {
  if (value === undefined) return "aes128gcm";
  return parseContentEncoding(textOf(value));
}

/** What stands where a text should; an object is only named, for it may be nested without end. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null ? "[object]" : JSON.stringify(value);
}

const isoTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i;

/** A number of ms, its digits, or an ISO 8601 time; one without a zone is UTC, as databases mean it. */
function parseExpirationTime(value: unknown): number | null {
  if (value === undefined || value === "null" || value === "NULL") return null;
  const ms = typeof value === "string" ? readTime(value.trim()) : value;
  if (typeof ms === "number" && Number.isFinite(ms) && ms >= 0) return ms;
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : `a ${typeof value}`;
  throw new UserError("subscription-malformed", `expirationTime ${shown} is not a time`, {
    hints: ["give milliseconds since 1970, an ISO 8601 time, or null"],
  });
}

function readTime(text: string): number {
  if (/^\d{1,16}$/.test(text)) return Number(text);
  if (!isoTime.test(text)) return Number.NaN;
  const hasZone = text.length <= 10 || /(?:Z|[+-]\d\d:?\d\d)$/i.test(text);
  return Date.parse(hasZone ? text.replace(" ", "T") : `${text.replace(" ", "T")}Z`);
}
