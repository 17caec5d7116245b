/**
 * Message encryption for Web Push: RFC 8291 over the aes128gcm coding of RFC 8188,
 * and the draft before it, aesgcm, for very old subscriptions.
 *
 * One message is one record. The functions are pure: the salt and the sender's
 * ephemeral key come in as arguments, which is what lets the tests replay RFC 8291
 * Appendix A. A salt and key together must never be used twice: the same nonce
 * under the same key gives both plaintexts away.
 */
import { createECDH } from "node:crypto";
import ece from "http_ece";
import { formatBase64url } from "../base/bytes.ts";
import type { Subscription } from "./subscription.ts";

/** What makes every message's encryption different. */
export interface MessageMaterial {
  /** 16 random bytes. */
  readonly salt: Uint8Array;
  /** The sender's ephemeral private key: 32 bytes from `createScalar`. */
  readonly privateKey: Uint8Array;
}

/** An encrypted message and the headers that say how to decrypt it. */
export interface SealedMessage {
  readonly body: Uint8Array;
  /** Lower-case names: `content-encoding`, and for `aesgcm` also `encryption` and `crypto-key`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The customary record size; it holds whatever fits the 4096 bytes a push service must take. */
const recordSize = 4096;

/** RFC 8291 §4: the record size is greater than plaintext, delimiter and tag together. */
const maxRecordPlaintextBytes = recordSize - 16 - 1 - 1;

/**
 * Encrypts one message to a subscription in the coding it asks for.
 *
 * @throws RangeError when the plaintext does not fit one record; callers check sizes against `maxPlaintextBytes` first.
 */
export function encrypt(plaintext: Uint8Array, to: Subscription, material: MessageMaterial): SealedMessage {
  if (plaintext.byteLength > maxRecordPlaintextBytes)
    throw new RangeError(
      `plaintext is ${plaintext.byteLength} bytes, one record holds ${maxRecordPlaintextBytes}`,
    );
  const sender = createECDH("prime256v1");
  sender.setPrivateKey(material.privateKey);
  const salt = Buffer.from(material.salt);
  const body = ece.encrypt(bufferOf(plaintext), {
    version: to.contentEncoding,
    privateKey: sender,
    dh: to.p256dh,
    authSecret: to.auth.reveal(),
    salt,
    rs: recordSize,
  });
  if (to.contentEncoding === "aes128gcm") return { body, headers: { "content-encoding": "aes128gcm" } };
  // draft-ietf-webpush-encryption-04 §4: salt and key travel in headers; rs=4096 is the default.
  return {
    body,
    headers: {
      "content-encoding": "aesgcm",
      encryption: `salt=${formatBase64url(salt)}`,
      "crypto-key": `dh=${formatBase64url(sender.getPublicKey())}`,
    },
  };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
