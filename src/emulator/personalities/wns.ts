/**
 * As Microsoft's WNS: the reason is in headers, the body is empty.
 *
 * The order of its checks is not known; here it goes from the request's right to be here to its details.
 */
import { factsOf } from "../../protocol/services.ts";
import type { Refusal } from "../refusals.ts";
import { emptyReply, type Reply } from "../replies.ts";
import { answerOf, exampleAnswer, wordingOf, type Wordings } from "./answers.ts";
import {
  authorization,
  authorizationAt,
  contentLength,
  encoding,
  isBound,
  isLive,
  size,
  topic,
  ttl,
  ttlZeroHeaders,
  urgency,
} from "./checks.ts";
import type { Accepted, Personality } from "./personality.ts";

const facts = factsOf("wns");

export const wns: Personality = {
  checks: [
    contentLength,
    authorization(authorizationAt(facts)),
    isLive,
    isBound,
    size,
    ttl(facts.limits),
    ttlZeroHeaders(facts.limits),
    urgency(facts.limits.urgency),
    topic(facts.limits.topic),
    encoding(facts.encodings),
  ],
  accept,
  refuse,
};

const missingTtl = "The TTL header is missing or not a number.";
const expired = "The channel has expired.";

const wordings: Wordings = {
  known: {
    "no-such-subscription": { row: "wns.gone", status: 404, words: "The channel is not valid." },
    "subscription-gone": { row: "wns.gone", words: expired },
    "subscription-expired": { row: "wns.gone", words: expired },
    "ttl-missing": { row: "wns.ttl", words: missingTtl },
    "ttl-malformed": { row: "wns.ttl", words: missingTtl },
    "cache-policy-conflict": { row: "wns.ttl" },
    "vapid-missing": { row: "wns.jwt", words: "The Authorization header is missing." },
    scheme: { row: "wns.jwt", words: "The Authorization header is not valid." },
    token: { row: "wns.jwt" },
    algorithm: { row: "wns.jwt" },
    signature: { row: "wns.jwt" },
    key: { row: "wns.jwt" },
    audience: { row: "wns.jwt" },
    expiry: { row: "wns.jwt" },
    expired: { row: "wns.jwt" },
    "expiry-too-far": { row: "wns.jwt" },
    "vapid-wrong-key": { row: "wns.key-mismatch" },
    "body-too-large": { row: "wns.too-large", words: "The payload is larger than 5000 bytes." },
    "content-length-missing": { row: "http.400", words: "The Content-Length header is missing." },
    "too-many-messages": { row: "wns.throttled" },
  },
  otherwise: { row: "http.400", words: "A header of the notification is not valid." },
};

function accept({ created, subscription }: Accepted): Reply {
  const { messageId, isDiscarded } = created;
  // Nobody was there and nothing was to be stored: WNS says so, and calls it accepted all the same.
  const dropped = isDiscarded ? exampleAnswer("ok.dropped")?.headers : undefined;
  return emptyReply(facts.successStatuses[0] ?? 201, {
    "x-wns-status": "received",
    "x-wns-notificationstatus": isDiscarded ? "dropped" : "received",
    "x-wns-deviceconnectionstatus": subscription.isConnected ? "connected" : "disconnected",
    ...dropped,
    ...namesOf(messageId),
  });
}

/** What Microsoft's support asks for: the message, and the vector of its request. */
function namesOf(messageId: string) {
  const bytes = Buffer.from(messageId, "base64url");
  return {
    "x-wns-msg-id": bytes.toString("hex").slice(0, 16).toUpperCase(),
    "ms-cv": `${bytes.subarray(0, 12).toString("base64")}.0`,
  };
}

function refuse(refusal: Refusal): Reply {
  const wording = wordingOf(wordings, refusal);
  const { status, headers } = answerOf(wording);
  const { words } = wording;
  return emptyReply(status, {
    "x-wns-status": "dropped",
    "x-wns-notificationstatus": "dropped",
    ...headers,
    ...(words === undefined ? {} : { "x-wns-error-description": words }),
  });
}
