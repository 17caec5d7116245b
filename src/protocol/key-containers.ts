/**
 * VAPID keys in the containers that cryptography tools write: PEM, DER and JWK.
 *
 * OpenSSL takes the public key that lies beside a private one on trust (tried: a
 * SEC1 file or JWK with somebody else's public key imports without a word). So a
 * container is only a place where keys were found; the caller derives and compares.
 */
import {
  createPrivateKey as importPrivate,
  createPublicKey as importPublic,
  type KeyObject,
} from "node:crypto";
import { formatBase64url, leftPad, parseBase64 } from "../base/bytes.ts";
import { messageOf, systemCode, UserError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import {
  parseVapidPrivateKey,
  parseVapidPublicKey,
  scalarBytes,
  type VapidKeyPair,
  type VapidPublicKey,
} from "./vapid.ts";

/** Keys that lay in one place; whether they belong together is not yet known. */
export interface FoundKeys {
  readonly publicKey: VapidPublicKey | undefined;
  readonly privateKey: Secret<string> | undefined;
}

const useP256 = "VAPID keys are EC keys on P-256: make a pair with webpush keys";
const decrypt = "remove the passphrase first: openssl pkey -in FILE -out plain.pem";

const curveNames: Readonly<Record<string, string>> = {
  secp256k1: "secp256k1, the curve of Bitcoin",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

/**
 * The keys of a PEM file, one for each block.
 *
 * @throws UserError `keys-encrypted`, `keys-wrong-type`, `keys-damaged`, `vapid-public-key`, `vapid-private-key`
 */
export function readPem(text: string): FoundKeys[] {
  // Indented in YAML, or with \n spelled out in a .env file.
  const lines = text
    .replaceAll("\\r", "")
    .replaceAll("\\n", "\n")
    .replace(/^[ \t]+/gm, "");
  // Between the two lines there are single hyphens at most, so a lost END cannot swallow the next block.
  const blocks = [...lines.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^-]*(?:-[^-]+)*-----END \1-----/g)];
  if (blocks.length === 0) throw damaged("PEM block has no matching END line", "copy the file whole");
  const found = blocks.flatMap(([block, label = ""]) => readBlock(block, label));
  if (found.length > 0) return found;
  const labels = blocks.map(([, label = ""]) => label).join(", ");
  throw new UserError("keys-wrong-type", `PEM holds ${labels}, which is no key`, { hints: [useP256] });
}

function readBlock(block: string, label: string): FoundKeys[] {
  // RFC 1421 §4.6.1.1, the older way to encrypt a PEM.
  if (label === "ENCRYPTED PRIVATE KEY" || block.includes("ENCRYPTED\n") || block.includes("ENCRYPTED\r"))
    throw encrypted();
  if (label === "OPENSSH PRIVATE KEY") {
    throw new UserError("keys-wrong-type", "PEM holds an OpenSSH key, not a VAPID key", { hints: [useP256] });
  }
  if (label.endsWith("PRIVATE KEY")) return [keysOf(() => importPrivate(block), "PEM")];
  if (label.endsWith("PUBLIC KEY")) return [keysOf(() => importPublic(block), "PEM")];
  return [];
}

/**
 * Whether bytes are one DER structure that may hold a key.
 *
 * Text can begin with `0`, the same byte, but has no control characters; a bare
 * private key can begin with any bytes (one in 65 536 with 0x30 0x1e, which reads
 * as DER of its own length), but has 33 at the most.
 */
export function isDer(bytes: Uint8Array): boolean {
  if (bytes.length <= scalarBytes + 1) return false;
  const [tag, length = 0, second = 0, third = 0] = bytes;
  if (tag !== 0x30 || !bytes.some((byte) => byte < 9 || byte > 126)) return false;
  if (length < 0x80) return bytes.length === 2 + length;
  if (length === 0x81) return bytes.length === 3 + second;
  return length === 0x82 && bytes.length === 4 + second * 256 + third;
}

/**
 * The keys of a DER file: PKCS#8, SEC1 or a public SPKI.
 *
 * @throws UserError `keys-encrypted`, `keys-wrong-type`, `keys-damaged`, `vapid-public-key`, `vapid-private-key`
 */
export function readDer(bytes: Uint8Array): FoundKeys {
  const key = Buffer.from(bytes);
  return keysOf(() => importAny(key), "DER");
}

