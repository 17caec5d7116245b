/** PROTOCOL.md A.2 as data: what senders write into Authorization, and what is wrong with it. */
import { createECDH, createHmac, createPrivateKey, sign } from "node:crypto";
import type { VapidDefect } from "../../src/protocol/vapid-verification.ts";

export interface Pair {
  readonly publicKey: Buffer;
  readonly privateKey: Buffer;
}

function pairOf(seed: number): Pair {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(Buffer.alloc(32, seed));
  return { publicKey: ecdh.getPublicKey(), privateKey: ecdh.getPrivateKey() };
}

export const own = pairOf(1);
export const other = pairOf(2);
export const k = own.publicKey.toString("base64url");

export interface TokenParts {
  readonly header?: object;
  readonly claims?: object;
  readonly signer?: Pair;
  readonly encoding?: "ieee-p1363" | "der";
}

/** A JWT, right but for the parts that are given. */
export function token(validClaims: object, parts: TokenParts = {}): string {
  const { header = { typ: "JWT", alg: "ES256" }, claims = {}, signer = own, encoding = "ieee-p1363" } = parts;
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode(header)}.${encode({ ...validClaims, ...claims })}`;
  const x = signer.publicKey.subarray(1, 33).toString("base64url");
  const y = signer.publicKey.subarray(33).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", d: signer.privateKey.toString("base64url"), x, y };
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: encoding });
  return `${signed}.${signature.toString("base64url")}`;
}

/** What a sender writes, given a valid token's claims and the origin it sends to. */
export type Write = (valid: { aud: string; exp: number; sub?: string }) => string | undefined;

const withClaims =
  (change: (valid: { aud: string; exp: number }) => object): Write =>
  (valid) =>
    `vapid t=${token(valid, { claims: change(valid) })}, k=${k}`;

const day = 24 * 60 * 60;

export const accepted: readonly (readonly [string, Write])[] = [
  ["a valid token", (valid) => `vapid t=${token(valid)}, k=${k}`],
  ["parameters in the other order", (valid) => `vapid k=${k}, t=${token(valid)}`],
  ["extra spaces", (valid) => `vapid  t=${token(valid)} ,  k=${k}`],
  ["no space after the comma", (valid) => `vapid t=${token(valid)},k=${k}`],
  ["an unknown parameter", (valid) => `vapid t=${token(valid)}, k=${k}, x=1`],
  ["the scheme in capitals", (valid) => `VAPID t=${token(valid)}, k=${k}`],
  ["no sub", (valid) => `vapid t=${token({ aud: valid.aud, exp: valid.exp })}, k=${k}`],
  ["an extra claim", withClaims(() => ({ iat: 1 }))],
  ["exp in exactly 24 hours", withClaims(({ exp }) => ({ exp: exp - 3600 + day }))],
];

export const refused: readonly (readonly [string, VapidDefect, Write])[] = [
  ["another scheme", "scheme", () => "Basic dXNlcjpwYXNz"],
  ["no t", "token", () => `vapid k=${k}`],
  ["no k", "key", (valid) => `vapid t=${token(valid)}`],
  ["nothing after the scheme", "key", () => "vapid"],
  ["a t that is no token", "token", () => `vapid t=abc, k=${k}`],
  [
    "alg none",
    "algorithm",
    (valid) => `vapid t=${token(valid, { header: { typ: "JWT", alg: "none" } })}, k=${k}`,
  ],
  [
    "alg none and no signature",
    "algorithm",
    (valid) =>
      `vapid t=${token(valid, { header: { typ: "JWT", alg: "none" } }).replace(/[^.]*$/, "")}, k=${k}`,
  ],
  [
    "HS256 with the public key for a secret",
    "algorithm",
    (valid) => {
      const [head = "", body = ""] = token(valid, { header: { typ: "JWT", alg: "HS256" } }).split(".");
      const mac = createHmac("sha256", own.publicKey).update(`${head}.${body}`).digest("base64url");
      return `vapid t=${head}.${body}.${mac}, k=${k}`;
    },
  ],
  ["a DER signature", "signature", (valid) => `vapid t=${token(valid, { encoding: "der" })}, k=${k}`],
  [
    "a signature by another key",
    "signature",
    (valid) => `vapid t=${token(valid, { signer: other })}, k=${k}`,
  ],
  [
    "another key, with its own good signature",
    "mismatch",
    (valid) => `vapid t=${token(valid, { signer: other })}, k=${other.publicKey.toString("base64url")}`,
  ],
  ["aud with a path", "audience", withClaims(({ aud }) => ({ aud: `${aud}/push` }))],
  ["aud with a trailing slash", "audience", withClaims(({ aud }) => ({ aud: `${aud}/` }))],
  ["aud of another origin", "audience", withClaims(() => ({ aud: "https://push.example.net" }))],
  ["no aud", "audience", withClaims(() => ({ aud: undefined }))],
  ["a list for aud", "audience", withClaims(({ aud }) => ({ aud: [aud] }))],
  ["no exp", "expiry", withClaims(() => ({ exp: undefined }))],
  ["exp as text", "expiry", withClaims(({ exp }) => ({ exp: String(exp) }))],
  ["exp in the past", "expired", withClaims(({ exp }) => ({ exp: exp - 3601 }))],
  [
    "exp in 24 hours and a minute",
    "expiry-too-far",
    withClaims(({ exp }) => ({ exp: exp - 3600 + day + 60 })),
  ],
  [
    "k compressed",
    "key",
    (valid) => {
      const parity = (own.publicKey.at(-1) ?? 0) % 2;
      const point = Buffer.concat([Buffer.from([2 + parity]), own.publicKey.subarray(1, 33)]);
      return `vapid t=${token(valid)}, k=${point.toString("base64url")}`;
    },
  ],
  ["k padded", "key", (valid) => `vapid t=${token(valid)}, k=${k}=`],
  [
    "k in standard base64",
    "key",
    (valid) => `vapid t=${token(valid)}, k=${own.publicKey.toString("base64").replaceAll("=", "")}`,
  ],
  [
    "two Authorization headers in one",
    "token",
    (valid) => `vapid t=${token(valid)}, k=${k}, vapid t=${token(valid)}, k=${k}`,
  ],
];
