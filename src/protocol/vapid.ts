/**
 * VAPID key pairs (RFC 8292): the two keys as text, checked once.
 *
 * A `VapidKeyPair` holds keys that belong together, both unpadded base64url: the
 * public key an uncompressed point on P-256, the private key always 32 bytes and
 * a scalar of that curve. No message here contains any part of a key: people paste
 * the private one into the wrong place. Only node:crypto is imported, for start-up.
 */
import { createECDH } from "node:crypto";
import { formatBase64url, leftPad, parseBase64 } from "../base/bytes.ts";
import type { Brand } from "../base/brand.ts";
import type { Random } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { isP256Point, pointBytes } from "./p256.ts";

/** An application server key: unpadded base64url of an uncompressed point on P-256, 87 characters (RFC 8292 §3.2). */
export type VapidPublicKey = Brand<string, "VapidPublicKey">;

/** A public and a private key that belong together. */
export interface VapidKeyPair {
  readonly publicKey: VapidPublicKey;
  /** Unpadded base64url of 32 bytes, 43 characters. */
  readonly privateKey: Secret<string>;
}

/** Bytes of a P-256 private key. */
export const scalarBytes = 32;

/**
 * Shortest private key taken for one that lost leading zeros, as Node's ECDH and
 * others write it. One key in 2^32 loses four bytes; a shorter text was cut off.
 */
const shortestScalarBytes = 28;

/** The order of P-256: private keys are 1 to order - 1 (FIPS 186-5 §3.2.1). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** What is wrong with a text that should be a key, and what to do. */
type Defect = readonly [what: string, hint: string];

const importIt = "read it with webpush keys import FILE, which understands PEM, DER, JWK and more";
const copyAgain = "copy the whole key again: a part was lost or changed";

/**
 * Reads a VAPID public key; padded and standard base64 are accepted and normalised.
 *
 * @throws UserError `vapid-public-key`
 */
export function parseVapidPublicKey(text: string): VapidPublicKey {
  const bytes = readKey(text);
  const isBytes = bytes instanceof Uint8Array;
  if (isBytes && isP256Point(bytes)) return formatBase64url(bytes) as VapidPublicKey;
  const [what, hint] = isBytes ? publicDefect(bytes) : bytes;
  throw new UserError("vapid-public-key", `VAPID public key ${what}`, { hints: [hint] });
}

/**
 * Reads a VAPID private key into its one form; padded and standard base64, a 33rd
 * leading zero byte (Java's BigInteger) and lost leading zeros are accepted.
 *
 * @throws UserError `vapid-private-key`
 */
export function parseVapidPrivateKey(text: string): Secret<string> {
  const bytes = readKey(text);
  if (bytes instanceof Uint8Array) return createPrivateKey(bytes);
  throw privateKeyError(bytes);
}

/**
 * A private key from its bytes, brought to 32.
 *
 * @throws UserError `vapid-private-key`
 */
function createPrivateKey(bytes: Uint8Array): Secret<string> {
  const scalar = normalizeScalar(bytes);
  if (scalar instanceof Uint8Array) return new Secret(formatBase64url(scalar));
  throw privateKeyError(scalar);
}

/** A new private key of the curve as 32 bytes; a draw that is no scalar (one in 2^32) is drawn again. */
export function createScalar(random: Random): Uint8Array {
  let scalar = random.bytes(scalarBytes);
  while (!isScalar(scalar)) scalar = random.bytes(scalarBytes);
  return scalar;
}

/** A new key pair. */
export function createKeyPair(random: Random): VapidKeyPair {
  return keyPairOf(new Secret(formatBase64url(createScalar(random))));
}

/** The pair of a private key that was parsed: its public key is derived. */
export function keyPairOf(privateKey: Secret<string>): VapidKeyPair {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(Buffer.from(privateKey.reveal(), "base64url"));
  return { publicKey: formatBase64url(ecdh.getPublicKey()) as VapidPublicKey, privateKey };
}