function importAny(key: Buffer): KeyObject {
  const attempts = [
    () => importPrivate({ key, format: "der", type: "pkcs8" }),
    () => importPrivate({ key, format: "der", type: "sec1" }),
    () => importPrivate({ key, format: "der", type: "pkcs1" }),
    () => importPublic({ key, format: "der", type: "spki" }),
  ];
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch (error) {
      if (isAboutPassphrase(error)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

function keysOf(load: () => KeyObject, container: "PEM" | "DER"): FoundKeys {
  let key: KeyObject;
  try {
    key = load();
  } catch (error) {
    if (isAboutPassphrase(error)) throw encrypted();
    throw damaged(`${container} cannot be decoded as a key`, "copy or convert the key file again", error);
  }
  const { asymmetricKeyType: type = "secret", asymmetricKeyDetails: details } = key;
  if (type !== "ec") throw wrongType(`is ${type === "rsa" ? "RSA" : type}`);
  const curve = details?.namedCurve ?? "a curve given by its parameters";
  if (curve !== "prime256v1") throw wrongType(`is on ${curveNames[curve] ?? curve}`);
  return readJwk({ ...key.export({ format: "jwk" }) });
}

/**
 * The keys of a JSON Web Key (RFC 7517, RFC 7518 §6.2).
 *
 * @throws UserError `keys-wrong-type`, `keys-damaged`, `vapid-public-key`, `vapid-private-key`
 */
export function readJwk(jwk: Readonly<Record<string, unknown>>): FoundKeys {
  const { kty, crv, d, x, y } = jwk;
  if (kty !== "EC") throw wrongType(`has kty ${shown(kty)}`);
  if (crv !== "P-256") throw wrongType(`has crv ${shown(crv)}`);
  const coordinates = [x, y].map(readCoordinate);
  const isAlone = x === undefined && y === undefined;
  if (!isAlone && coordinates.includes(undefined))
    throw damaged("JWK has an x or y that is not base64url of 32 bytes", "copy the whole JWK again");
  if (d !== undefined && typeof d !== "string")
    throw damaged("JWK has a d that is not text", "copy the whole JWK");
  const point = Buffer.concat([Buffer.of(4), ...coordinates.flatMap((bytes) => bytes ?? [])]);
  return {
    publicKey: isAlone ? undefined : parseVapidPublicKey(formatBase64url(point)),
    privateKey: d === undefined ? undefined : parseVapidPrivateKey(d),
  };
}

function readCoordinate(value: unknown): Buffer | undefined {
  const bytes = typeof value === "string" ? parseBase64(value) : undefined;
  return bytes === undefined || bytes.length > scalarBytes ? undefined : leftPad(bytes, scalarBytes);
}

function shown(value: unknown): string {
  return typeof value === "string" && value.length <= 20 ? JSON.stringify(value) : `a ${typeof value}`;
}

/** The private JWK of a pair, on one line. */
export function formatJwk({ publicKey, privateKey }: VapidKeyPair): string {
  const point = Buffer.from(publicKey, "base64url");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(formatBase64url);
  return JSON.stringify({ kty: "EC", crv: "P-256", x, y, d: privateKey.reveal() });
}

/**
 * SEC1 PEM, `BEGIN EC PRIVATE KEY`: what `openssl ecparam -genkey` writes, and the only
 * PEM that older py-vapid looks for; PHP, Rust, Go and Node read it as well.
 */
export function formatPem(pair: VapidKeyPair): string {
  return keyObjectOf(pair).export({ type: "sec1", format: "pem" }).toString().trimEnd();
}

/** PKCS#8 DER as base64url, the form WebCrypto and Java import. */
export function formatPkcs8(pair: VapidKeyPair): string {
  return formatBase64url(keyObjectOf(pair).export({ type: "pkcs8", format: "der" }));
}

function keyObjectOf(pair: VapidKeyPair): KeyObject {
  const key = JSON.parse(formatJwk(pair)) as Record<string, string>;
  return importPrivate({ key, format: "jwk" });
}

/** Node's own code for PKCS#8; OpenSSL cancels its passphrase prompt for the older PEM. */
function isAboutPassphrase(error: unknown): boolean {
  return systemCode(error) === "ERR_MISSING_PASSPHRASE" || /interrupted or cancelled/.test(messageOf(error));
}

function encrypted(): UserError {
  return new UserError("keys-encrypted", "the private key is encrypted with a passphrase", {
    hints: [decrypt],
  });
}

function wrongType(what: string): UserError {
  return new UserError("keys-wrong-type", `the key ${what}, VAPID needs EC on P-256`, { hints: [useP256] });
}

/** `cause` is OpenSSL's error, which speaks of the structure and never of the key. */
function damaged(what: string, hint: string, cause?: unknown): UserError {
  return new UserError("keys-damaged", what, { hints: [hint], cause });
}
