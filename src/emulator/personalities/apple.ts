/**
 * As Apple's push service: the reason is a word in JSON.
 *
 * The order of its checks is not known; here it goes from the request's right to be here to its details.
 */
import { factsOf } from "../../protocol/services.ts";
import type { Refusal } from "../refusals.ts";
import { emptyReply, type Reply } from "../replies.ts";
import { answerOf, fieldsOf, wordingOf, type Wordings } from "./answers.ts";
import {
  authorization,
  authorizationAt,
  encoding,
  isBound,
  isKnown,
  isLive,
  size,
  topic,
  ttl,
  urgency,
} from "./checks.ts";
import type { Accepted, Personality } from "./personality.ts";

const facts = factsOf("apple");

export const apple: Personality = {
  checks: [
    isKnown,
    authorization(authorizationAt(facts)),
    isLive,
    isBound,
    size,
    ttl(facts.limits),
    urgency(facts.limits.urgency),
    topic(facts.limits.topic),
    encoding(facts.encodings),
  ],
  accept,
  refuse,
};

const wordings: Wordings = {
  known: {
    "no-such-subscription": { row: "apple.path" },
    "subscription-gone": { row: "apple.gone" },
    "subscription-expired": { row: "apple.gone" },
    "ttl-missing": { row: "apple.ttl" },
    "ttl-malformed": { row: "apple.ttl" },
    "urgency-malformed": { row: "apple.urgency" },
    "topic-malformed": { row: "apple.topic" },
    "vapid-missing": { row: "apple.jwt" },
    scheme: { row: "apple.auth-header" },
    token: { row: "apple.jwt" },
    algorithm: { row: "apple.jwt" },
    signature: { row: "apple.jwt" },
    key: { row: "apple.public-key" },
    audience: { row: "apple.jwt" },
    expiry: { row: "apple.jwt" },
    expired: { row: "apple.jwt" },
    "expiry-too-far": { row: "apple.jwt" },
    subject: { row: "apple.jwt" },
    "vapid-wrong-key": { row: "apple.key-mismatch" },
    "body-too-large": { row: "http.413", words: "PayloadTooLarge" },
    "too-many-messages": { row: "apple.rate" },
  },
  otherwise: { row: "apple.request" },
};

/** `apns-id` is a UUID in capitals, here made of the message's id. */
function accept({ created: { messageId } }: Accepted): Reply {
  const hex = Buffer.from(messageId, "base64url").toString("hex").toUpperCase();
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return emptyReply(facts.successStatuses[0] ?? 201, { "apns-id": parts.join("-") });
}

function refuse(refusal: Refusal): Reply {
  const wording = wordingOf(wordings, refusal);
  const answer = answerOf(wording);
  const fields = wording.words === undefined ? fieldsOf(answer) : { reason: wording.words };
  // In milliseconds, the time at which the token was found to be over.
  const dated = "timestamp" in fields ? { timestamp: refusal.ended?.endedAt ?? fields["timestamp"] } : {};
  return { ...answer, body: Buffer.from(JSON.stringify({ ...fields, ...dated })) };
}
