/**
 * Verifies VAPID authorization the way a strict push service does (RFC 8292).
 *
 * The verdict is a value: a refused token is an everyday outcome. The signature is
 * looked at before the claims, so a claim is only ever reported of a token that its
 * key's holder signed. Messages quote what came from outside; they are for logs and
 * people, who print them with `printable()`.
 */
import { createPublicKey, verify } from "node:crypto";
import { parseBase64 } from "../base/bytes.ts";
import { UserError } from "../base/errors.ts";
import type { VapidScheme } from "./services.ts";
import { parseSubject } from "./subject.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "./vapid.ts";

/** Whether a token needs a `sub`, and whether it is looked at. */
export type SubjectRule = "optional" | "required" | "ignored";

/** What a service expects of the token on one request. */
export interface VapidExpectation {
  /** The service's own origin (RFC 8292 §2), such as `https://push.example.net`. */
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The key a restricted subscription was made with (RFC 8292 §4). */
  readonly boundKey?: VapidPublicKey | undefined;
  /** `optional` as the RFC says; `required` as Apple does, which also wants a real one; `ignored` as others do. */
  readonly subject?: SubjectRule;
  /** `vapid` alone by default; the drafts' `webpush` and `bearer` come with `Crypto-Key: p256ecdsa=…`. */
  readonly schemes?: readonly VapidScheme[];
}

/** The claims of a token that was accepted. */
export interface VapidClaims {
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly subject: string | undefined;
}

/**
 * What was wrong with an authorization.
 *
 * - `missing`, `scheme`: no header, or one that is not VAPID's
 * - `token`, `algorithm`: `t` is absent or no JWT, or is not ES256
 * - `key`: `k` is absent or not an unpadded base64url point on P-256
 * - `signature`: not made with the key in `k`, or not in the form of JWS
 * - `mismatch`: another key than the subscription's
 * - `audience`, `expiry`, `expired`, `expiry-too-far`, `subject`: the claim of that name
 */
export type VapidDefect =
  | "missing"
  | "scheme"
  | "token"
  | "algorithm"
  | "key"
  | "signature"
  | "mismatch"
  | "audience"
  | "expiry"
  | "expired"
  | "expiry-too-far"
  | "subject";

/** Whether a request may send, and as whom. */
export type VapidVerdict =
  | { readonly ok: true; readonly claims: VapidClaims; readonly publicKey: VapidPublicKey }
  | { readonly ok: false; readonly defect: VapidDefect; readonly message: string };

/** Carries a defect up to `verifyVapid`, and no further. */
class Refused extends Error {
  readonly defect: VapidDefect;

  constructor(defect: VapidDefect, message: string) {
    super(message);
    this.defect = defect;
  }
}

/** Checks the `authorization` (and, for legacy forms, `crypto-key`) of a request's lower-case headers. */
export function verifyVapid(
  headers: Readonly<Record<string, string>>,
  expected: VapidExpectation,
): VapidVerdict {
  try {
    const { token, key } = readHeaders(headers, expected.schemes ?? ["vapid"]);
    const publicKey = readKey(key);
    const { signed, signature, payload } = readToken(token);
    assertSignature(signed, signature, publicKey);
    if (expected.boundKey !== undefined && expected.boundKey !== publicKey)
      throw new Refused("mismatch", "the subscription was made with another VAPID key");
    return { ok: true, claims: readClaims(payload, expected), publicKey };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, defect: error.defect, message: error.message };
  }
}

interface Credentials {
  readonly token: string | undefined;
  readonly key: string | undefined;
}

function readHeaders(
  headers: Readonly<Record<string, string>>,
  schemes: readonly VapidScheme[],
): Credentials {
  const authorization = headers["authorization"]?.trim() ?? "";
  if (authorization === "") throw new Refused("missing", "there is no Authorization header");
  const [, word = "", rest = ""] = /^([^\s,=]+)(?:\s+(.*))?$/s.exec(authorization) ?? [];
  const scheme = schemes.find((known) => known === word.toLowerCase());
  switch (scheme) {
    case "vapid": {
      const parameters = readParameters(rest, ",");
      return { token: parameters.get("t"), key: parameters.get("k") };
    }
    case "webpush":
    case "bearer":
      // draft-ietf-webpush-vapid-01 §3; the parts of Crypto-Key are separated by ; or , there.
      return { token: rest, key: readParameters(headers["crypto-key"] ?? "", ";,").get("p256ecdsa") };
    case undefined:
      throw new Refused("scheme", `the Authorization scheme is ${quote(word)}, expected vapid`);
    default:
      return scheme satisfies never;
  }
}

/**
 * `name=value` pairs, values quoted or not (RFC 9110 §11.2); names in lower case, empty elements skipped.
 *
 * Unknown names are kept and ignored (RFC 8292 §3); a known one that stands twice is refused (RFC 9110 §11.2).
 */
function readParameters(text: string, separators: ";," | ","): Map<string, string> {
  const parameters = new Map<string, string>();
  const element = new RegExp(
    String.raw`\s*(?:([^\s=${separators}"]+)\s*=\s*(?:"([^"]*)"|([^\s${separators}"]*))\s*)?(?:[${separators}]|$)`,
    "y",
  );
  while (element.lastIndex < text.length) {
    const found = element.exec(text);
    if (found === null)
      throw new Refused("token", "the Authorization parameters are not a list of name=value");
    const [, name, quoted, plain] = found;
    if (name === undefined) continue;
    const key = name.toLowerCase();
    if (parameters.has(key)) throw new Refused("token", `the parameter ${quote(key)} stands twice`);
    parameters.set(key, quoted ?? plain ?? "");
  }
  return parameters;
}

