/**
 * An event as a plain record of one shape, the same in `--json`, at the JSON API and in the library.
 *
 * Every field is always there. A subscription is named by the last part of its endpoint, which is what
 * senders and `send` show; the receiver's own id for it stays inside.
 */
import { acknowledgementCodes } from "./autopush-frames.ts";
import type { PushServiceEvent } from "./events.ts";
import type { PersonalityId } from "./personalities.ts";

/** Something that happened in the push service. */
export interface EventRecord {
  readonly type: PushServiceEvent["type"];
  /** When, ISO 8601, by the emulator's clock. */
  readonly at: string;
  /** Origin of the push service. */
  readonly url: string;
  /** Last part of the subscription's endpoint. */
  readonly subscription: string | null;
  readonly messageId: string | null;
  readonly userAgentId: string | null;
  /** Number or name of an acknowledgement, a close, an unsubscription or a refusal. */
  readonly code: string | number | null;
  /** HTTP status of a refusal or receipt. */
  readonly status: number | null;
  /** Why, in words. */
  readonly reason: string | null;
  readonly bytes: number | null;
  readonly ttlSeconds: number | null;
  readonly urgency: string | null;
  readonly topic: string | null;
  /** 1 the first time a message is handed out. */
  readonly delivery: number | null;
  readonly subscriptions: number | null;
  /** The push service a subscription, an accepted or a refused message was answered as. */
  readonly personality: PersonalityId | null;
}

/** Anything an event may say; each has some of it. */
interface Said {
  readonly type: PushServiceEvent["type"];
  readonly subscriptionId?: string | undefined;
  readonly messageId?: string;
  readonly userAgentId?: string | undefined;
  readonly code?: string | number | undefined;
  readonly status?: number;
  readonly reason?: string | undefined;
  readonly why?: string;
  readonly how?: keyof typeof acknowledgementCodes;
  readonly bodyBytes?: number;
  readonly ttlSeconds?: number;
  readonly urgency?: string;
  readonly topic?: string | undefined;
  readonly delivery?: number;
  readonly subscriptionCount?: number;
  readonly personality?: PersonalityId | undefined;
}

/** What a record needs to know besides the event. */
export interface EventPlace {
  readonly origin: string;
  readonly pushIdOf: (subscriptionId: string | undefined) => string | undefined;
}

/** The record of an event. */
// eslint-disable-next-line complexity -- each `??` is a field spelled out
export function eventRecordOf(event: PushServiceEvent, { origin, pushIdOf }: EventPlace): EventRecord {
  const said: Said = event;
  const code = said.how === undefined ? said.code : acknowledgementCodes[said.how];
  return {
    type: event.type,
    at: new Date(event.at).toISOString(),
    url: origin,
    subscription: pushIdOf(said.subscriptionId) ?? null,
    messageId: said.messageId ?? null,
    userAgentId: said.userAgentId ?? null,
    code: code ?? null,
    status: said.status ?? null,
    reason: reasonOf(event, said),
    bytes: said.bodyBytes ?? null,
    ttlSeconds: said.ttlSeconds ?? null,
    urgency: said.urgency ?? null,
    topic: said.topic ?? null,
    delivery: said.delivery ?? null,
    subscriptions: said.subscriptionCount ?? null,
    personality: said.personality ?? null,
  };
}

function reasonOf(event: PushServiceEvent, said: Said): string | null {
  if (event.type === "clock-moved") return `the clock was moved by ${event.byMs} ms`;
  if (event.type === "fault") return faultText(event);
  return said.reason ?? said.why ?? said.how ?? null;
}

/** A fault in words: the rule, and why nothing came of it. */
export function faultText({ rule, reason }: Extract<PushServiceEvent, { type: "fault" }>): string {
  return reason === undefined ? rule : `${rule}, ${reason}`;
}
