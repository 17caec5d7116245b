/**
 * Rows of the database as records, and records as values.
 */
import { Buffer } from "node:buffer";
import { formatBase64url, parseBase64 } from "../../base/bytes.ts";
import { fingerprintOf } from "../../base/fingerprint-set.ts";
import { parseSubscription, subscriptionId, type Endpoint } from "../../protocol/subscription.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "../../protocol/vapid.ts";
import type { KeyGroup } from "../key-use.ts";
import type { ResultNote, SubscriptionRecord } from "../subscriptions.ts";

/** How much of a SHA-256 tells endpoints apart: two of a hundred million meet with a chance of 1 in 10^23. */
const fingerprintBytes = 16;

/** The name of a subscription in the database. */
export function endpointFingerprint(endpoint: Endpoint): Buffer {
  return Buffer.from(fingerprintOf(endpoint)).subarray(0, fingerprintBytes);
}

/** What `recordOf` reads, of a subscription `s` and its result `r`, which may be absent. */
export const recordColumns = `s.seq, s.name, s.tags, s.endpoint, s.p256dh, s.auth, s.application_server_key,
  s.content_encoding, s.expiration_time, s.created_at, s.registered_at,
  r.at, r.outcome, r.cause, r.status, r.gone_at, r.gone_cause, r.wrong_key_at, r.wrong_key_cause, r.wrong_key`;

/** What came of the last message, and marks; all is null where nothing did. */
export interface ResultRow {
  readonly at: Date | null;
  readonly outcome: string | null;
  readonly cause: string | null;
  readonly status: number | null;
  readonly gone_at: Date | null;
  readonly gone_cause: string | null;
  readonly wrong_key_at: Date | null;
  readonly wrong_key_cause: string | null;
  readonly wrong_key: Buffer | null;
}

export interface RecordRow extends ResultRow {
  /** A bigint, as text. */
  readonly seq: string;
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly endpoint: string;
  readonly p256dh: Buffer;
  readonly auth: Buffer;
  readonly application_server_key: Buffer | null;
  readonly content_encoding: string | null;
  readonly expiration_time: Date | null;
  readonly created_at: Date;
  readonly registered_at: Date;
}

/**
 * The record of a row. What others wrote there is checked as strictly as any input.
 *
 * @throws UserError those of `parseSubscription`
 */
export function recordOf(row: RecordRow): SubscriptionRecord {
  const { endpoint, p256dh, auth } = row;
  const subscription = parseSubscription({
    endpoint,
    keys: { p256dh: formatBase64url(p256dh), auth: formatBase64url(auth) },
    expirationTime: row.expiration_time === null ? null : endAt(row.expiration_time),
    ...(row.application_server_key && { applicationServerKey: formatBase64url(row.application_server_key) }),
    ...(row.content_encoding === null ? {} : { contentEncoding: row.content_encoding }),
  });
  return {
    id: subscriptionId(subscription.endpoint),
    name: row.name ?? undefined,
    // An array of the database may hold nulls, and arrays.
    tags: row.tags.filter((tag: unknown) => typeof tag === "string"),
    subscription,
    createdAt: msOf(row.created_at),
    registeredAt: msOf(row.registered_at),
    ...marksOf(row),
  };
}

/** The last result and the marks of a row. */
export function marksOf(row: ResultRow): Pick<SubscriptionRecord, "lastResult" | "gone" | "wrongKey"> {
  const { at, outcome, cause, status, gone_at, gone_cause, wrong_key_at, wrong_key_cause, wrong_key } = row;
  return {
    lastResult:
      at === null
        ? undefined
        : { at: msOf(at), outcome: outcome ?? "", cause: cause ?? "", status: status ?? undefined },
    gone: gone_at === null ? undefined : { at: msOf(gone_at), cause: gone_cause ?? "" },
    wrongKey:
      wrong_key_at === null || wrong_key === null
        ? undefined
        : { at: msOf(wrong_key_at), cause: wrong_key_cause ?? "", publicKey: publicKeyOf(wrong_key) },
  };
}

/** A row of `groupByKey`. */
export interface KeyGroupRow {
  readonly public_key: Buffer | null;
  readonly registered_at: Date;
  readonly living: number;
  readonly gone: number;
  readonly refused: number;
  readonly last_seen_at: Date;
}

export function keyGroupOf(row: KeyGroupRow): KeyGroup {
  const { public_key, registered_at, living, gone, refused, last_seen_at } = row;
  return {
    publicKey: public_key === null ? undefined : publicKeyOf(public_key),
    registeredAt: msOf(registered_at),
    use: { living, gone, refused, lastSeenAt: msOf(last_seen_at) },
  };
}

/** A public key as it is stored: 65 bytes. */
export function keyBytes(key: string): Buffer {
  return parseBase64(key) ?? Buffer.alloc(0);
}

/** A stored public key. */
export function publicKeyOf(bytes: Uint8Array): VapidPublicKey {
  return parseVapidPublicKey(formatBase64url(bytes));
}

/** The last moment that a Date holds, and the first of year 1. The database knows others, and infinity. */
const [latest, earliest] = [8.64e15, -62_135_596_800_000];

/** A time of the database, in ms since 1970. What it cannot be here, it is as far as one goes; pg hands infinity on as a number. */
export function msOf(time: Date | number): number {
  const ms = Number(time);
  return Number.isNaN(ms) ? latest : Math.max(earliest, Math.min(latest, ms));
}

/** When something ends; null when that is never. */
function endAt(time: Date | number): number | null {
  const ms = msOf(time);
  return ms === latest || ms === earliest ? null : ms;
}

/** A time for the database, in ms since 1970. */
export function timeOf(ms: number): Date {
  return new Date(ms);
}

/** The values of `registered_at, at, outcome, cause, status` and the columns of both marks. */
export function resultValues({
  registeredAt,
  result,
  gone,
  wrongKey,
}: Pick<ResultNote, "registeredAt" | "result" | "gone" | "wrongKey">): readonly unknown[] {
  const goneMark = gone === undefined ? [null, null] : [timeOf(gone.at), gone.cause];
  const keyMark =
    wrongKey === undefined
      ? [null, null, null]
      : [timeOf(wrongKey.at), wrongKey.cause, keyBytes(wrongKey.publicKey)];
  const { at, outcome, cause, status = null } = result;
  return [timeOf(registeredAt), timeOf(at), outcome, cause, status, ...goneMark, ...keyMark];
}
