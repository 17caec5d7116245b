/**
 * The receiving side of RFC 8291, and of aesgcm before it: strict where http_ece is not.
 *
 * http_ece follows RFC 8188, where a body may have many records, any key id and any
 * record size. A push message is one record with a 65-byte key (RFC 8291 §4), so the
 * header is checked here first, and only what fits is decrypted. A message that
 * cannot be read is not a `UserError`: it came from somebody else.
 */
import { createECDH } from "node:crypto";
import ece from "http_ece";
import { formatBase64url, parseBase64 } from "../base/bytes.ts";
import type { Random } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { isP256Point, pointBytes } from "./p256.ts";
import type { SubscriptionKey } from "./subscription.ts";
import { createKeyPair } from "./vapid.ts";

/** A receiver's own side of a subscription. */
export interface ReceiverKeys {
  readonly publicKey: SubscriptionKey;
  /** Unpadded base64url of 32 bytes. */
  readonly privateKey: Secret<string>;
  /** Unpadded base64url of 16 bytes. */
  readonly auth: Secret<string>;
}

/**
 * Why a message cannot be read.
 *
 * - `encoding`: the content coding is missing or not one of web push
 * - `headers`: aesgcm without a usable `Encryption` or `Crypto-Key` header
 * - `too-short`: too few bytes to hold a header and an empty message
 * - `record-size`: a record size that no record can have
 * - `key-id`: the key id is not 65 bytes, so no sender's key
 * - `sender-key`: the sender's key is not an uncompressed point on P-256
 * - `records`: more than one record
 * - `authentication`: made for other keys, or changed on the way
 * - `padding`: authentic, but not delimited as the last record
 */
export type DecryptionDefect =
  | "encoding"
  | "headers"
  | "too-short"
  | "record-size"
  | "key-id"
  | "sender-key"
  | "records"
  | "authentication"
  | "padding";

/** A push message that cannot be read. */
export class DecryptionError extends Error {
  override readonly name = "DecryptionError";
  readonly reason: DecryptionDefect;

