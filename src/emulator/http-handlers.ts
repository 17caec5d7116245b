/**
 * Subscribe, send, acknowledge, cancel, unsubscribe: the requests that are answered at once (RFC 8030 §4 to §6).
 *
 * A push request is checked in the order of the RFCs: does the resource exist,
 * TTL, Urgency, Topic, receipts, VAPID, Content-Encoding, size; the first rule
 * broken is the one answered.
 */
import { UserError } from "../base/errors.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "../protocol/vapid.ts";
import type { Created, PushInput } from "./exchange.ts";
import {
  deny,
  linkTo,
  pushRelation,
  receiptRelation,
  requestHeader,
  resourceUrl,
  setRelation,
  type HttpExchange,
} from "./http-exchange.ts";
import { findLink, readPreferences } from "./preferences.ts";
import {
  quote,
  readEncoding,
  readTopic,
  readTtl,
  readUrgency,
  receivedHeaders,
  type Read,
} from "./push-headers.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { emptyReply, jsonReply, refusalReply, type Reply } from "./replies.ts";
import { readBody } from "./request-body.ts";
import { senderRefusal } from "./subscriptions.ts";
import { readSender } from "./vapid-check.ts";
import type { SubscriptionView } from "./views.ts";

/** Far more than a key needs. */
const maxOptionsBytes = 4096;

/** `POST /subscribe`: a new subscription (RFC 8030 §4), bound to a VAPID key if one is given (RFC 8292 §4.1). */
export async function subscribe(exchange: HttpExchange): Promise<Reply | undefined> {
  const body = await readBody(exchange.request, maxOptionsBytes);
  if (body === undefined) return undefined;
  const key = readKey(exchange, body.bytes);
  if (key.kind === "refused") return deny(exchange, key);
  const outcome = exchange.service.subscribe(key.value);
  if (outcome.kind === "refused") return refusalReply(outcome);
  const { origin } = exchange;
  const endpoint = resourceUrl(origin, "push", outcome.pushId);
  const subscription = resourceUrl(origin, "subscription", outcome.subscriptionId);
  const headers = { location: subscription, link: linkTo(endpoint, pushRelation) };
  return jsonReply(201, { endpoint, subscription, expirationTime: outcome.expiresAt ?? null }, headers);
}

/** `POST /push/<id>`: one message (RFC 8030 §5). */
export async function push(exchange: HttpExchange): Promise<Reply | undefined> {
  const { service, request, id } = exchange;
  const body = await readBody(request, service.maxBodyBytes);
  if (body === undefined) return undefined;
  const subscription = service.findByPushId(id);
  if (subscription.kind === "refused") return refusalReply(subscription);
  const input = readInput(exchange, subscription, body.bytes);
  if (input.kind === "refused") return deny(exchange, input, subscription.subscriptionId);
  const outcome = service.send(id, input.value);
  return outcome.kind === "refused" ? refusalReply(outcome) : createdReply(exchange, outcome);
}

/** `DELETE /subscription/<id>`: the receiver wants no more (RFC 8030 §7.3). */
export function unsubscribe({ service, id }: HttpExchange): Reply {
  const outcome = service.unsubscribe(id);
  return outcome.kind === "refused" ? refusalReply(outcome) : emptyReply(204);
}

/**
 * `DELETE /message/<id>`: the receiver's acknowledgement (RFC 8030 §6.2) or, while
 * the message has not been delivered, its sender's cancellation. Sender and
 * receiver know the same URL (RFC 8030 §5, §6), so the state tells them apart.
 */
export function removeMessage({ service, id, query }: HttpExchange): Reply {
  const how = query.get("outcome") === "undecryptable" ? "undecryptable" : "received";
  const acknowledged = service.acknowledge(id, how);
  const outcome = acknowledged.kind === "not-delivered" ? service.cancel(id) : acknowledged;
  return outcome.kind === "refused" ? refusalReply(outcome) : emptyReply(204);
}

/** `DELETE /receipt/<id>`: the sender wants no more receipts. */
export function closeReceipts({ service, id }: HttpExchange): Reply {
  const outcome = service.closeReceipts(id);
  return outcome.kind === "refused" ? refusalReply(outcome) : emptyReply(204);
}

