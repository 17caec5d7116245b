/**
 * The way of every push message, whatever path it came by: its subscription, whose personality says in which
 * order it is checked, the state machine, and the personality's answer.
 *
 * A subscription answers as itself wherever it is found: a browser composes the endpoint by itself and
 * may be told to be served by another vendor. A token that nobody has is answered as its path says.
 */
import type { PushInput } from "./exchange.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { PersonalityId } from "./personalities.ts";
import { apple } from "./personalities/apple.ts";
import { fcm } from "./personalities/fcm.ts";
import { mozilla } from "./personalities/mozilla.ts";
import type { Draft, Parcel, Personality } from "./personalities/personality.ts";
import { strict } from "./personalities/strict.ts";
import { wns } from "./personalities/wns.ts";
import { receivedHeaders } from "./push-headers.ts";
import type { Refusal } from "./refusals.ts";
import type { Reply } from "./replies.ts";
import { readBody } from "./request-body.ts";
import type { SubscriptionView } from "./views.ts";

const personalities: Readonly<Record<PersonalityId, Personality>> = { strict, fcm, mozilla, apple, wns };

/** Whom a push request addresses, as its path says. */
export interface PushAddress {
  readonly pushId: string;
  /** Whose path it is. */
  readonly personality: PersonalityId;
  readonly version?: Parcel["version"];
}

/** Takes one message and answers its sender; `undefined` when the sender has gone. */
export async function push(exchange: HttpExchange, address: PushAddress): Promise<Reply | undefined> {
  const { service, request, origin, clock } = exchange;
  const { pushId, version } = address;
  // Whose limit holds is known only afterwards: it is changed by who subscribes and unsubscribes meanwhile.
  const body = await readBody(request, largestBody(service));
  if (body === undefined) return undefined;
  const subscription = service.peekPushId(pushId);
  const id = personalityOf(subscription) ?? address.personality;
  const parcel: Parcel = {
    subscription,
    version,
    headers: request.headers,
    body: body.bytes,
    limits: service.limitsFor(id),
    origin,
    now: clock.now(),
  };
  const { checks, accept, refuse } = personalities[id];
  const outcome = take(exchange, { pushId, parcel, checks });
  if (outcome.kind !== "refused") return accept({ ...outcome, origin, now: parcel.now });
  const reply = refuse(outcome);
  const subscriptionId = subscription.kind === "refused" ? undefined : subscription.subscriptionId;
  service.report({ ...outcome, status: reply.status }, subscriptionId, id);
  return reply;
}

function largestBody(service: HttpExchange["service"]): number {
  const ids = Object.keys(personalities) as PersonalityId[];
  return Math.max(...ids.map((id) => service.limitsFor(id).maxBodyBytes));
}

function personalityOf(subscription: SubscriptionView | Refusal): PersonalityId | undefined {
  return subscription.kind === "refused" ? subscription.ended?.personality : subscription.personality;
}

interface Attempt extends Pick<Personality, "checks"> {
  readonly pushId: string;
  readonly parcel: Parcel;
}

function take({ service }: HttpExchange, { pushId, parcel, checks }: Attempt) {
  const { subscription, body } = parcel;
  let draft: Draft = {};
  for (const check of checks) {
    const read = check(parcel, draft);
    if ("kind" in read) return read;
    draft = { ...draft, ...read };
  }
  if (subscription.kind === "refused") return subscription;
  const requestHeaders = receivedHeaders(parcel.headers);
  const created = service.offer(pushId, { ...plain, ...draft, requestHeaders, body });
  return created.kind === "refused" ? created : { kind: "accepted" as const, created, subscription };
}

/** A message of which nothing was said. */
const plain: Omit<PushInput, "body" | "requestHeaders"> = {
  ttlSeconds: 0,
  urgency: "normal",
  topic: undefined,
  headers: { contentEncoding: undefined, encryption: undefined, cryptoKey: undefined },
  sender: undefined,
  receipt: "none",
};
