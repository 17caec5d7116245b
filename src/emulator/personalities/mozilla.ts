/**
 * As Mozilla's autopush: the reason is an `errno` in JSON, with a message that tells its cases apart.
 *
 * The order is autopush's: token, VAPID, subscription, size, headers. Its readers of headers are its own,
 * since it takes what the RFCs do not (a padded Topic, any Urgency) and refuses what they let pass
 * (parameters of aesgcm beside aes128gcm). PROTOCOL.md §4.2 has the numbers.
 */
import { contentEncodings } from "../../protocol/subscription.ts";
import { factsOf } from "../../protocol/services.ts";
import { headerOf, quote } from "../push-headers.ts";
import { refuse, type Refusal } from "../refusals.ts";
import { emptyReply, jsonReply, type Reply } from "../replies.ts";
import { answerOf, fieldsOf, wordingOf, type Wording, type Wordings } from "./answers.ts";
import { authorization, authorizationAt, isBound, isKnown, isLive, size, urgency } from "./checks.ts";
import type { Accepted, Draft, Parcel, Personality } from "./personality.ts";

const facts = factsOf("mozilla");

export const mozilla: Personality = {
  checks: [
    isKnown,
    // Only a v2 endpoint insists by itself; a key of the subscription's does in any case.
    authorization({ ...authorizationAt(facts), isRequired: ({ version }) => version === "v2" }),
    isLive,
    isOfItsVersion,
    isBound,
    size,
    ttl,
    topic,
    urgency(facts.limits.urgency),
    encoding,
  ],
  accept,
  refuse: refuseAsAutopush,
};

interface AutopushWording extends Wording {
  /** The number, where a row stands for several. */
  readonly errno?: number;
}

const invalidToken = (what: string): AutopushWording => ({
  row: "moz.auth",
  words: `Invalid VAPID token: ${what}`,
});

const wordings: Wordings<AutopushWording> = {
  known: {
    "no-such-subscription": { row: "moz.token" },
    "subscription-gone": { row: "moz.gone" },
    "subscription-expired": { row: "moz.gone" },
    "ttl-missing": { row: "moz.ttl" },
    "ttl-malformed": { row: "moz.ttl" },
    "ttl-negative": { row: "moz.ttl", errno: 114, words: "TTL must be greater than 0" },
    "topic-malformed": { row: "moz.topic" },
    "vapid-missing": { row: "moz.auth", words: "Missing VAPID token" },
    scheme: { row: "moz.auth", words: "Unknown auth scheme" },
    token: invalidToken("InvalidToken"),
    algorithm: invalidToken("InvalidAlgorithm"),
    signature: invalidToken("InvalidSignature"),
    key: { row: "moz.auth", words: "Invalid VAPID public key" },
    audience: { row: "moz.aud" },
    expiry: { row: "moz.exp", words: "Invalid VAPID expiry" },
    expired: { row: "moz.exp", words: "Invalid VAPID token: ExpiredSignature" },
    "expiry-too-far": { row: "moz.exp" },
    "vapid-wrong-key": { row: "moz.key-mismatch" },
    "body-too-large": { row: "moz.too-large", words: "Request payload is too large" },
    "too-many-messages": { row: "moz.storage" },
  },
  otherwise: { row: "moz.crypto" },
};

const moreInfo = "http://autopush.readthedocs.io/en/latest/http.html#error-codes";

/** A token opens in the version it was made for only. */
function isOfItsVersion({ subscription, version }: Parcel): Draft | Refusal {
  if (version === undefined || subscription.kind === "refused") return {};
  const own = subscription.applicationServerKey === undefined ? "v1" : "v2";
  return own === version ? {} : refuse("no-such-subscription", `/wpush/${version} has no such token`);
}

function ttl({ headers }: Parcel): Draft | Refusal {
  const header = headerOf(headers, "ttl");
  if (header === undefined) return refuse("ttl-missing", "the request has no TTL header");
  if (!/^-?\d+$/.test(header))
    return refuse("ttl-malformed", `TTL is ${quote(header)}, not a number of seconds`);
  if (Number(header) < 0) return refuse("ttl-negative", `TTL is ${quote(header)}, less than 0`);
  return { ttlSeconds: Math.min(Number(header), 2 ** 31) };
}

function topic({ headers }: Parcel): Draft | Refusal {
  const header = headerOf(headers, "topic");
  if (header === undefined || (header.length <= 32 && /^[A-Za-z0-9_-]+=*$/.test(header)))
    return { topic: header };
  return refuse("topic-malformed", `Topic is ${quote(header)}, not 1 to 32 characters of base64url`);
}

function encoding({ headers, body }: Parcel): Draft | Refusal {
  const none = { contentEncoding: undefined, encryption: undefined, cryptoKey: undefined };
  if (body.length === 0) return { headers: none };
  const named = headerOf(headers, "content-encoding");
  if (named === undefined) return refuse("content-encoding-missing", "Missing Content-Encoding header");
  const contentEncoding = contentEncodings.find((known) => known === named.trim().toLowerCase());
  const encryption = headerOf(headers, "encryption");
  const cryptoKey = headerOf(headers, "crypto-key");
  const [hasSalt, hasKey] = [/\bsalt\s*=/i.test(encryption ?? ""), /\bdh\s*=/i.test(cryptoKey ?? "")];
  switch (contentEncoding) {
    case undefined:
      return refuse("content-encoding-unknown", "Unknown Content-Encoding header");
    case "aes128gcm":
      if (hasSalt) return misplaced("salt", "Encryption");
      if (hasKey) return misplaced("dh", "Crypto-Key");
      return { headers: { ...none, contentEncoding } };
    case "aesgcm":
      if (!hasSalt) return refuse("encryption-headers-missing", "Missing salt value in Encryption header");
      if (!hasKey) return refuse("encryption-headers-missing", "Missing dh value in Crypto-Key header");
      return { headers: { contentEncoding, encryption, cryptoKey } };
    default:
      return contentEncoding satisfies never;
  }
}

/** What the aesgcm draft has in headers stands in the body of aes128gcm. */
function misplaced(what: string, header: string): Refusal {
  return refuse("encryption-headers-missing", `Do not include '${what}' in aes128gcm ${header} header`);
}

function accept({ created: { messageId, ttlSeconds }, origin }: Accepted): Reply {
  return emptyReply(201, { location: `${origin}/m/${messageId}`, ttl: String(ttlSeconds) });
}

function refuseAsAutopush(refusal: Refusal): Reply {
  const wording = wordingOf(wordings, refusal);
  const { status, headers, ...answer } = answerOf(wording);
  const fields = fieldsOf({ status, headers, ...answer });
  // The faults of encryption have no wording of their own: our reasons for them are autopush's words.
  const message = wording === wordings.otherwise ? refusal.reason : (wording.words ?? fields["message"]);
  const errno = wording.errno ?? fields["errno"];
  return jsonReply(status, { ...fields, errno, message, more_info: moreInfo }, headers);
}