  constructor(reason: DecryptionDefect, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

const authBytes = 16;
const saltBytes = 16;
const tagBytes = 16;

/** Fresh keys for a receiver: a P-256 pair and an auth secret (RFC 8291 §3.1, §3.2). */
export function createReceiverKeys(random: Random): ReceiverKeys {
  const { publicKey, privateKey } = createKeyPair(random);
  return {
    // A key pair like any other of the curve, in another role.
    publicKey: publicKey as string as SubscriptionKey,
    privateKey,
    auth: new Secret(formatBase64url(random.bytes(authBytes))),
  };
}

/**
 * Decrypts one message; `headers` are the request's, with lower-case names.
 *
 * @throws DecryptionError when it cannot be read, with the reason
 */
export function decrypt(
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
  keys: ReceiverKeys,
): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const encoding = headers["content-encoding"]?.trim().toLowerCase();
  switch (encoding) {
    case "aes128gcm":
      assertStandardHeader(bytes);
      return open(bytes, keys, { version: "aes128gcm" });
    case "aesgcm":
      return open(bytes, keys, { version: "aesgcm", ...readLegacyHeaders(bytes, headers) });
    case undefined:
      throw new DecryptionError("encoding", "the message has no Content-Encoding");
    default: {
      const shown = JSON.stringify(encoding.slice(0, 40));
      throw new DecryptionError(
        "encoding",
        `Content-Encoding is ${shown}, web push has aes128gcm and aesgcm`,
      );
    }
  }
}

/** RFC 8188 §2.1: salt (16), rs (4), idlen (1), keyid (idlen); RFC 8291 §4: keyid is the sender's key. */
const header = { recordSize: 16, keyIdLength: 20, keyId: 21, end: 21 + pointBytes } as const;

/** Delimiter and tag: RFC 8188 §2.1 calls anything less invalid. */
const minRecordSize = 1 + tagBytes + 1;

/**
 * Checks what can be checked of an aes128gcm message without any key (RFC 8188 §2.1, RFC 8291 §4).
 *
 * @throws DecryptionError when no receiver could read it
 */
export function assertMessageHeader(body: Uint8Array): void {
  assertStandardHeader(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

function assertStandardHeader(body: Buffer): void {
  if (body.length < header.keyId)
    throw new DecryptionError(
      "too-short",
      `the body is ${body.length} bytes, its header alone has ${header.end}`,
    );
  const recordSize = body.readUInt32BE(header.recordSize);
  if (recordSize < minRecordSize)
    throw new DecryptionError(
      "record-size",
      `the record size is ${recordSize}, the least is ${minRecordSize}`,
    );
  const keyIdLength = body.readUInt8(header.keyIdLength);
  if (keyIdLength !== pointBytes)
    throw new DecryptionError("key-id", `the key id is ${keyIdLength} bytes, expected ${pointBytes}`);
  const least = header.end + 1 + tagBytes;
  if (body.length < least)
    throw new DecryptionError("too-short", `the body is ${body.length} bytes, an empty message has ${least}`);
  assertSenderKey(body.subarray(header.keyId, header.end));
  if (body.length - header.end > recordSize)
    throw new DecryptionError(
      "records",
      `the body has several records of ${recordSize} bytes, a push has one`,
    );
}

/** RFC 8291 §7: a key off the curve must not meet the private key; compressed points neither, see p256.ts. */
function assertSenderKey(key: Uint8Array): void {
  if (!isP256Point(key))
    throw new DecryptionError("sender-key", "the sender's key is not an uncompressed point on P-256");
}

interface LegacyParameters {
  readonly salt: Buffer;
  readonly dh: Buffer;
  readonly rs: number;
}

const defaultLegacyRecordSize = 4096;
const legacyPaddingLengthBytes = 2;

/** draft-ietf-webpush-encryption-04 §4: `Encryption: salt=…; rs=…` and `Crypto-Key: dh=…`. */
function readLegacyHeaders(body: Buffer, headers: Readonly<Record<string, string>>): LegacyParameters {
  const salt = parseBase64(readParameter(headers["encryption"], "salt") ?? "");
  if (salt?.length !== saltBytes)
    throw new DecryptionError("headers", `the Encryption header has no salt of ${saltBytes} bytes`);
  const dh = parseBase64(readParameter(headers["crypto-key"], "dh") ?? "");
  if (dh === undefined || dh.length === 0)
    throw new DecryptionError("headers", "the Crypto-Key header has no dh");
  assertSenderKey(dh);
  const rs = Number(readParameter(headers["encryption"], "rs") ?? defaultLegacyRecordSize);
  if (!Number.isSafeInteger(rs) || rs <= legacyPaddingLengthBytes)
    throw new DecryptionError("record-size", "the Encryption header has an rs that no record can have");
  const least = legacyPaddingLengthBytes + tagBytes;
  if (body.length < least)
    throw new DecryptionError("too-short", `the body is ${body.length} bytes, an empty message has ${least}`);
  // Here rs leaves the tag out, and a full record announces another one.
  if (body.length >= rs + tagBytes)
    throw new DecryptionError("records", `the body does not fit one record of ${rs} bytes`);
  return { salt, dh, rs };
}

/** A parameter of `a=1;b="2", c=3`; the first of its name. */
function readParameter(value: string | undefined, name: string): string | undefined {
  for (const part of value?.split(/[;,]/) ?? []) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim().toLowerCase() === name)
      return part
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}

type Coding = { readonly version: "aes128gcm" } | ({ readonly version: "aesgcm" } & LegacyParameters);

function open(body: Buffer, keys: ReceiverKeys, coding: Coding): Uint8Array {
  const privateKey = createECDH("prime256v1");
  privateKey.setPrivateKey(keys.privateKey.reveal(), "base64url");
  try {
    return ece.decrypt(body, { ...coding, privateKey, authSecret: keys.auth.reveal() });
  } catch (cause) {
    // Neither Node nor http_ece gives these a code. OpenSSL's sentence is for a wrong tag; what
    // remains is thrown by http_ece after the tag was right, about the bytes around the plaintext.
    if (/unable to authenticate/i.test(messageOf(cause)))
      throw new DecryptionError("authentication", "made for other keys, or changed on the way", cause);
    throw new DecryptionError("padding", "the padding is not that of a last record", cause);
  }
}
