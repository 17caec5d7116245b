/**
 * The HTTP request that carries one message to one subscription (RFC 8030 §5).
 *
 * Built without clock, randomness or network. Every header is checked against the
 * grammar: `node:http2` drops one with a line break in it without a word, and the
 * push service then accepts a message that is not the one meant.
 */
import { encrypt, type EncryptRecord, type MessageMaterial, type SealedMessage } from "./encryption.ts";
import { maxLegacyPlaintextBytes, payloadTooLarge, type Message, type PushRequest } from "./message.ts";
import { serviceOf } from "./services.ts";
import type { Subscription } from "./subscription.ts";

/**
 * The request that sends `message` to one subscription.
 *
 * `authorization` are the headers of `signToken`. A payload between 3993 bytes and
 * what one record holds is sealed all the same: WNS takes 5000 bytes, and whoever
 * checked with `checkPayloadSize` will not come here with it.
 *
 * @throws UserError `payload-too-large` when it does not fit one record
 */
export function createPushRequest(
  message: Message,
  to: Subscription,
  authorization: Readonly<Record<string, string>>,
  material: MessageMaterial,
): PushRequest {
  const { payload } = message;
  const sealed = payload === undefined ? noContent : sealPayload(payload, to, material);
  return createSealedRequest(message, to, authorization, sealed);
}

/** A message without content, which needs no encryption (RFC 8030 §5: a push may be empty). */
export const noContent: SealedMessage = { body: new Uint8Array(), headers: {} };

/**
 * Encrypts a payload once it is sure to fit one record.
 *
 * @throws UserError `payload-too-large`
 */
export function sealPayload(
  payload: Uint8Array,
  to: Subscription,
  material: MessageMaterial,
  encryptRecord?: EncryptRecord,
): SealedMessage {
  checkFitsRecord(payload);
  return encrypt(payload, to, material, encryptRecord);
}

/**
 * Whether a payload fits one record at all.
 *
 * @throws UserError `payload-too-large`
 */
export function checkFitsRecord({ byteLength }: Uint8Array): void {
  if (byteLength > maxLegacyPlaintextBytes)
    throw payloadTooLarge({ bytes: byteLength, limit: maxLegacyPlaintextBytes });
}

/** The request for a message that is encrypted already: on a retry only the TTL and the token are new. */
export function createSealedRequest(
  message: Omit<Message, "payload">,
  to: Subscription,
  authorization: Readonly<Record<string, string>>,
  sealed: SealedMessage,
): PushRequest {
  const headers: Record<string, string> = { ttl: String(message.ttlSeconds) }; // always, 0 too: RFC 8030 §5.2 makes it a must
  if (message.urgency !== undefined) headers["urgency"] = message.urgency;
  if (message.topic !== undefined) headers["topic"] = message.topic;
  if (message.ttlSeconds === 0) add(headers, serviceOf(to.endpoint).limits.ttlZeroHeaders);
  // The client may not know yet how much it will send; WNS refuses a body of unknown length.
  headers["content-length"] = String(sealed.body.byteLength);
  if (sealed !== noContent) headers["content-type"] = "application/octet-stream";
  add(headers, sealed.headers);
  add(headers, authorization);
  assertHeaders(headers);
  return { method: "POST", url: to.endpoint, headers, body: sealed.body };
}

/** Adds headers to others. With `aesgcm` both the message and the token have a part in `Crypto-Key`, joined by a semicolon. */
function add(headers: Record<string, string>, more: Readonly<Record<string, string>>): void {
  for (const name in more) {
    const [earlier, value = ""] = [headers[name], more[name]];
    headers[name] = name === "crypto-key" && earlier !== undefined ? `${earlier};${value}` : value;
  }
}

const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const headerValue = /^[!-~](?:[ -~]*[!-~])?$/;

/** Only a cast can bring an unfit value this far, so this is a bug's alarm and not a message to a person. */
function assertHeaders(headers: Readonly<Record<string, string>>): void {
  for (const name in headers) {
    // RFC 9110 §5.5, without the tab and the obsolete bytes above 0x7e.
    if (!headerName.test(name) || !headerValue.test(headers[name] ?? ""))
      throw new TypeError(`header ${JSON.stringify(name)} is not fit to be sent`);
  }
  if (!/^\d{1,10}$/.test(headers["ttl"] ?? "")) throw new TypeError("ttl is not a whole number of seconds");
}
