/**
 * As FCM, the push service of Chromium: the reason is a line of text.
 *
 * The size is looked at before who sends (PROTOCOL.md §4.1); the rest of the order is not known
 * and goes from the request's right to be here to its details.
 */
import { factsOf } from "../../protocol/services.ts";
import type { Refusal } from "../refusals.ts";
import { emptyReply, type Reply } from "../replies.ts";
import { answerOf, wordingOf, type Wordings } from "./answers.ts";
import {
  authorization,
  authorizationAt,
  encoding,
  isBound,
  isLive,
  size,
  topic,
  ttl,
  urgency,
} from "./checks.ts";
import type { Accepted, Personality } from "./personality.ts";

const facts = factsOf("fcm");

export const fcm: Personality = {
  checks: [
    size,
    authorization(authorizationAt(facts)),
    isLive,
    isBound,
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
    "no-such-subscription": { row: "fcm.stale" },
    "subscription-gone": { row: "fcm.gone" },
    "subscription-expired": { row: "fcm.gone" },
    "ttl-missing": { row: "fcm.ttl" },
    "ttl-malformed": { row: "fcm.ttl" },
    "ttl-too-long": { row: "fcm.ttl" },
    "vapid-missing": { row: "fcm.no-auth" },
    scheme: { row: "fcm.jwt" },
    token: { row: "fcm.jwt" },
    algorithm: { row: "fcm.jwt" },
    signature: { row: "fcm.jwt" },
    key: { row: "fcm.public-key" },
    audience: { row: "fcm.aud" },
    expiry: { row: "fcm.exp", words: "the exp claim is missing." },
    expired: { row: "fcm.exp", words: "the token has expired." },
    "expiry-too-far": { row: "fcm.exp" },
    "vapid-wrong-key": { row: "fcm.key-mismatch" },
    "body-too-large": { row: "fcm.too-large" },
    "too-many-messages": { row: "fcm.rate" },
  },
  otherwise: { row: "http.400" },
};

/** `0:<microseconds>%<hex>`, as FCM names messages. */
function accept({ created: { messageId }, origin, now }: Accepted): Reply {
  const hex = Buffer.from(messageId, "base64url").toString("hex");
  return emptyReply(201, { location: `${origin}/0:${now}000%${hex}` });
}

function refuse(refusal: Refusal): Reply {
  const wording = wordingOf(wordings, refusal);
  const answer = answerOf(wording);
  return wording.words === undefined ? answer : { ...answer, body: Buffer.from(`${wording.words}\n`) };
}
