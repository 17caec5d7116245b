/**
 * The plain polling form of receiving: `GET` a subscription, get one message.
 *
 * RFC 8030 §6 delivers by HTTP/2 server push, which few clients can receive. This
 * form needs only HTTP/1.1: the answer is one message with its body, or 204 when
 * none came within `Prefer: wait=N`. Acknowledge it with a DELETE of its
 * Content-Location before asking again: asking without means it was lost on the
 * way, and it comes again.
 */
import type { DetachReason } from "./events.ts";
import type { PushedMessage, Receiver } from "./exchange.ts";
import {
  deny,
  linkTo,
  pushRelation,
  requestHeader,
  resourceUrl,
  type HttpExchange,
} from "./http-exchange.ts";
import { readPreferences } from "./preferences.ts";
import { readUrgency } from "./push-headers.ts";
import type { Receipt } from "./receipts.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { emptyReply, jsonReply, refusalReply, type Reply } from "./replies.ts";

const nothingCame = emptyReply(204);

/** `GET /subscription/<id>`: the next message for its receiver. */
export async function pollMessage(exchange: HttpExchange): Promise<Reply | undefined> {
  const waitMs = readWait(exchange);
  if (typeof waitMs === "object") return deny(exchange, waitMs);
  const leastUrgent = readUrgency({
    ...exchange.request.headers,
    urgency: requestHeader(exchange, "urgency") ?? "very-low",
  });
  if (leastUrgent.kind === "refused") return deny(exchange, leastUrgent);

  const { service, response, origin, id } = exchange;
  return firstAnswer(response, waitMs, (answer) => {
    const receiver: Receiver = {
      leastUrgent: leastUrgent.value,
      maxUnacknowledged: 1,
      deliver(message, connection) {
        connection.finish();
        answer(messageReply(message, origin));
      },
      detached(_subscriptionId, why) {
        answer(detachedReply(why));
      },
    };
    const outcome = service.connect([id], receiver);
    if (outcome.kind === "connected") return outcome.connection.close;
    answer(refusalReply(outcome));
    return undefined;
  });
}

/** `GET /receipt/<id>`: what became of one message (RFC 8030 §6.3, in the polling form). */
export async function pollReceipt(exchange: HttpExchange): Promise<Reply | undefined> {
  const waitMs = readWait(exchange);
  if (typeof waitMs === "object") return deny(exchange, waitMs);
  const { service, response, id } = exchange;
  const taken = service.takeReceipt(id);
  if (taken !== undefined) return receiptReply(exchange, taken);
  return firstAnswer(response, waitMs, (answer) => {
    service.awaitReceipt(id, () => {
      answer(receiptReply(exchange, service.takeReceipt(id)));
    });
    return undefined;
  });
}

/** How long to wait, in ms: as `Prefer: wait=N` says, within the door's bound. */
function readWait(exchange: HttpExchange): number | Refusal {
  const preferences = readPreferences(requestHeader(exchange, "prefer"));
  if (preferences.kind === "refused") return preferences;
  const { pollSeconds, maxPollSeconds } = exchange;
  return Math.min(preferences.waitSeconds ?? pollSeconds, maxPollSeconds) * 1000;
}

/**
 * The first thing `begin` answers; 204 after `waitMs`, `undefined` when the client hangs up.
 * What `begin` returns is called at the end, unless it has answered.
 */
function firstAnswer(
  response: HttpExchange["response"],
  waitMs: number,
  begin: (answer: (reply: Reply) => void) => (() => void) | undefined,
): Promise<Reply | undefined> {
  return new Promise((resolve) => {
    const wait: { isOver: boolean; timer?: NodeJS.Timeout } = { isOver: false };
    const answer = (reply: Reply | undefined) => {
      wait.isOver = true;
      clearTimeout(wait.timer);
      resolve(reply);
    };
    const stop = begin(answer);
    const giveUp = (reply: Reply | undefined) => {
      if (wait.isOver) return;
      answer(reply);
      stop?.();
    };
    if (waitMs === 0) giveUp(nothingCame);
    if (wait.isOver) return;
    wait.timer = setTimeout(giveUp, waitMs, nothingCame);
    response.once("close", () => {
      giveUp(undefined);
    });
  });
}

function messageReply(
  { messageId, pushId, acceptedAt, headers, body }: PushedMessage,
  origin: string,
): Reply {
  const { contentEncoding, encryption, cryptoKey } = headers;
  return {
    status: 200,
    headers: {
      "content-type": "application/octet-stream",
      ...(contentEncoding === undefined ? {} : { "content-encoding": contentEncoding }),
      ...(encryption === undefined ? {} : { encryption }),
      ...(cryptoKey === undefined ? {} : { "crypto-key": cryptoKey }),
      "last-modified": new Date(acceptedAt).toUTCString(), // RFC 8030 §7.2
      link: linkTo(resourceUrl(origin, "push", pushId), pushRelation), // RFC 8030 §6.1
      "content-location": resourceUrl(origin, "message", messageId),
    },
    body,
  };
}

function detachedReply(why: DetachReason): Reply {
  switch (why) {
    case "taken-over":
      return refusalReply(
        refuse("taken-over", "another request of this receiver has taken the subscription over"),
      );
    case "unsubscribed":
      return refusalReply(refuse("subscription-gone", "this subscription was ended while you waited"));
    case "subscription-expired":
      return refusalReply(refuse("subscription-expired", "this subscription expired while you waited"));
  }
}

function receiptReply({ origin }: HttpExchange, taken: Receipt | Refusal | undefined): Reply {
  if (taken === undefined) return nothingCame;
  if ("kind" in taken) return refusalReply(taken);
  const message = resourceUrl(origin, "message", taken.messageId);
  return jsonReply(200, { message, status: taken.status });
}
