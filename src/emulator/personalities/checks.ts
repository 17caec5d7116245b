/**
 * The rules a push request is checked by, each with what differs between services as an argument.
 *
 * The arguments of vendors come from protocol/services.ts; the order is each personality's own.
 */
import type { PushServiceFacts } from "../../protocol/services.ts";
import { urgencies, type Urgency } from "../../protocol/message.ts";
import { sizeRefusal } from "../intake.ts";
import { headerOf, quote, readEncoding, readTopic, readTtl, readUrgency } from "../push-headers.ts";
import { refuse, type Refusal } from "../refusals.ts";
import { senderRefusal } from "../subscriptions.ts";
import { readSender, type VapidContext } from "../vapid-check.ts";
import type { Check, Draft, Parcel } from "./personality.ts";

/** The token of the endpoint is one this service gave out; what it was given out for may be over. */
export const isKnown: Check = ({ subscription }) =>
  subscription.kind === "refused" && subscription.code === "no-such-subscription" ? subscription : {};

/** The subscription is alive. */
export const isLive: Check = ({ subscription }) => (subscription.kind === "refused" ? subscription : {});

/** The sender holds the key the subscription was made with (RFC 8292 §4.2). Comes after `authorization`. */
export const isBound: Check = ({ subscription }, { sender }) => {
  if (subscription.kind === "refused") return subscription;
  return senderRefusal(subscription.applicationServerKey, sender) ?? {};
};

/** The body is not too large. */
export const size: Check = ({ body, limits }) => sizeRefusal(body, limits.maxBodyBytes) ?? {};

/** What a service asks of the sender's token. */
export type AuthorizationRule = Pick<VapidContext, "schemes" | "subject"> & {
  readonly isRequired: (parcel: Parcel) => boolean;
};

/** The token in `Authorization` is good; a bad one is refused, needed or not. */
export function authorization({ isRequired, ...rule }: AuthorizationRule): Check {
  return (parcel) => {
    const { headers, origin, now } = parcel;
    const sender = readSender(headers, { audience: origin, now, ...rule });
    if (sender.kind === "refused") return sender;
    if (sender.value === undefined && isRequired(parcel))
      return refuse("vapid-missing", "this service takes no message without a VAPID token");
    return { sender: sender.value };
  };
}

/** What a vendor asks of the sender's token. */
export function authorizationAt({ authorization: rule }: PushServiceFacts): AuthorizationRule {
  const { schemes, required, subjectRequired } = rule;
  return { schemes, subject: subjectRequired ? "required" : "ignored", isRequired: () => required };
}

/** `TTL` is there, a number of seconds, and not above what a vendor refuses. */
export function ttl(limits?: PushServiceFacts["limits"]): Check {
  return ({ headers }) => {
    const seconds = readTtl(headers);
    if (seconds.kind === "refused") return seconds;
    const { maxTtlSeconds, aboveMaxTtl } = limits ?? {};
    if (aboveMaxTtl === "refuse" && maxTtlSeconds !== undefined && seconds.value > maxTtlSeconds) {
      const reason = `TTL is ${seconds.value}, more than the ${maxTtlSeconds} seconds this service takes`;
      return refuse("ttl-too-long", reason);
    }
    return { ttlSeconds: seconds.value };
  };
}

/** The headers that a TTL of 0 needs are there, and are not there with any other. Comes after `ttl`. */
export function ttlZeroHeaders({ ttlZeroHeaders: needed }: PushServiceFacts["limits"]): Check {
  return ({ headers }, { ttlSeconds }) => {
    for (const [name, value] of Object.entries(needed)) {
      const isGiven = headerOf(headers, name)?.trim().toLowerCase() === value;
      if (isGiven === (ttlSeconds === 0)) continue;
      const reason = isGiven ? `a TTL above 0 and ${name}: ${value}` : `a TTL of 0 without ${name}: ${value}`;
      return refuse("cache-policy-conflict", reason);
    }
    return {};
  };
}

/** `Urgency` is one of the four words, where the service looks at it. */
export function urgency(rule: PushServiceFacts["limits"]["urgency"]): Check {
  return ({ headers }) => {
    if (rule !== "honoured") return { urgency: urgencyMeant(headerOf(headers, "urgency")) };
    const word = readUrgency(headers);
    return word.kind === "refused" ? word : { urgency: word.value };
  };
}

/** What people are shown where the service itself does not look. */
function urgencyMeant(header: string | undefined): Urgency {
  return urgencies.find((known) => known === header?.toLowerCase()) ?? "normal";
}

/** `Topic` is what the service takes for one; where it says nothing of topics, one that is none is dropped. */
export function topic(rule: PushServiceFacts["limits"]["topic"]): Check {
  return ({ headers }): Draft | Refusal => {
    const read = readTopic(headers);
    if (rule === "unknown") return { topic: read.kind === "refused" ? undefined : read.value };
    if (read.kind === "refused") return read;
    const { value } = read;
    if (rule === "base64url" && value !== undefined && value.length % 4 === 1) {
      const reason = `Topic is ${quote(value)}, whose ${value.length} characters are the base64url of nothing`;
      return refuse("topic-malformed", reason);
    }
    return { topic: value };
  };
}

/** A body comes in an encoding the service passes on. */
export function encoding(encodings: PushServiceFacts["encodings"]): Check {
  return ({ headers, body }) => {
    const read = readEncoding(headers, body.length);
    if (read.kind === "refused") return read;
    const { contentEncoding } = read.value;
    if (encodings.every((known) => known !== contentEncoding) && contentEncoding !== undefined) {
      const reason = `Content-Encoding is ${contentEncoding}, not ${encodings.join(" or ")}`;
      return refuse("content-encoding-unknown", reason);
    }
    return { headers: read.value };
  };
}

/** A body comes with its length, not in chunks. */
export const contentLength: Check = ({ headers }) =>
  headerOf(headers, "transfer-encoding") === undefined
    ? {}
    : refuse("content-length-missing", "the body comes in chunks, without Content-Length");
