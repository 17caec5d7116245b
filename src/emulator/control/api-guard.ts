/**
 * Who may use the JSON API: whoever knows the token of this run.
 *
 * The Host and Origin of a request have been checked before, at the HTTP door. The token keeps out other
 * users of the machine, and pages that a browser wired to the emulator shows.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { formatBase64url } from "../../base/bytes.ts";
import type { Random } from "../../base/clock.ts";
import { UserError } from "../../base/errors.ts";
import { jsonReply, type Reply } from "../replies.ts";

/** 192 random bits. */
const tokenBytes = 24;
const leastLength = 8;

/**
 * The token given, or a random one.
 *
 * @throws UserError `emulator-api-token`
 */
export function apiTokenFor(given: string | undefined, random: Random): string {
  if (given === undefined) return formatBase64url(random.bytes(tokenBytes));
  if (given.length >= leastLength && /^[A-Za-z0-9._~+/-]+=*$/.test(given)) return given;
  throw new UserError("emulator-api-token", "the API token cannot be sent as a bearer token", {
    hints: [`use ${leastLength} or more of A-Z a-z 0-9 - . _ ~ + /, or leave it out for a random one`],
  });
}

/** Why a request without the right token is not answered; `undefined` when it is. */
export function tokenRefusal(authorization: string | undefined, token: string): Reply | undefined {
  if (authorization === undefined) {
    return unauthorized(
      "token-missing",
      "the request has no Authorization: Bearer header with the API token",
    );
  }
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
  if (given === undefined)
    return unauthorized("token-missing", "the Authorization header is not a bearer token");
  if (isSame(given, token)) return undefined;
  return unauthorized(
    "token-wrong",
    "the API token is not the one of this run, which the emulator prints when it starts",
  );
}

function unauthorized(error: string, message: string): Reply {
  const challenge = error === "token-wrong" ? 'Bearer error="invalid_token"' : "Bearer"; // RFC 6750 §3
  return jsonReply(401, { code: 401, error, message }, { "www-authenticate": challenge });
}

/** Digests are of one length, so the comparison says nothing about the token's. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
