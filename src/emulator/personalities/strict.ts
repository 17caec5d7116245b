/**
 * By the letter: RFC 8030, 8291 and 8292, and each refusal with the section that asks for it.
 *
 * The order is that of the RFCs: does the resource exist, TTL, Urgency, Topic, receipts, VAPID,
 * Content-Encoding, size.
 */
import type { PushInput } from "../exchange.ts";
import { linkTo, receiptRelation, resourceUrl } from "../http-exchange.ts";
import { findLink, readPreferences } from "../preferences.ts";
import { headerOf, quote } from "../push-headers.ts";
import { refuse, type Refusal } from "../refusals.ts";
import { emptyReply, refusalReply, type Reply } from "../replies.ts";
import { authorization, encoding, isBound, isLive, size, topic, ttl, urgency } from "./checks.ts";
import type { Accepted, Draft, Parcel, Personality } from "./personality.ts";

export const strict: Personality = {
  checks: [
    isLive,
    ttl(),
    urgency("honoured"),
    topic("rfc8030"),
    receiptWish,
    // The drafts' schemes belong to aesgcm, which web-push still writes on request.
    authorization({ schemes: ["vapid", "webpush", "bearer"], subject: "optional", isRequired: () => false }),
    isBound,
    encoding(["aes128gcm", "aesgcm"]),
    size,
  ],
  accept,
  refuse: refusalReply,
};

/** `Prefer: respond-async`, with the receipt subscription of an earlier answer as a link (RFC 8030 §5.1). */
function receiptWish({ headers, origin }: Parcel): Draft | Refusal {
  const preferences = readPreferences(headerOf(headers, "prefer"));
  if (preferences.kind === "refused") return preferences;
  if (!preferences.respondAsync) return { receipt: "none" };
  const link = findLink(headerOf(headers, "link"), receiptRelation);
  if (link === undefined) return { receipt: "new" };
  const prefix = resourceUrl(origin, "receipt", "");
  const url = URL.canParse(link, origin) ? new URL(link, origin).href : "";
  const receipt: PushInput["receipt"] = { receiptSubscriptionId: url.slice(prefix.length) };
  if (url.startsWith(prefix)) return { receipt };
  return refuse("receipt-subscription-invalid", `the receipt link ${quote(link)} is not of this service`);
}

function accept({ created, origin }: Accepted): Reply {
  const { messageId, isTtlShortened, ttlSeconds, receiptSubscriptionId } = created;
  const location = resourceUrl(origin, "message", messageId);
  const shortened = isTtlShortened ? { ttl: String(ttlSeconds) } : {}; // RFC 8030 §5.2
  if (receiptSubscriptionId === undefined) return emptyReply(201, { location, ...shortened });
  const receipts = resourceUrl(origin, "receipt", receiptSubscriptionId);
  return emptyReply(202, { location, ...shortened, link: linkTo(receipts, receiptRelation) }); // RFC 8030 §5.1
}
