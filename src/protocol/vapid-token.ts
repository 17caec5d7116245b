/**
 * VAPID tokens (RFC 8292), signed by the web-push library: the one file that imports it.
 *
 * Its own checks are run before by our parsers, so what it refuses is translated
 * and never reaches a person raw. It reads the real clock for one of them: a token
 * must end within 24 hours from now.
 */
import { createPrivateKey, sign } from "node:crypto";
import webPush from "web-push";
import { formatBase64url } from "../base/bytes.ts";
import { messageOf, UserError } from "../base/errors.ts";
import type { Subject } from "./subject.ts";
import type { ContentEncoding } from "./subscription.ts";
import type { VapidKeyPair } from "./vapid.ts";

/** What a token says and who signs it. */
export interface TokenRequest {
  /** The origin of the push service: `endpointOrigin(endpoint)`. */
  readonly audience: string;
  readonly subject: Subject | undefined;
  readonly pair: VapidKeyPair;
  /** Milliseconds since 1970; the token carries whole seconds, rounded down. */
  readonly expiresAt: number;
  /** `aesgcm` goes with the older form of the headers. */
  readonly encoding: ContentEncoding;
}

/**
 * The headers that say who sends, with lower-case names: `authorization`, and for `aesgcm` also `crypto-key`.
 *
 * @throws UserError `vapid-token`
 */
export function signToken(request: TokenRequest): Readonly<Record<string, string>> {
  const expiresAtSeconds = Math.floor(request.expiresAt / 1000);
  // web-push takes 0 for "not given" and would put its own time there.
  if (!Number.isSafeInteger(expiresAtSeconds) || expiresAtSeconds <= 0)
    throw new RangeError(`expiresAt ${request.expiresAt} is not a time`);
  const { subject } = request;
  return subject === undefined
    ? signWithoutSubject(request, expiresAtSeconds)
    : signWithSubject({ ...request, subject }, expiresAtSeconds);
}

function signWithSubject(
  { audience, subject, pair, encoding }: TokenRequest & { readonly subject: Subject },
  expiresAtSeconds: number,
): Readonly<Record<string, string>> {
  try {
    const { publicKey, privateKey } = pair;
    return lowerCaseNames(
      webPush.getVapidHeaders(audience, subject, publicKey, privateKey.reveal(), encoding, expiresAtSeconds),
    );
  } catch (cause) {
    // Errors of the crypto layer are about keys, and stay out of the message.
    const isTooFar = messageOf(cause).includes("maximum of 24 hours");
    const why = isTooFar
      ? "it would end more than 24 hours from now"
      : "the keys or the audience are refused";
    throw new UserError("vapid-token", `no VAPID token can be signed: ${why}`, {
      kind: "credentials",
      hints: [isTooFar ? "check this machine's clock" : "check the keys: webpush keys --private"],
      cause,
    });
  }
}

/**
 * RFC 8292 §2.1 lets a token go without a subject, and every service but Apple's
 * takes it; web-push does not sign one, so this is the same token made here.
 */
function signWithoutSubject(
  { audience, pair: { publicKey, privateKey }, encoding }: TokenRequest,
  exp: number,
): Readonly<Record<string, string>> {
  const point = Buffer.from(publicKey, "base64url");
  const key = createPrivateKey({
    format: "jwk",
    key: {
      kty: "EC",
      crv: "P-256",
      x: formatBase64url(point.subarray(1, 33)),
      y: formatBase64url(point.subarray(33)),
      d: privateKey.reveal(),
    },
  });
  const signed = [
    { typ: "JWT", alg: "ES256" },
    { aud: audience, exp },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  // JWS wants r || s (RFC 7518 §3.4), not OpenSSL's DER.
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  const token = `${signed}.${formatBase64url(signature)}`;
  return encoding === "aes128gcm"
    ? { authorization: `vapid t=${token}, k=${publicKey}` } // RFC 8292 §3
    : { authorization: `WebPush ${token}`, "crypto-key": `p256ecdsa=${publicKey}` }; // draft-ietf-webpush-vapid-01
}

function lowerCaseNames(headers: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" ? [[name.toLowerCase(), value]] : [],
    ),
  );
}
