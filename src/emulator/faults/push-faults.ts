/**
 * Faults at the HTTP door: what happens to a request that sends a message, before and after it is taken.
 *
 * The push pipeline itself knows nothing of faults: a route that takes messages is wrapped. Several rules
 * may strike one request: delays add up, of the answers and breakages the first rule counts.
 */
import type { Handler, HttpExchange } from "../http-exchange.ts";
import type { PushService } from "../push-service.ts";
import { exampleAnswer } from "../personalities/answers.ts";
import { emptyReply, type Reply } from "../replies.ts";
import { readBody } from "../request-body.ts";
import type { Route } from "../route.ts";
import { enhanceYourCalm, goAway, hangUp, refuseStream, resetPeer } from "./breakage.ts";
import type { Toxic, When } from "./fault.ts";
import { answerHugely, answerInShape } from "./faulty-answer.ts";
import { pause } from "./pause.ts";
import { isShape } from "./pieces.ts";
import type { FaultRules } from "./rules.ts";

/** Read of a request before it is answered in the service's place. */
const drainedBytes = 65_536;

export interface PushFaultsOptions {
  readonly rules: FaultRules;
  readonly service: PushService;
}

/** The routes, those that take messages with faults on request. */
export function withPushFaults(routes: readonly Route[], options: PushFaultsOptions): readonly Route[] {
  return routes.map((route) => {
    const { pushIdOf } = route;
    if (pushIdOf === undefined) return route;
    const methods = new Map(route.methods);
    const handler = methods.get("POST");
    if (handler !== undefined)
      methods.set("POST", (exchange) => serve(exchange, handler, { ...options, pushId: pushIdOf(exchange) }));
    return { ...route, methods };
  });
}

interface Serving extends PushFaultsOptions {
  readonly pushId: string;
}

async function serve(exchange: HttpExchange, handler: Handler, serving: Serving): Promise<Reply | undefined> {
  const toxics = strike(exchange, serving);
  if (toxics.length === 0) return handler(exchange);
  const { rules } = serving;
  if (await suffer(exchange, toxics, "before", rules)) return undefined;
  const instead = answerAmong(toxics, "before", exchange);
  const huge = toxics.find((toxic) => toxic.type === "huge-body");
  // Whoever has not finished sending may never look at an answer that comes before.
  if ((instead ?? huge) !== undefined && (await readBody(exchange.request, drainedBytes)) === undefined)
    return undefined;
  if (instead === undefined && huge !== undefined) {
    await answerHugely(exchange, huge.status, huge.bytes);
    return undefined;
  }
  const taken = instead ?? (await handler(exchange));
  if (taken === undefined) return undefined;
  return afterwards(exchange, taken, toxics, rules);
}

/** What strikes once the request was worked on: another answer, a broken connection, an odd shape. */
async function afterwards(
  exchange: HttpExchange,
  taken: Reply,
  toxics: readonly Toxic[],
  rules: FaultRules,
): Promise<Reply | undefined> {
  const reply = (taken.status < 300 ? answerAmong(toxics, "after", exchange) : undefined) ?? taken;
  if (await suffer(exchange, toxics, "after", rules)) return undefined;
  const shape = toxics.find(isShape);
  if (shape === undefined) return reply;
  await answerInShape(exchange, reply, shape, () => rules.chance());
  return undefined;
}

/** What the first of the toxics that answers at this moment answers. */
function answerAmong(toxics: readonly Toxic[], moment: When, exchange: HttpExchange): Reply | undefined {
  return toxics.map((toxic) => answerOf(toxic, moment, exchange)).find((reply) => reply !== undefined);
}

/** The toxics that strike this request, each told to the log. */
function strike({ wire, origin }: HttpExchange, { rules, service, pushId }: Serving): readonly Toxic[] {
  const protocol = wire.kind === "http2" ? "h2" : "http/1.1";
  const view = service.peekPushId(pushId);
  const personality = view.kind === "subscription" ? view.personality : undefined;
  const strikes = rules.strike({ side: "push", pushId, personality, origin, protocol });
  const subscriptionId = view.kind === "subscription" ? view.subscriptionId : undefined;
  for (const { fault, isIdle } of strikes) {
    const reason = isIdle ? "ignored: the request came over HTTP/1.1" : undefined;
    service.tell({ type: "fault", rule: fault.rule, reason, subscriptionId });
  }
  return strikes.filter(({ isIdle }) => !isIdle).map(({ fault }) => fault.toxic);
}

/** Lets delays and breakages of one moment happen; true when nothing is to be answered any more. */
async function suffer(
  exchange: HttpExchange,
  toxics: readonly Toxic[],
  moment: When,
  rules: FaultRules,
): Promise<boolean> {
  for (const toxic of toxics) {
    if (toxic.type !== "latency" || toxic.when !== moment) continue;
    const ms = Math.max(0, toxic.ms + (rules.chance() * 2 - 1) * toxic.jitterMs);
    if ((await pause(ms, exchange)) === "gone") return true;
  }
  for (const toxic of toxics) if (await breaks(exchange, toxic, moment)) return true;
  return false;
}

/** Breaks the connection if `toxic` does that at this moment. */
async function breaks(exchange: HttpExchange, toxic: Toxic, moment: When): Promise<boolean> {
  const { wire } = exchange;
  const isBefore = moment === "before";
  switch (toxic.type) {
    case "down":
      if (isBefore) hangUp(wire);
      return isBefore;
    case "timeout":
      if (toxic.when !== moment) return false;
      if ((await pause(toxic.ms === 0 ? "for-ever" : toxic.ms, exchange)) === "over") hangUp(wire);
      return true;
    case "reset-peer":
      if (toxic.when !== moment) return false;
      if ((await pause(toxic.ms, exchange)) === "over") resetPeer(wire);
      return true;
    case "refused-stream":
      if (isBefore) refuseStream(wire);
      return isBefore;
    case "enhance-your-calm":
      if (isBefore) enhanceYourCalm(wire);
      return isBefore;
    case "goaway":
      if (isBefore !== (toxic.mode === "unprocessed")) return false;
      goAway(wire, toxic.mode);
      return toxic.mode !== "graceful";
    default:
      return false;
  }
}

/** What `toxic` answers in place of the service, at this moment. */
function answerOf(toxic: Toxic, moment: When, { clock }: HttpExchange): Reply | undefined {
  switch (toxic.type) {
    case "status": {
      if (toxic.when !== moment) return undefined;
      const { retryAfter, body } = toxic;
      const text = body === "" ? {} : { "content-type": "text/plain; charset=utf-8" };
      const headers = { ...text, ...retryAfterHeader(retryAfter, clock.now()) };
      return { ...emptyReply(toxic.status, headers), body: Buffer.from(body) };
    }
    case "answer":
      return toxic.when === moment ? exampleAnswer(toxic.cause) : undefined;
    case "redirect":
      return moment === "before" ? emptyReply(toxic.status, { location: toxic.location }) : undefined;
    default:
      return undefined;
  }
}

/** Both forms of RFC 9110 §10.2.3; the date is by the emulator's clock, as `Date` is. */
function retryAfterHeader(
  retryAfter: Extract<Toxic, { type: "status" }>["retryAfter"],
  now: number,
): Readonly<Record<string, string>> {
  if (retryAfter === undefined) return {};
  const { seconds, isDate } = retryAfter;
  return { "retry-after": isDate ? new Date(now + seconds * 1000).toUTCString() : String(seconds) };
}
