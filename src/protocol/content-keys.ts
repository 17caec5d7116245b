/**
 * From what sender and receiver share to the key and nonce of one message:
 * RFC 8291 §3.4, and the same step of draft-ietf-webpush-encryption-04 for aesgcm.
 *
 * Both are HKDF (RFC 5869) twice over. What is asked of it is never longer than one
 * digest, so its expansion is a single HMAC with the counter 1: five in all.
 * `hkdfSync` would take several times as long, as it extracts anew for each output.
 */
import { hmacSha256 } from "./hmac.ts";
import type { ContentEncoding } from "./subscription.ts";

/** What the keys of one message are made of. */
export interface SharedMaterial {
  /** The x coordinate that ECDH arrives at, 32 bytes. */
  readonly ecdhSecret: Uint8Array;
  /** The subscription's auth secret, 16 bytes. */
  readonly auth: Uint8Array;
  /** 16 bytes, new for each message. */
  readonly salt: Uint8Array;
  /** The subscription's `p256dh`: 65 bytes. */
  readonly receiverKey: Uint8Array;
  /** The sender's public key of this one message: 65 bytes. */
  readonly senderKey: Uint8Array;
}

/** The key and nonce of AES-128-GCM. */
export interface ContentKeys {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

const keyBytes = 16;
const nonceBytes = 12;

/** Derives the key and nonce of one message. */
export function deriveContentKeys(encoding: ContentEncoding, material: SharedMaterial): ContentKeys {
  const info = infoOf(encoding, material);
  const inputKey = hmacSha256(hmacSha256(material.auth, material.ecdhSecret), info.inputKey);
  const root = hmacSha256(material.salt, inputKey);
  return {
    key: hmacSha256(root, info.key).subarray(0, keyBytes),
    nonce: hmacSha256(root, info.nonce).subarray(0, nonceBytes),
  };
}

/** The info of each HKDF expansion, the counter at its end included. */
interface Info {
  readonly inputKey: Uint8Array;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

const counter = Buffer.of(1);
const standardLabel = Buffer.from("WebPush: info\0");
const standardInfo = { key: infoText("aes128gcm"), nonce: infoText("nonce") };
const legacyInfo = { inputKey: infoText("auth") };
/** The label of the curve, and the length of a key before each: draft-ietf-httpbis-encryption-encoding-03 §4.2. */
const curveLabel = Buffer.from("P-256\0");
const keyLength = Buffer.of(0, 65);

function infoOf(encoding: ContentEncoding, { receiverKey, senderKey }: SharedMaterial): Info {
  // RFC 8291 §3.4 and the draft agree in this: the receiver's key stands first, on both sides.
  if (encoding === "aes128gcm") {
    const inputKey = Buffer.concat([standardLabel, receiverKey, senderKey, counter]);
    return { inputKey, ...standardInfo };
  }
  const context = Buffer.concat([curveLabel, keyLength, receiverKey, keyLength, senderKey]);
  return { ...legacyInfo, key: infoText("aesgcm", context), nonce: infoText("nonce", context) };
}

function infoText(name: string, context: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from(`Content-Encoding: ${name}\0`), context, counter]);
}
