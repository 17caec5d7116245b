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
import type { Endpoint, Subscription } from "./subscription.ts";

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
  const headers = {
    ...describeDelivery(message, to.endpoint),
    // The client may not know yet how much it will send; WNS refuses a body of unknown length.
    "content-length": String(sealed.body.byteLength),
    ...(sealed === noContent ? {} : { "content-type": "application/octet-stream" }),
    ...sealed.headers,
    ...authorization,
    ...joinCryptoKey(sealed.headers, authorization),
  };
  assertHeaders(headers);
  return { method: "POST", url: to.endpoint, headers, body: sealed.body };
}

function describeDelivery(
  { ttlSeconds, urgency, topic }: Omit<Message, "payload">,
  endpoint: Endpoint,
): Record<string, string> {
  return {
    ttl: String(ttlSeconds), // always, 0 too: RFC 8030 §5.2 makes it a must
    ...(urgency === undefined ? {} : { urgency }),
    ...(topic === undefined ? {} : { topic }),
    ...(ttlSeconds === 0 ? serviceOf(endpoint).limits.ttlZeroHeaders : {}),
  };
}

/** With `aesgcm` both the message and the token have a part in `Crypto-Key`, joined by a semicolon. */
function joinCryptoKey(...sources: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const parts = sources.flatMap((headers) => headers["crypto-key"] ?? []);
  return parts.length === 0 ? {} : { "crypto-key": parts.join(";") };
}

const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const headerValue = /^[!-~](?:[ -~]*[!-~])?$/;

/** Only a cast can bring an unfit value this far, so this is a bug's alarm and not a message to a person. */
function assertHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    // RFC 9110 §5.5, without the tab and the obsolete bytes above 0x7e.
    if (!headerName.test(name) || !headerValue.test(value))
      throw new TypeError(`header ${JSON.stringify(name)} is not fit to be sent`);
  }
  if (!/^\d{1,10}$/.test(headers["ttl"] ?? "")) throw new TypeError("ttl is not a whole number of seconds");
}
