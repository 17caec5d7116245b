/**
 * A push message: its TTL, Urgency, Topic and size (RFC 8030 §5).
 *
 * They are read once, at the edge, into values that are safe in a header. The
 * request that carries a message is built in `push-request.ts`, apart from here:
 * settings and help read this file, and must not load the cipher for it.
 */
import type { Brand } from "../base/brand.ts";
import { readSeconds } from "../base/duration.ts";
import { UserError } from "../base/errors.ts";
import { groupDigits } from "../base/figures.ts";
import { nearest } from "../base/suggest.ts";
import type { ContentEncoding, Endpoint } from "./subscription.ts";

/** How urgent a message can be, least first (RFC 8030 §5.3). */
export const urgencies = ["very-low", "low", "normal", "high"] as const;

/** When a device should wake up for a message (RFC 8030 §5.3). */
export type Urgency = (typeof urgencies)[number];

/** A word under which a newer message replaces an undelivered one (RFC 8030 §5.4). */
export type Topic = Brand<string, "Topic">;

/** What to send, the same for every recipient. */
export interface Message {
  /** Absent for a message without content, which is another thing than an empty content. */
  readonly payload: Uint8Array | undefined;
  readonly ttlSeconds: number;
  readonly urgency: Urgency | undefined;
  readonly topic: Topic | undefined;
}

/** One HTTP request, complete; header names are in lower case. */
export interface PushRequest {
  readonly method: "POST";
  readonly url: Endpoint;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Four weeks: the longest that every service takes. */
export const defaultTtlSeconds = 2_419_200;

/** 31 bits, the least a service must be able to read (RFC 8030 §5.2). */
const maxTtlSeconds = 2_147_483_647;

/** The most that fits the 4096 bytes every service must accept (RFC 8291 §4): 4096 - 86 header - 17 sealing. */
const maxPlaintextBytes = 3993;

/** The same for `aesgcm`, whose parameters travel in headers: 4096 - 16 tag - 2 padding length. */
export const maxLegacyPlaintextBytes = 4078;

/**
 * Reads a time to live in seconds: `600`, `10m`, `1h30m`, `28d`; `0` means now or never (RFC 8030 §5.2).
 *
 * What a service makes of a long one is in its limits, and pre-flight's to say.
 *
 * @throws UserError `ttl`
 */
export function parseTtl(text: string): number {
  const seconds = readSeconds(text.trim());
  if (seconds === undefined) throw ttlError(`ttl ${quote(text)} is not a time`);
  if (seconds > maxTtlSeconds) throw ttlError(`ttl ${quote(text)} is more than ${maxTtlSeconds} seconds`);
  return seconds;
}

function ttlError(message: string): UserError {
  return new UserError("ttl", message, {
    hints: ["give seconds, or a number with s, m, h, d or w: 600, 10m, 28d; 0 means now or never"],
  });
}

/**
 * Reads an urgency (RFC 8030 §5.3).
 *
 * @throws UserError `urgency`
 */
export function parseUrgency(text: string): Urgency {
  const word = text.trim().toLowerCase();
  const found = urgencies.find((urgency) => urgency === word);
  if (found !== undefined) return found;
  const meant = nearest(word, urgencies);
  throw new UserError("urgency", `urgency ${quote(text)} is not known`, {
    hints: [meant === undefined ? `use one of ${urgencies.join(", ")}` : `did you mean ${meant}?`],
  });
}

/**
 * Reads a topic: 1 to 32 characters of the base64url alphabet (RFC 8030 §5.4), in a number Apple takes.
 *
 * @throws UserError `topic`
 */
export function parseTopic(text: string): Topic {
  const hint =
    "use 1 to 32 of the characters A-Z a-z 0-9 - _, and nothing private: the push service can read it";
  if (text === "") throw new UserError("topic", "topic is empty", { hints: [hint] });
  if (!/^[A-Za-z0-9_-]+$/.test(text)) {
    const odd = /[^A-Za-z0-9_-]/u.exec(text)?.[0] ?? "";
    throw new UserError("topic", `topic ${quote(text)} contains ${JSON.stringify(odd)}`, { hints: [hint] });
  }
  if (text.length > 32) {
    throw new UserError("topic", `topic is ${text.length} characters long, the most is 32`, {
      hints: [hint],
    });
  }
  // Apple decodes it as base64url, and no bytes encode to 1, 5, 9… characters (AltanS/collie#90).
  if (text.length % 4 === 1) {
    const message = `topic ${quote(text)} has ${text.length} ${text.length === 1 ? "character" : "characters"}, a length Apple refuses`;
    throw new UserError("topic", message, { hints: ["add or remove a character: 1, 5, 9, 13… do not work"] });
  }
  return text as Topic;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** A payload's size beside the most that every service takes. */
export interface PayloadSize {
  readonly bytes: number;
  readonly limit: number;
}

/**
 * The size of a payload and its limit, both before encryption.
 *
 * @throws UserError `payload-too-large`
 */
export function checkPayloadSize(bytes: number, encoding: ContentEncoding): PayloadSize {
  const limit = encoding === "aes128gcm" ? maxPlaintextBytes : maxLegacyPlaintextBytes;
  if (bytes <= limit) return { bytes, limit };
  throw payloadTooLarge({ bytes, limit });
}

/** The refusal of a payload larger than `limit`. */
export function payloadTooLarge({ bytes, limit }: PayloadSize): UserError {
  const message = `payload is ${groupDigits(bytes)} bytes, the most is ${groupDigits(limit)}`;
  return new UserError("payload-too-large", message, {
    hints: ["send an id or a URL, and let the service worker fetch the rest"],
  });
}
