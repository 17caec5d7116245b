/**
 * The subscriptions of the push service: found by the receiver's secret id or by
 * the id senders are given, and remembered for a while after their end.
 *
 * The two ids are drawn apart, so neither leads to the other (RFC 8030 §8.2). An
 * ended subscription is remembered because its answer differs: 410 once it was
 * unsubscribed, 404 when it expired or never existed (RFC 8030 §7.3).
 */
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { Connection } from "./connection.ts";
import { Deadlines } from "../base/deadlines.ts";
import { MessageQueue } from "./message-queue.ts";
import type { PersonalityId } from "./personalities.ts";
import { refuse } from "./refusals.ts";
import type { Refusal } from "./refusals.ts";

/** Whose a subscription is, when its receiver holds many over one connection, as browsers do. */
export interface Owner {
  readonly userAgentId: string;
  /** The user agent's own name for the subscription. */
  readonly channelId: string;
  /** What a Chromium calls itself when it registers; others have no such name. */
  readonly app?: string;
}

export interface SubscriptionRecord {
  readonly id: string;
  readonly pushId: string;
  readonly applicationServerKey: VapidPublicKey | undefined;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly owner: Owner | undefined;
  readonly personality: PersonalityId;
}

/** A live subscription with its messages. */
export interface LiveSubscription extends SubscriptionRecord {
  readonly kind: "live";
  readonly queue: MessageQueue;
  connection: Connection | undefined;
}

export type SubscriptionEnd = "unsubscribed" | "subscription-expired";

export interface EndedSubscription {
  readonly id: string;
  readonly pushId: string;
  readonly why: SubscriptionEnd;
  /** Both absent in what earlier versions wrote. */
  readonly endedAt?: number | undefined;
  readonly personality?: PersonalityId | undefined;
}

/** How many ended subscriptions are remembered; the oldest are forgotten first. */
const rememberedEndings = 10_000;

export class Subscriptions {
  readonly #byId = new Map<string, LiveSubscription>();
  readonly #byPushId = new Map<string, LiveSubscription>();
  readonly #endedById = new Map<string, EndedSubscription>();
  readonly #endedByPushId = new Map<string, EndedSubscription>();
  readonly #deadlines = new Deadlines<LiveSubscription>();
  /** By user agent, then by channel. A user agent is known as long as it has a subscription. */
  readonly #owned = new Map<string, Map<string, LiveSubscription>>();

  get size(): number {
    return this.#byId.size;
  }

  add(record: SubscriptionRecord): LiveSubscription {
    const subscription = {
      ...record,
      kind: "live",
      queue: new MessageQueue(),
      connection: undefined,
    } as const;
    this.#byId.set(record.id, subscription);
    this.#byPushId.set(record.pushId, subscription);
    if (record.expiresAt !== undefined) this.#deadlines.set(subscription, record.expiresAt);
    if (record.owner !== undefined) this.#own(record.owner, subscription);
    return subscription;
  }

  /** Ends a subscription and keeps its ids as those of an ended one. */
  end(subscription: LiveSubscription, why: SubscriptionEnd, endedAt: number): void {
    const { id, pushId, owner, personality } = subscription;
    this.#byId.delete(id);
    this.#byPushId.delete(pushId);
    this.#deadlines.delete(subscription);
    if (owner !== undefined) this.#disown(owner);
    this.remember({ id, pushId, why, endedAt, personality });
  }

  remember(ended: EndedSubscription): void {
    this.#endedById.set(ended.id, ended);
    this.#endedByPushId.set(ended.pushId, ended);
    if (this.#endedById.size <= rememberedEndings) return;
    for (const oldest of this.#endedById.values()) {
      this.#endedById.delete(oldest.id);
      this.#endedByPushId.delete(oldest.pushId);
      return;
    }
  }

  /** Answers as if those that have ended had never existed. */
  forgetEnded(): void {
    this.#endedById.clear();
    this.#endedByPushId.clear();
  }

  /** The subscription with the receiver's id, or why there is none. */
  byId(id: string): LiveSubscription | Refusal {
    return this.#byId.get(id) ?? absent(this.#endedById.get(id), "subscription");
  }

  /** The subscription with the senders' id, or why there is none. */
  byPushId(pushId: string): LiveSubscription | Refusal {
    return this.#byPushId.get(pushId) ?? absent(this.#endedByPushId.get(pushId), "push resource");
  }

  /** The subscriptions of a user agent by channel; none when it is unknown. */
  ownedBy(userAgentId: string): ReadonlyMap<string, LiveSubscription> {
    return this.#owned.get(userAgentId) ?? new Map<string, LiveSubscription>();
  }

  takeExpired(now: number): LiveSubscription | undefined {
    return this.#deadlines.takeDue(now);
  }

  live(): LiveSubscription[] {
    return [...this.#byId.values()];
  }

  ended(): EndedSubscription[] {
    return [...this.#endedById.values()];
  }

  #own({ userAgentId, channelId }: Owner, subscription: LiveSubscription): void {
    const channels = this.#owned.get(userAgentId) ?? new Map<string, LiveSubscription>();
    this.#owned.set(userAgentId, channels.set(channelId, subscription));
  }

  #disown({ userAgentId, channelId }: Owner): void {
    const channels = this.#owned.get(userAgentId);
    channels?.delete(channelId);
    if (channels?.size === 0) this.#owned.delete(userAgentId);
  }
}

function absent(ended: EndedSubscription | undefined, what: string): Refusal {
  switch (ended?.why) {
    case undefined:
      return refuse("no-such-subscription", `this ${what} never existed`);
    case "unsubscribed":
      return { ...refuse("subscription-gone", `this ${what} is gone: its receiver has unsubscribed`), ended };
    case "subscription-expired":
      return { ...refuse("subscription-expired", `this ${what} has expired`), ended };
  }
}

/** Why `sender` may not send to a subscription made with `key`; anyone may when it was made with none (RFC 8292 §4.2). */
export function senderRefusal(
  key: VapidPublicKey | undefined,
  sender: VapidPublicKey | undefined,
): Refusal | undefined {
  if (key === undefined || sender === key) return undefined;
  if (sender !== undefined) {
    return refuse("vapid-wrong-key", `this subscription was made with the VAPID key ${key}, not ${sender}`);
  }
  return refuse(
    "vapid-missing",
    "this subscription was made with a VAPID key and the request carries no token",
  );
}