/** RFC 8292 §3.2: the uncompressed point as base64url without padding, and in no other form. */
function readKey(text: string | undefined): VapidPublicKey {
  if (text === undefined || text === "") throw new Refused("key", "there is no public key (k)");
  if (text.includes("=")) throw new Refused("key", "the public key (k) is padded");
  if (/[+/]/.test(text))
    throw new Refused("key", "the public key (k) is standard base64, expected base64url");
  try {
    return parseVapidPublicKey(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new Refused("key", `k: ${error.message}`);
  }
}

interface Token {
  readonly signed: string;
  readonly signature: Buffer;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A JWS in compact form (RFC 7515 §7.1) whose header names ES256 (RFC 8292 §2). */
function readToken(text: string | undefined): Token {
  if (text === undefined || text === "") throw new Refused("token", "there is no token (t)");
  const parts = text.split(".");
  const [header = "", payload = "", signature = ""] = parts;
  if (parts.length !== 3) throw new Refused("token", `the token has ${parts.length} parts, a JWT has 3`);
  const { alg, crit } = readJson(header, "header");
  if (alg !== "ES256") throw new Refused("algorithm", `the token's alg is ${quote(alg)}, expected ES256`);
  // RFC 7515 §4.1.11: who does not understand what is critical must refuse.
  if (crit !== undefined) throw new Refused("token", "the token has critical header parameters (crit)");
  return {
    signed: `${header}.${payload}`,
    signature: decodePart(signature, "signature"),
    payload: readJson(payload, "payload"),
  };
}

function readJson(part: string, name: string): Readonly<Record<string, unknown>> {
  const text = decodePart(part, name).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Refused("token", `the token's ${name} is not a JSON object`);
  return value as Readonly<Record<string, unknown>>;
}

function decodePart(part: string, name: string): Buffer {
  const bytes = /^[\w-]*$/.test(part) ? parseBase64(part) : undefined;
  if (bytes === undefined) throw new Refused("token", `the token's ${name} is not unpadded base64url`);
  return bytes;
}

/** RFC 7518 §3.4: r and s, 32 bytes each, side by side. */
const signatureBytes = 64;

function assertSignature(signed: string, signature: Buffer, publicKey: VapidPublicKey): void {
  if (signature.length !== signatureBytes) {
    const form = signature[0] === 0x30 ? "DER" : `${signature.length} bytes`;
    throw new Refused(
      "signature",
      `the signature is ${form}, expected ${signatureBytes} bytes, r and s side by side`,
    );
  }
  const point = Buffer.from(publicKey, "base64url");
  const x = point.toString("base64url", 1, 33);
  const y = point.toString("base64url", 33);
  const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  if (!verify("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }, signature))
    throw new Refused("signature", "the signature was not made with the key in k over this token");
}

/** RFC 8292 §2: the end of a token is at most this far away. */
const maxLifetimeMs = 24 * 60 * 60 * 1000;

function readClaims(payload: Readonly<Record<string, unknown>>, expected: VapidExpectation): VapidClaims {
  const { aud, exp, sub } = payload;
  if (aud !== expected.audience)
    throw new Refused("audience", `the token's aud is ${quote(aud)}, expected ${quote(expected.audience)}`);
  return {
    audience: expected.audience,
    expiresAt: readExpiry(exp, expected.now),
    subject: readSubject(sub, expected.subject ?? "optional"),
  };
}

function readExpiry(exp: unknown, now: number): number {
  if (typeof exp !== "number" || !Number.isFinite(exp))
    throw new Refused("expiry", `the token's exp is ${quote(exp)}, expected a number of seconds`);
  const expiresAt = exp * 1000;
  if (expiresAt <= now) throw new Refused("expired", `the token ended ${span(now - expiresAt)} ago`);
  if (expiresAt > now + maxLifetimeMs)
    throw new Refused("expiry-too-far", `the token ends in ${span(expiresAt - now)}, the most is 24 h`);
  return expiresAt;
}

function readSubject(sub: unknown, rule: SubjectRule): string | undefined {
  if (rule === "ignored") return typeof sub === "string" ? sub : undefined;
  if (sub === undefined && rule === "optional") return undefined;
  if (typeof sub !== "string")
    throw new Refused("subject", `the token's sub is ${quote(sub)}, expected a contact`);
  // RFC 8292 §2.1.
  if (!/^(?:mailto:|https:\/\/)/i.test(sub))
    throw new Refused("subject", `the token's sub is ${quote(sub)}, expected mailto: or https:`);
  if (rule === "optional") return sub;
  try {
    parseSubject(sub);
    return sub;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new Refused("subject", error.message);
  }
}

/** What came from outside, short and on one line. */
function quote(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value === "number") return String(value);
  return Array.isArray(value) ? "a list" : `a ${value === null ? "null" : typeof value}`;
}

function span(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.ceil(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / (24 * 60))} days`;
}
