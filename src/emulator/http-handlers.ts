/**
 * Subscribe, acknowledge, cancel, unsubscribe: the requests that are answered at once (RFC 8030 §4, §6).
 */
import { UserError } from "../base/errors.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "../protocol/vapid.ts";
import {
  deny,
  linkTo,
  pushRelation,
  requestHeader,
  resourceUrl,
  setRelation,
  type HttpExchange,
} from "./http-exchange.ts";
import { endpointOf, parsePersonality, type PersonalityId } from "./personalities.ts";
import { findLink } from "./preferences.ts";
import { quote, type Read } from "./push-headers.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { emptyReply, jsonReply, refusalReply, type Reply } from "./replies.ts";
import { readBody } from "./request-body.ts";

/** Far more than a key needs. */
const maxOptionsBytes = 4096;

/** `POST /subscribe`: a new subscription (RFC 8030 §4), bound to a VAPID key if one is given (RFC 8292 §4.1). */
export async function subscribe(exchange: HttpExchange): Promise<Reply | undefined> {
  const body = await readBody(exchange.request, maxOptionsBytes);
  if (body === undefined) return undefined;
  const key = readKey(exchange, body.bytes);
  if (key.kind === "refused") return deny(exchange, key);
  const personality = readPersonality(exchange);
  if (personality.kind === "refused") return deny(exchange, personality);
  const { service, origin } = exchange;
  const outcome = service.subscribe(key.value, undefined, personality.value);
  if (outcome.kind === "refused") return refusalReply(outcome);
  const { pushId } = outcome;
  const endpoint = endpointOf(
    { pushId, applicationServerKey: key.value, personality: personality.value },
    origin,
  );
  const subscription = resourceUrl(origin, "subscription", outcome.subscriptionId);
  const headers = { location: subscription, link: linkTo(endpoint, pushRelation) };
  return jsonReply(201, { endpoint, subscription, expirationTime: outcome.expiresAt ?? null }, headers);
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

/** `?as=apple` and the like: whose push service the subscription is to be of. */
function readPersonality({ query, service }: HttpExchange): Read<PersonalityId> | Refusal {
  const name = query.get("as");
  const personality = name === null ? service.personalityAt("strict") : parsePersonality(name);
  if (personality !== undefined) return { kind: "read", value: personality };
  return refuse("personality-unknown", `there is no push service called ${quote(name ?? "")}`);
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