function readKey(exchange: HttpExchange, body: Uint8Array): Read<VapidPublicKey | undefined> | Refusal {
  if (findLink(requestHeader(exchange, "link"), setRelation) !== undefined) {
    return refuse(
      "subscription-set-invalid",
      "this service knows no such subscription set, since it gives out none",
    );
  }
  if (body.length === 0) return { kind: "read", value: undefined };
  const type = requestHeader(exchange, "content-type") ?? "";
  if (!/^application\/webpush-options\+json\s*(?:;|$)/i.test(type)) {
    return refuse("options-type", `Content-Type is ${quote(type)}, not application/webpush-options+json`);
  }
  return body.length > maxOptionsBytes
    ? refuse("options-malformed", `the options are larger than ${maxOptionsBytes} bytes`)
    : readOptions(Buffer.from(body).toString());
}

function readOptions(text: string): Read<VapidPublicKey | undefined> | Refusal {
  let options: unknown;
  try {
    options = JSON.parse(text);
  } catch {
    return refuse("options-malformed", `the body ${quote(text)} is not JSON`);
  }
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    return refuse("options-malformed", `the body ${quote(text)} is not a JSON object`);
  }
  if (!("vapid" in options)) return { kind: "read", value: undefined };
  if (typeof options.vapid !== "string") return refuse("options-malformed", "vapid is not a string");
  try {
    return { kind: "read", value: parseVapidPublicKey(options.vapid) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return refuse("options-malformed", `vapid: ${error.message}`);
  }
}

/** Everything a push request says, or the first rule it breaks. */
function readInput(
  exchange: HttpExchange,
  subscription: SubscriptionView,
  body: Uint8Array,
): Read<PushInput> | Refusal {
  const { headers } = exchange.request;
  const ttlSeconds = readTtl(headers);
  if (ttlSeconds.kind === "refused") return ttlSeconds;
  const urgency = readUrgency(headers);
  if (urgency.kind === "refused") return urgency;
  const topic = readTopic(headers);
  if (topic.kind === "refused") return topic;
  const receipt = readReceiptWish(exchange);
  if (receipt.kind === "refused") return receipt;
  const sender = readSender(headers, { audience: exchange.origin, now: exchange.clock.now() });
  if (sender.kind === "refused") return sender;
  const wrongSender = senderRefusal(subscription.applicationServerKey, sender.value);
  if (wrongSender !== undefined) return wrongSender;
  const encoding = readEncoding(headers, body.length);
  if (encoding.kind === "refused") return encoding;
  const value = {
    ttlSeconds: ttlSeconds.value,
    urgency: urgency.value,
    topic: topic.value,
    headers: encoding.value,
    requestHeaders: receivedHeaders(headers),
    body,
    sender: sender.value,
    receipt: receipt.value,
  };
  return { kind: "read", value };
}

/** `Prefer: respond-async`, with the receipt subscription of an earlier answer as a link (RFC 8030 §5.1). */
function readReceiptWish(exchange: HttpExchange): Read<PushInput["receipt"]> | Refusal {
  const preferences = readPreferences(requestHeader(exchange, "prefer"));
  if (preferences.kind === "refused") return preferences;
  if (!preferences.respondAsync) return { kind: "read", value: "none" };
  const link = findLink(requestHeader(exchange, "link"), receiptRelation);
  if (link === undefined) return { kind: "read", value: "new" };
  const prefix = resourceUrl(exchange.origin, "receipt", "");
  const url = URL.canParse(link, exchange.origin) ? new URL(link, exchange.origin).href : "";
  if (url.startsWith(prefix))
    return { kind: "read", value: { receiptSubscriptionId: url.slice(prefix.length) } };
  return refuse("receipt-subscription-invalid", `the receipt link ${quote(link)} is not of this service`);
}

function createdReply({ origin }: HttpExchange, created: Created): Reply {
  const { messageId, isTtlShortened, ttlSeconds, receiptSubscriptionId } = created;
  const location = resourceUrl(origin, "message", messageId);
  const ttl = isTtlShortened ? { ttl: String(ttlSeconds) } : {}; // RFC 8030 §5.2
  if (receiptSubscriptionId === undefined) return emptyReply(201, { location, ...ttl });
  const receipts = resourceUrl(origin, "receipt", receiptSubscriptionId);
  return emptyReply(202, { location, ...ttl, link: linkTo(receipts, receiptRelation) }); // RFC 8030 §5.1
}
