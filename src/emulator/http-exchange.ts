/** One request at the HTTP door, and what its handlers share. */
import type { Clock } from "../base/clock.ts";
import type { HttpRequest, HttpResponse, HttpWire } from "./http-wire.ts";
import { headerOf } from "./push-headers.ts";
import type { PushService } from "./push-service.ts";
import type { Refusal } from "./refusals.ts";
import { refusalReply, type Reply } from "./replies.ts";

export interface HttpExchange {
  readonly service: PushService;
  readonly clock: Clock;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  /** For those who misbehave on purpose below HTTP. */
  readonly wire: HttpWire;
  /** The origin the request was sent to; links in the answer begin with it. */
  readonly origin: string;
  /** The last part of the path. */
  readonly id: string;
  readonly query: URLSearchParams;
  /** How long a poll without a wish waits, and how long one may wait at most. */
  readonly pollSeconds: number;
  readonly maxPollSeconds: number;
}

/** Answers one kind of request; `undefined` when the client has gone. */
export type Handler = (exchange: HttpExchange) => Promise<Reply | undefined> | Reply;

/** The resources of the service, each under its own path. */
export type ResourceKind = "subscription" | "push" | "message" | "receipt";

/** The absolute URL of a resource. */
export function resourceUrl(origin: string, kind: ResourceKind, id: string): string {
  return `${origin}/${kind}/${id}`;
}

/** A link as a header value (RFC 8288). */
export function linkTo(url: string, relation: string): string {
  return `<${url}>; rel="${relation}"`;
}

export const pushRelation = "urn:ietf:params:push";
export const setRelation = "urn:ietf:params:push:set";
export const receiptRelation = "urn:ietf:params:push:receipt";

/** A request header by its lower-case name. */
export function requestHeader({ request }: HttpExchange, name: string): string | undefined {
  return headerOf(request.headers, name);
}

/** Logs a refusal that is the door's own, and makes it a reply. */
export function deny({ service }: HttpExchange, refusal: Refusal, subscriptionId?: string): Reply {
  return refusalReply(service.report(refusal, subscriptionId));
}
