/**
 * `/wpush/…`: push messages to subscriptions of the autopush door, answered as Mozilla's autopush does.
 *
 * | Request | Meaning |
 * |---|---|
 * | `POST /wpush/v2/<token>` | send to a subscription bound to a VAPID key |
 * | `POST /wpush/v1/<token>`, `/wpush/<token>` | send to one that is not |
 * | `DELETE /m/<id>` | take a message back; 204 in any case |
 *
 * The checks stand in autopush's order: token, VAPID, subscription, size, headers.
 * Errors are told apart by `errno` (PROTOCOL.md §4.2); the events name our own codes.
 */
import { urgencies, type Urgency } from "../protocol/message.ts";
import { contentEncodings } from "../protocol/subscription.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { MessageHeaders } from "./message-queue.ts";
import { headerOf, quote, receivedHeaders, type Read, type RequestHeaders } from "./push-headers.ts";
import { refuse, type Refusal, type RefusalCode } from "./refusals.ts";
import { emptyReply, jsonReply, type Reply } from "./replies.ts";
import { readBody } from "./request-body.ts";
import { senderRefusal } from "./subscriptions.ts";
import { pushRoute, route, type Route } from "./route.ts";
import { readSender } from "./vapid-check.ts";

interface AutopushError {
  readonly status: number;
  readonly errno: number;
  readonly error: string;
}

const badRequest = (errno: number): AutopushError => ({ status: 400, errno, error: "Bad Request" });
const unauthorized: AutopushError = { status: 401, errno: 109, error: "Unauthorized" };
const gone: AutopushError = { status: 410, errno: 106, error: "Gone" };
const unavailable: AutopushError = { status: 503, errno: 201, error: "Service Unavailable" };
const unknown: AutopushError = { status: 500, errno: 999, error: "Internal Server Error" };

/** How autopush says what our refusals say. */
const errors: ReadonlyMap<RefusalCode, AutopushError> = new Map<RefusalCode, AutopushError>([
  ["no-such-subscription", { status: 404, errno: 102, error: "Not Found" }],
  ["subscription-gone", gone],
  ["subscription-expired", gone],
  ["vapid-missing", unauthorized],
  ["vapid-invalid", unauthorized],
  ["vapid-wrong-key", unauthorized],
  ["body-too-large", { status: 413, errno: 104, error: "Payload Too Large" }],
  ["content-encoding-missing", badRequest(110)],
  ["content-encoding-unknown", badRequest(110)],
  ["encryption-headers-missing", badRequest(110)],
  ["ttl-missing", badRequest(111)],
  ["ttl-malformed", badRequest(111)],
  ["ttl-negative", badRequest(114)],
  ["topic-malformed", badRequest(113)],
  ["too-many-messages", unavailable],
]);

const moreInfo = "http://autopush.readthedocs.io/en/latest/http.html#error-codes";

/** `POST /wpush/…`: one message. */
async function pushToUserAgent(exchange: HttpExchange): Promise<Reply | undefined> {
  const { service, request, origin } = exchange;
  const body = await readBody(request, service.maxBodyBytes);
  if (body === undefined) return undefined;
  const pushId = pushIdIn(exchange.id);
  const version = exchange.id.startsWith("v2/") ? "v2" : "v1";
  const outcome = accept(exchange, { pushId, version, body: body.bytes });
  if (outcome.kind === "refused") return errorReply(outcome);
  return emptyReply(201, { location: `${origin}/m/${outcome.messageId}`, ttl: String(outcome.ttlSeconds) });
}

/** `DELETE /m/<id>`: takes a message back if it is still there. */
function cancelForUserAgent({ service, id }: HttpExchange): Reply {
  if (service.subscriptionOf(id) !== undefined) service.cancel(id);
  return emptyReply(204);
}

