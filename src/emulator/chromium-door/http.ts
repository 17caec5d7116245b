/**
 * Check-in and registration, as requests to the HTTP door.
 *
 * | Request | Meaning |
 * |---|---|
 * | `POST /chromium/checkin` | a profile becomes a device |
 * | `POST /chromium/register` | `subscribe()` and `unsubscribe()` |
 */
import { formatBase64url } from "../../base/bytes.ts";
import type { Clock, Random } from "../../base/clock.ts";
import { requestHeader, type HttpExchange } from "../http-exchange.ts";
import type { PushService } from "../push-service.ts";
import { refuse, type Refusal } from "../refusals.ts";
import { refusalReply, type Reply } from "../replies.ts";
import { readBody } from "../request-body.ts";
import { route, type Route } from "../route.ts";
import type { SubscriptionView } from "../views.ts";
import { checkInResponse, identityOf } from "./check-in.ts";
import { errorAnswer, parseRegistration, tokenAnswer, type Registration } from "./registration.ts";

export interface ChromiumHttpOptions {
  readonly service: PushService;
  readonly random: Random;
  readonly clock: Clock;
  /** Called with each subscription made, so that a device that is connected gets its messages. */
  readonly subscribed: (deviceId: string, subscription: SubscriptionView) => void;
}

/** Check-ins are some 200 bytes, registrations some 500. */
const maxBodyBytes = 16_384;

/** What a Chromium asks for over HTTP. */
export function chromiumRoutes(options: ChromiumHttpOptions): readonly Route[] {
  return [
    route("/chromium/checkin", /^\/chromium\/checkin$/, { POST: (exchange) => checkIn(options, exchange) }),
    route("/chromium/register", /^\/chromium\/register$/, {
      POST: (exchange) => register(options, exchange),
    }),
  ];
}

async function checkIn(
  { service, random, clock }: ChromiumHttpOptions,
  { request }: HttpExchange,
): Promise<Reply | undefined> {
  const body = await readBody(request, maxBodyBytes);
  if (body === undefined) return undefined;
  const identity = identityOf(body.bytes, random);
  if (identity.kind === "refused") return refusalReply(service.report(identity));
  const headers = { "content-type": "application/x-protobuf" };
  return { status: 200, headers, body: checkInResponse(identity, clock) };
}

async function register(options: ChromiumHttpOptions, exchange: HttpExchange): Promise<Reply | undefined> {
  const body = await readBody(exchange.request, maxBodyBytes);
  if (body === undefined) return undefined;
  const registration =
    body.bytes.length > maxBodyBytes
      ? refuse("registration-malformed", `the form is larger than ${maxBodyBytes} bytes`)
      : parseRegistration(Buffer.from(body.bytes).toString(), requestHeader(exchange, "authorization"));
  if (registration.kind === "refused") return errorReply(options.service.report(registration));
  return answer(options, registration);
}

function answer({ service, random, subscribed }: ChromiumHttpOptions, registration: Registration): Reply {
  switch (registration.kind) {
    case "other":
      return textReply(200, tokenAnswer(formatBase64url(random.bytes(16))));
    case "subscribe": {
      const { deviceId: userAgentId, appId: channelId, app, applicationServerKey } = registration;
      const owner = { userAgentId, channelId, app };
      const outcome = service.subscribe(applicationServerKey, owner, service.personalityAt("fcm"));
      if (outcome.kind === "refused") return errorReply(outcome);
      const subscription = service.channelsOf(userAgentId).get(channelId);
      if (subscription !== undefined) subscribed(userAgentId, subscription);
      return textReply(200, tokenAnswer(outcome.pushId));
    }
    case "unsubscribe": {
      const { deviceId, appId, app } = registration;
      const subscription = service.channelsOf(deviceId).get(appId);
      if (subscription !== undefined) service.unsubscribe(subscription.subscriptionId);
      return textReply(200, tokenAnswer(app));
    }
    default:
      return registration satisfies never;
  }
}

function textReply(status: number, text: string): Reply {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: Buffer.from(text) };
}

/** A browser looks for the word whatever the status is. */
function errorReply(refusal: Refusal): Reply {
  return textReply(refusal.status, errorAnswer(refusal));
}
