/**
 * A message as a plain record, the same at the JSON API and, with bytes for base64url, in the library.
 *
 * Everything a test of a sender may want to assert is a field of the record itself; nothing here is
 * checked again, and the texts are a stranger's.
 */
import { formatBase64url, parseBase64 } from "../base/bytes.ts";

/** Where a message is, or how it ended, in the order in which a message may go through them. */
export const messageOutcomes = [
  "waiting",
  "delivered",
  "acknowledged",
  "replaced",
  "expired",
  "cancelled",
  "discarded",
] as const;

/** Where a message is, or how it ended. */
export type MessageOutcome = (typeof messageOutcomes)[number];

/** A message the push service has accepted; `Bytes` is base64url in JSON. */
export interface MessageRecordOf<Bytes> {
  /** Last part of its `Location`. */
  readonly id: string;
  /** Last part of the endpoint it was sent to. */
  readonly subscription: string;
  /** When it was accepted, ISO 8601, by the emulator's clock. */
  readonly acceptedAt: string;
  /** The TTL asked for, in seconds. */
  readonly ttlSeconds: number;
  /** The TTL granted, which is less when the service caps it. */
  readonly grantedTtlSeconds: number;
  readonly urgency: string;
  readonly topic: string | null;
  /** The VAPID public key whose holder sent it; null when it carried no token. */
  readonly sender: string | null;
  /** The claims of its VAPID token, as they stand there. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** Every header of the request, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentEncoding: string | null;
  /** The body as it came, encrypted. */
  readonly body: Bytes;
  /** The decrypted payload; null when there is none or it cannot be decrypted. */
  readonly payload: Bytes | null;
  /** The payload as text; null when there is none or it is no UTF-8. */
  readonly text: string | null;
  /** Why the payload cannot be decrypted; null when it can, or when the body is empty. */
  readonly sealed: string | null;
  readonly outcome: MessageOutcome;
  /** How often it was handed to a receiver. */
  readonly deliveries: number;
  /** What the receiver said: `received`, `undecryptable` or `not-delivered`. */
  readonly acknowledgement: string | null;
  /** Why it was discarded, or the id of the message that replaced it. */
  readonly reason: string | null;
  /** When it ended, ISO 8601. */
  readonly endedAt: string | null;
}

/** A message as JSON has it: bytes are base64url. */
export type MessageRecord = MessageRecordOf<string>;

/** The record with its bytes as text. */
export function messageJsonOf(record: MessageRecordOf<Uint8Array>): MessageRecord {
  const { body, payload } = record;
  return {
    ...record,
    body: formatBase64url(body),
    payload: payload === null ? null : formatBase64url(payload),
  };
}

/** The claims of the first JWT in an Authorization header; `undefined` when it holds none that can be read. */
export function claimsOf(authorization: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const [, payload = ""] = /[\w-]{1,1000}\.([\w-]{1,8000})\.[\w-]/.exec(authorization ?? "") ?? [];
  try {
    const claims: unknown = JSON.parse(parseBase64(payload)?.toString() ?? "");
    if (typeof claims !== "object" || claims === null || Array.isArray(claims)) return undefined;
    return Object.fromEntries(Object.entries(claims));
  } catch {
    return undefined;
  }
}

/** Bytes as text; null when they are no UTF-8. */
export function textOf(payload: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    return null;
  }
}