/** The token alone. */
function pushIdIn(id: string): string {
  return id.replace(/^v[12]\//, "");
}

interface Parcel {
  readonly pushId: string;
  readonly version: "v1" | "v2";
  readonly body: Uint8Array;
}

function accept(exchange: HttpExchange, parcel: Parcel) {
  const { service, request, origin, clock } = exchange;
  const { headers } = request;
  const { pushId, version, body } = parcel;
  const subscription = service.peekPushId(pushId);
  if (subscription.kind === "refused" && subscription.code === "no-such-subscription")
    return service.report(subscription);
  const sender = readSender(headers, { audience: origin, now: clock.now() });
  if (sender.kind === "refused") return service.report(sender);
  if (version === "v2" && sender.value === undefined)
    return service.report(refuse("vapid-missing", "Missing VAPID token"));
  if (subscription.kind === "refused") return service.report(subscription);
  const { subscriptionId, applicationServerKey: key, owner } = subscription;
  // A token opens in the version it was made for only, and only if this door made it.
  if (owner === undefined || (key !== undefined) !== (version === "v2")) {
    const reason = `/wpush/${version} has no such token`;
    return service.report(refuse("no-such-subscription", reason), subscriptionId);
  }
  const refusal = senderRefusal(key, sender.value) ?? sizeRefusal(body, service.maxBodyBytes);
  if (refusal !== undefined) return service.report(refusal, subscriptionId);
  const input = readHeaders(headers, body.length);
  if (input.kind === "refused") return service.report(input, subscriptionId);
  const requestHeaders = receivedHeaders(headers);
  const sent = { ...input.value, requestHeaders, body, sender: sender.value };
  return service.send(pushId, { ...sent, receipt: "none" });
}

function sizeRefusal(body: Uint8Array, limit: number): Refusal | undefined {
  if (body.length <= limit) return undefined;
  return refuse("body-too-large", `the body is larger than ${limit} bytes`);
}

interface AutopushHeaders {
  readonly ttlSeconds: number;
  readonly topic: string | undefined;
  readonly urgency: Urgency;
  readonly headers: MessageHeaders;
}

function readHeaders(headers: RequestHeaders, bodyBytes: number): Read<AutopushHeaders> | Refusal {
  const ttl = headerOf(headers, "ttl");
  if (ttl === undefined) return refuse("ttl-missing", "the request has no TTL header");
  if (!/^-?\d+$/.test(ttl)) return refuse("ttl-malformed", `TTL is ${quote(ttl)}, not a number of seconds`);
  if (Number(ttl) < 0) return refuse("ttl-negative", `TTL is ${quote(ttl)}, less than 0`);
  const topic = headerOf(headers, "topic");
  if (topic !== undefined && !(topic.length <= 32 && /^[A-Za-z0-9_-]+=*$/.test(topic)))
    return refuse("topic-malformed", `Topic is ${quote(topic)}, not 1 to 32 characters of base64url`);
  const encoding = readEncoding(headers, bodyBytes);
  if (encoding.kind === "refused") return encoding;
  // autopush reads no Urgency at all; people are shown what was asked for.
  const word = headerOf(headers, "urgency")?.toLowerCase();
  const urgency = urgencies.find((known) => known === word) ?? "normal";
  return {
    kind: "read",
    value: { ttlSeconds: Math.min(Number(ttl), 2 ** 31), topic, urgency, headers: encoding.value },
  };
}

function readEncoding(headers: RequestHeaders, bodyBytes: number): Read<MessageHeaders> | Refusal {
  const none = { contentEncoding: undefined, encryption: undefined, cryptoKey: undefined };
  if (bodyBytes === 0) return { kind: "read", value: none };
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
      return { kind: "read", value: { ...none, contentEncoding } };
    case "aesgcm":
      if (!hasSalt) return refuse("encryption-headers-missing", "Missing salt value in Encryption header");
      if (!hasKey) return refuse("encryption-headers-missing", "Missing dh value in Crypto-Key header");
      return { kind: "read", value: { contentEncoding, encryption, cryptoKey } };
    default:
      return contentEncoding satisfies never;
  }
}

/** What the aesgcm draft has in headers stands in the body of aes128gcm. */
function misplaced(what: string, header: string): Refusal {
  return refuse("encryption-headers-missing", `Do not include '${what}' in aes128gcm ${header} header`);
}

function errorReply({ code: refusalCode, reason }: Refusal): Reply {
  const { status: code, errno, error } = errors.get(refusalCode) ?? unknown;
  const headers = {
    ...(code === 410 ? { "cache-control": "max-age=86400" } : {}),
    ...(code === 503 ? { "retry-after": "120" } : {}),
  };
  return jsonReply(code, { code, errno, error, message: reason, more_info: moreInfo }, headers);
}

/** What senders to the autopush door ask for. */
export const autopushRoutes: readonly Route[] = [
  pushRoute("/wpush", /^\/wpush\/((?:v\d+\/)?[^/]+)$/, pushToUserAgent, ({ id }) => pushIdIn(id)),
  route("/m", /^\/m\/([\w-]+)$/, { DELETE: cancelForUserAgent }),
];