/**
 * Reads both keys of a pair and checks that they belong together.
 *
 * @throws UserError `vapid-public-key`, `vapid-private-key`, `vapid-pair-mismatch`
 */
export function parseKeyPair(publicText: string, privateText: string): VapidKeyPair {
  if (areSwapped(publicText, privateText)) {
    throw new UserError("vapid-public-key", "VAPID public and private key are swapped", {
      hints: ["the public key is the long one, 87 characters beginning with B; the private key has 43"],
    });
  }
  const publicKey = parseVapidPublicKey(publicText);
  const pair = keyPairOf(parseVapidPrivateKey(privateText));
  if (pair.publicKey === publicKey) return pair;
  throw new UserError("vapid-pair-mismatch", "VAPID public and private key do not belong together", {
    kind: "credentials",
    hints: [
      "take both keys from the same place",
      "or give the private key alone: its public key is derived, but subscriptions made with another one stop working",
    ],
  });
}

function readKey(text: string): Uint8Array | Defect {
  const trimmed = text.trim();
  if (trimmed === "") return ["is empty", "make a pair with webpush keys"];
  if (trimmed.includes("-----BEGIN")) return ["is PEM, expected base64url", importIt];
  if (trimmed.startsWith("{")) return ["is JSON, expected base64url", importIt];
  if (/^(?:[0-9a-f]{2}){32,}$/i.test(trimmed))
    return [`is ${trimmed.length} hexadecimal digits, expected base64url`, "convert it to base64url"];
  const bytes = parseBase64(trimmed);
  if (bytes !== undefined) return bytes;
  const isCut = !/[^\w+/=-]/.test(trimmed);
  const what = isCut ? "a length no base64url has" : "not all of them base64url";
  return [`is ${trimmed.length} characters, ${what}`, copyAgain];
}

/** Why bytes are no usable public key. */
function publicDefect(bytes: Uint8Array): Defect {
  const [first = 0] = bytes;
  const length = bytes.length;
  const expected = `expected ${pointBytes} beginning 0x04`;
  if (length === scalarBytes)
    return [`is ${length} bytes, as long as a private key, ${expected}`, "the public key has 87 characters"];
  if (length === 33 && (first === 2 || first === 3))
    return [`is a compressed point of ${length} bytes, ${expected}`, "export the key uncompressed"];
  if (first === 0x30 && length > pointBytes) return [`is DER, ${expected}`, importIt];
  if (length !== pointBytes) return [`is ${length} bytes, ${expected}`, copyAgain];
  if (first !== 4) return [`begins with 0x${first.toString(16).padStart(2, "0")}, ${expected}`, copyAgain];
  return ["is not a point on the P-256 curve", copyAgain];
}

/** 32 bytes that are a scalar, or why there are none. */
function normalizeScalar(bytes: Uint8Array): Uint8Array | Defect {
  const { length } = bytes;
  const [first] = bytes;
  const expected = `expected ${scalarBytes}`;
  if (length === pointBytes && first === 4)
    return [`is ${length} bytes beginning 0x04, which is a public key`, "the private key has 43 characters"];
  if (length > 33 && first === 0x30) return [`is DER of ${length} bytes, ${expected}`, importIt];
  if (length > 33 || (length === 33 && first !== 0) || length < shortestScalarBytes)
    return [`is ${length} bytes, ${expected}`, copyAgain];
  const scalar = length === 33 ? bytes.subarray(1) : leftPad(bytes, scalarBytes);
  return isScalar(scalar) ? scalar : ["is not a number the P-256 curve allows", copyAgain];
}

function privateKeyError([what, hint]: Defect): UserError {
  return new UserError("vapid-private-key", `VAPID private key ${what}`, { hints: [hint] });
}

function isScalar(bytes: Uint8Array): boolean {
  const value = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  return value > 0n && value < order;
}

function areSwapped(publicText: string, privateText: string): boolean {
  const [first, second] = [parseBase64(publicText), parseBase64(privateText)];
  return first?.length === scalarBytes && second !== undefined && isP256Point(second);
}
