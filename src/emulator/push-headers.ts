/**
 * The headers of a push request, read by the letter of RFC 8030 §5 and RFC 8291 §4.
 *
 * Strict on purpose: real services differ in what they forgive, and a sender that
 * passes here passes there. Each function reads one header, or says what is wrong
 * with it.
 */
import { urgencies, type Urgency } from "../protocol/message.ts";
import { contentEncodings } from "../protocol/subscription.ts";
import type { MessageHeaders } from "./message-queue.ts";
import { refuse, type Refusal } from "./refusals.ts";

/** Request headers as node:http gives them: lower-case names, repetitions joined by commas. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A value that was read. */
export interface Read<Value> {
  readonly kind: "read";
  readonly value: Value;
}

function read<Value>(value: Value): Read<Value> {
  return { kind: "read", value };
}

/** The value of a header that is not one of node:http's lists. */
export function headerOf(headers: RequestHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.join(", ");
}

/** Every header as it came, for the log; the pseudo-headers of HTTP/2 are none. */
export function receivedHeaders(headers: RequestHeaders): Readonly<Record<string, string>> {
  const names = Object.keys(headers).filter((name) => !name.startsWith(":"));
  return Object.fromEntries(names.map((name) => [name, headerOf(headers, name) ?? ""]));
}

/** `TTL` (RFC 8030 §5.2): required, whole seconds; more than 31 bits are read as 2^31. */
export function readTtl(headers: RequestHeaders): Read<number> | Refusal {
  const header = headerOf(headers, "ttl");
  if (header === undefined) return refuse("ttl-missing", "the request has no TTL header");
  if (!/^\d+$/.test(header))
    return refuse("ttl-malformed", `TTL is ${quote(header)}, not a number of seconds`);
  return read(Math.min(Number(header), 2 ** 31));
}

/** `Urgency` (RFC 8030 §5.3): one known word, `normal` when absent. */
export function readUrgency(headers: RequestHeaders): Read<Urgency> | Refusal {
  const header = headerOf(headers, "urgency");
  if (header === undefined) return read("normal");
  const word = header.toLowerCase(); // ABNF strings know no case (RFC 5234 §2.3)
  const urgency = urgencies.find((known) => known === word);
  if (urgency !== undefined) return read(urgency);
  const rule = header.includes(",") ? "given more than once" : `not one of ${urgencies.join(", ")}`;
  return refuse("urgency-malformed", `Urgency is ${quote(header)}, ${rule}`);
}

/** `Topic` (RFC 8030 §5.4): 1 to 32 characters of the base64url alphabet. */
export function readTopic(headers: RequestHeaders): Read<string | undefined> | Refusal {
  const header = headerOf(headers, "topic");
  if (header === undefined || /^[A-Za-z0-9_-]{1,32}$/.test(header)) return read(header);
  const rule =
    header.length > 32 ? `${header.length} characters long, the most is 32` : "not of A-Z a-z 0-9 - _ alone";
  return refuse("topic-malformed", `Topic is ${quote(header)}, ${rule}`);
}

/** `Content-Encoding` with what belongs to it: a body must be encrypted (RFC 8291 §4), nothing else is passed on. */
export function readEncoding(headers: RequestHeaders, bodyBytes: number): Read<MessageHeaders> | Refusal {
  const header = headerOf(headers, "content-encoding");
  const encryption = headerOf(headers, "encryption");
  const cryptoKey = headerOf(headers, "crypto-key");
  const contentEncoding = contentEncodings.find((known) => known === header?.trim().toLowerCase());
  if (bodyBytes === 0)
    return read({ contentEncoding: undefined, encryption: undefined, cryptoKey: undefined });
  if (header === undefined) {
    return refuse(
      "content-encoding-missing",
      `a body of ${bodyBytes} bytes comes without Content-Encoding: aes128gcm`,
    );
  }
  if (contentEncoding === undefined) {
    const known = contentEncodings.join(" or ");
    return refuse("content-encoding-unknown", `Content-Encoding is ${quote(header)}, not ${known}`);
  }
  // RFC 8291's parameters are inside the body; the draft's are in headers that the receiver needs.
  if (contentEncoding === "aes128gcm")
    return read({ contentEncoding, encryption: undefined, cryptoKey: undefined });
  if (!/\bsalt\s*=/i.test(encryption ?? "")) return aesgcmLacks("Encryption header with salt=");
  if (!/\bdh\s*=/i.test(cryptoKey ?? "")) return aesgcmLacks("Crypto-Key header with dh=");
  return read({ contentEncoding, encryption, cryptoKey });
}

function aesgcmLacks(what: string): Refusal {
  return refuse("encryption-headers-missing", `Content-Encoding is aesgcm but there is no ${what}`);
}

/** A header value as people are shown it. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
