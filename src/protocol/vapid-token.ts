/**
 * VAPID tokens, signed by the web-push library: the one file that imports it.
 *
 * Its own checks are run before by our parsers, so what it refuses is translated
 * and never reaches a person raw. It reads the real clock for one of them: a token
 * must end within 24 hours from now.
 */
import webPush from "web-push";
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
 * RFC 8292 §2.1 lets a token go without a subject; Apple does not, so none is signed.
 *
 * @throws UserError `vapid-subject-missing`, `vapid-token`
 */
export function signToken(request: TokenRequest): Readonly<Record<string, string>> {
  const { audience, subject, pair, expiresAt, encoding } = request;
  if (subject === undefined) {
    throw new UserError("vapid-subject-missing", "there is no VAPID subject, the contact Apple insists on", {
      kind: "credentials",
      hints: ["store one: webpush keys --subject mailto:… (or set VAPID_SUBJECT)"],
    });
  }
  const expiresAtSeconds = Math.floor(expiresAt / 1000);
  // web-push takes 0 for "not given" and would put its own time there.
  if (!Number.isSafeInteger(expiresAtSeconds) || expiresAtSeconds <= 0)
    throw new RangeError(`expiresAt ${expiresAt} is not a time`);
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
      hints: [isTooFar ? "check this machine's clock" : "check the keys with webpush doctor"],
      cause,
    });
  }
}

function lowerCaseNames(headers: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" ? [[name.toLowerCase(), value]] : [],
    ),
  );
}
