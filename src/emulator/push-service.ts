/**
 * The push service as a state machine: RFC 8030 with the key binding of RFC 8292 §4.
 *
 * It does no I/O, sets no timer and reads time and randomness only from what it
 * is given; expiry is worked out from the clock at the start of each operation.
 * What the protocol can answer comes back as a value, never as an exception. The
 * doors (HTTP polling, later WebSocket and MCS) put requests in and plug receivers
 * on; none of them holds a message of its own.
 *
 * Invariant: each accepted message is waiting, out with a receiver, or has ended
 * exactly once; after its TTL it is never handed out.
 */
import { formatBase64url } from "../base/bytes.ts";
import type { Clock, Random } from "../base/clock.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { Connection } from "./connection.ts";
import { Delivery } from "./delivery.ts";
import type { Acknowledgement, DoorReport, PushServiceListener } from "./events.ts";
import type {
  Attached,
  Connected,
  Created,
  Done,
  Interceptor,
  NotDelivered,
  PushInput,
  Receiver,
  Subscribed,
} from "./exchange.ts";
import { Intake } from "./intake.ts";
import { completeLimits, type CompleteLimits, type PushServiceLimits } from "./limits.ts";
import { messageLimitsOf, type MessageLimits, type PersonalityId } from "./personalities.ts";
import type { Receipt } from "./receipts.ts";
import { refuse, type Refusal, unknownMessage, unknownReceipts } from "./refusals.ts";
import { restoreInto, snapshotOf, type PushServiceSnapshot } from "./snapshot.ts";
import { type LiveSubscription, type Owner, type SubscriptionEnd, Subscriptions } from "./subscriptions.ts";
import { messageViewOf, subscriptionViewOf, type MessageView, type SubscriptionView } from "./views.ts";

export interface PushServiceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: PushServiceLimits;
  readonly onEvent?: PushServiceListener;
  /** How subscriptions behave that were not asked for otherwise; by default as is the way of their door. */
  readonly personality?: PersonalityId | undefined;
  /** Hands messages to receivers, or does not; by default each is delivered. */
  readonly intercept?: Interceptor | undefined;
  /** What an earlier service left behind. */
  readonly state?: PushServiceSnapshot;
}

/** A whole push service, but for the network. */
export class PushService {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: CompleteLimits;
  readonly #personality: PersonalityId | undefined;
  readonly #emit: PushServiceListener;
  readonly #subscriptions = new Subscriptions();
  readonly #delivery: Delivery;
  readonly #intake: Intake;

  constructor(options: PushServiceOptions) {
    const { clock, random, limits = {}, onEvent = () => undefined, state } = options;
    this.#clock = clock;
    this.#random = random;
    this.#limits = completeLimits(limits);
    this.#personality = options.personality;
    this.#emit = onEvent;
    const { acknowledgeWithinMs } = this.#limits;
    const { intercept } = options;
    this.#delivery = new Delivery({ clock, emit: onEvent, acknowledgeWithinMs, intercept });
    const sequence = state === undefined ? 0 : restoreInto(this.#subscriptions, this.#delivery, state);
    const newId = () => this.#newId();
    this.#intake = new Intake({
      limits: this.#limits,
      delivery: this.#delivery,
      emit: onEvent,
      newId,
      sequence,
    });
  }

  /** How a subscription behaves that was not asked for otherwise, at a door whose own way is `native`. */
  personalityAt(native: PersonalityId): PersonalityId {
    return this.#personality ?? native;
  }

  /** How many messages may have gathered for a user agent, where a door asks for it. */
  get maxMessagesPerUserAgent(): number {
    return this.#limits.maxMessagesPerUserAgent;
  }

  /** What messages to a subscription of this personality are held to. */
  limitsFor(personality: PersonalityId): MessageLimits {
    return messageLimitsOf(personality, this.#limits);
  }

  /**
   * Makes a subscription (RFC 8030 §4); with a key, only its holder may send to it (RFC 8292 §4).
   * A user agent that subscribes a channel again gets the one it has, or another if the key or the
   * personality is another.
   */
  subscribe(
    applicationServerKey?: VapidPublicKey,
    owner?: Owner,
    personality: PersonalityId = this.personalityAt("strict"),
  ): Subscribed | Refusal {
    const now = this.expireDue();
    const earlier = owner && this.#subscriptions.ownedBy(owner.userAgentId).get(owner.channelId);
    if (earlier !== undefined) {
      const { id, pushId, expiresAt } = earlier;
      if (earlier.applicationServerKey === applicationServerKey && earlier.personality === personality)
        return { kind: "subscribed", subscriptionId: id, pushId, expiresAt };
      this.#remove(earlier, "unsubscribed");
    }
    if (this.#subscriptions.size >= this.#limits.maxSubscriptions) {
      const reason = `this service holds ${this.#subscriptions.size} subscriptions and takes no more`;
      return this.report(refuse("too-many-subscriptions", reason, 60));
    }
    const ttl = this.#limits.subscriptionTtlSeconds;
    const expiresAt = ttl === undefined ? undefined : now + ttl * 1000;
    const [id, pushId] = [this.#newId(), this.#newId()];
    const record = { id, pushId, applicationServerKey, createdAt: now, expiresAt, owner, personality };
    this.#subscriptions.add(record);
    this.#emit({
      type: "subscribed",
      at: now,
      subscriptionId: id,
      pushId,
      applicationServerKey,
      personality,
    });
    return { kind: "subscribed", subscriptionId: id, pushId, expiresAt };
  }

  /** Ends a subscription at its receiver's wish; senders get 410 from now on. */
  unsubscribe(subscriptionId: string, code?: number): Done | Refusal {
    return this.#endSubscription(subscriptionId, "unsubscribed", code);
  }

  /** The subscriptions of a user agent, by channel; none when it is not known. */
  channelsOf(userAgentId: string): ReadonlyMap<string, SubscriptionView> {
    this.expireDue();
    const owned = [...this.#subscriptions.ownedBy(userAgentId)];
    return new Map(owned.map(([channelId, subscription]) => [channelId, subscriptionViewOf(subscription)]));
  }

  /** The subscription a live message is for; `undefined` when there is no such message any more. */
  subscriptionOf(messageId: string): string | undefined {
    return this.#delivery.find(messageId)?.subscription.id;
  }

  /** Puts what a door has seen into the log. */
  tell(report: DoorReport): void {
    this.#emit({ ...report, at: this.#clock.now() });
  }

  /** Ends a subscription as a service does by itself (RFC 8030 §7.3); senders get 404 from now on. */
  expireSubscription(subscriptionId: string): Done | Refusal {
    return this.#endSubscription(subscriptionId, "subscription-expired");
  }

  /** The subscription that senders address as `pushId`, or why there is none. */
  findByPushId(pushId: string): SubscriptionView | Refusal {
    const subscription = this.peekPushId(pushId);
    return subscription.kind === "refused" ? this.report(subscription) : subscription;
  }

  /** The same without a word in the log, for a door whose checks stand in another order. */
  peekPushId(pushId: string): SubscriptionView | Refusal {
    this.expireDue();
    const subscription = this.#subscriptions.byPushId(pushId);
    return subscription.kind === "refused" ? subscription : subscriptionViewOf(subscription);
  }

  /** Takes one message in (RFC 8030 §5), and delivers it if its receiver is there. */
  send(pushId: string, input: PushInput): Created | Refusal {
    const outcome = this.offer(pushId, input);
    if (outcome.kind !== "refused") return outcome;
    const subscription = this.#subscriptions.byPushId(pushId);
    return this.report(outcome, subscription.kind === "live" ? subscription.id : undefined);
  }

  /** The same without a word of a refusal in the log, for whoever answers it in words of its own. */
  offer(pushId: string, input: PushInput): Created | Refusal {
    const now = this.expireDue();
    const subscription = this.#subscriptions.byPushId(pushId);
    return subscription.kind === "refused" ? subscription : this.#intake.take(subscription, input, now);
  }

  /** Takes a message back at its sender's wish, as Mozilla's service does. It comes no more, though it may be out already. */
  cancel(messageId: string): Done | Refusal {
    this.expireDue();
    const message = this.#delivery.find(messageId);
    if (message === undefined) return this.report(unknownMessage());
    this.#delivery.end(message, { type: "cancelled" });
    this.#delivery.pump(message.subscription.connection);
    return { kind: "done", subscriptionId: message.subscription.id };
  }

  /** The receiver has the message (RFC 8030 §6.2), or says it cannot use it; either way it does not come again. */
  acknowledge(messageId: string, how: Acknowledgement = "received"): Done | NotDelivered | Refusal {
    this.expireDue();
    const message = this.#delivery.find(messageId);
    if (message === undefined) return this.report(unknownMessage());
    if (message.deliveries === 0) return { kind: "not-delivered" };
    this.#delivery.end(message, { type: "acknowledged", how });
    this.#delivery.pump(message.subscription.connection);
    return { kind: "done", subscriptionId: message.subscription.id };
  }

  /**
   * Plugs a receiver on. What waits is handed out at once, before this returns,
   * and so is what an earlier connection got and never acknowledged (RFC 8030 §6.2).
   */
  connect(subscriptionIds: readonly string[], receiver: Receiver): Connected | Refusal {
    this.expireDue();
    const found: LiveSubscription[] = [];
    for (const id of subscriptionIds) {
      const subscription = this.#subscriptions.byId(id);
      if (subscription.kind === "refused") return this.report(subscription);
      found.push(subscription);
    }
    const connection: Connection = {
      receiver,
      subscriptions: new Set(),
      isPumping: false,
      backlogBefore: this.#intake.sequence,
      batch: new Set(),
      handle: {
        attach: (subscriptionId) => this.#attachLater(connection, subscriptionId),
        close: () => {
          this.#delivery.disconnect(connection, "wait-again");
        },
        finish: () => {
          this.#delivery.disconnect(connection, "stay-out");
        },
      },
    };
    for (const subscription of found) this.#delivery.attach(connection, subscription);
    this.#delivery.pump(connection);
    return { kind: "connected", connection: connection.handle };
  }

  /** The next receipt of a receipt subscription (RFC 8030 §6.3); `undefined` when there is none now. */
  takeReceipt(receiptSubscriptionId: string): Receipt | undefined | Refusal {
    this.expireDue();
    if (!this.#delivery.receipts.has(receiptSubscriptionId)) return this.report(unknownReceipts());
    return this.#delivery.receipts.take(receiptSubscriptionId);
  }

  /** Calls `notify` once, as soon as `takeReceipt` has something to say. */
  awaitReceipt(receiptSubscriptionId: string, notify: () => void): void {
    this.#delivery.receipts.await(receiptSubscriptionId, notify);
  }

  /** Ends a receipt subscription: nobody learns any more what became of its messages. */
  closeReceipts(receiptSubscriptionId: string): { readonly kind: "closed" } | Refusal {
    if (!this.#delivery.receipts.has(receiptSubscriptionId)) return this.report(unknownReceipts());
    this.#delivery.receipts.close(receiptSubscriptionId);
    return { kind: "closed" };
  }

  /** Forgets a user agent with all its subscriptions, or the one subscription that has none; senders are told that it expired. */
  forgetReceiver(subscriptionId: string): void {
    const subscription = this.#subscriptions.byId(subscriptionId);
    if (subscription.kind === "refused") return;
    const { owner } = subscription;
    const all =
      owner === undefined ? [subscription] : this.#subscriptions.ownedBy(owner.userAgentId).values();
    for (const forgotten of [...all]) this.#remove(forgotten, "subscription-expired");
  }

  /** Forgets everything. Who is connected is told and hung up on; what was known is now as if it had never been. */
  reset(): void {
    const receivers = new Set<Receiver>();
    for (const subscription of this.#subscriptions.live()) {
      const { connection } = subscription;
      if (connection !== undefined) receivers.add(connection.receiver);
      this.#remove(subscription, "unsubscribed");
    }
    this.#subscriptions.forgetEnded();
    for (const { id } of this.#delivery.receipts.entries()) this.#delivery.receipts.close(id);
    for (const receiver of receivers) receiver.disconnect?.(1000, "reset");
    this.#emit({ type: "reset", at: this.#clock.now() });
  }

  /** Puts a refusal into the log; doors do it for those that never reach the machine. */
  report(refusal: Refusal, subscriptionId?: string, personality?: PersonalityId): Refusal {
    const { code, status, reason } = refusal;
    const at = this.#clock.now();
    this.#emit({ type: "refused", at, code, status, reason, subscriptionId, personality });
    return refusal;
  }

  /**
   * Ends whatever has passed its time, and returns the time. Every operation
   * begins with it; call it to see things expire when nothing else happens.
   */
  expireDue(): number {
    const now = this.#clock.now();
    this.#delivery.expireDue(now);
    const expired = () => this.#subscriptions.takeExpired(now);
    for (let subscription = expired(); subscription !== undefined; subscription = expired()) {
      this.#remove(subscription, "subscription-expired");
    }
    return now;
  }

  /** The live subscriptions, oldest first. */
  subscriptions(): SubscriptionView[] {
    this.expireDue();
    return this.#subscriptions.live().map(subscriptionViewOf);
  }

  /** The live messages of a subscription; none when it is unknown. */
  messages(subscriptionId: string): MessageView[] {
    this.expireDue();
    const subscription = this.#subscriptions.byId(subscriptionId);
    if (subscription.kind === "refused") return [];
    return subscription.queue.messages().map(messageViewOf);
  }

  /** All that must outlive the process, as plain JSON. Messages that are out with a receiver wait again when it is restored. */
  snapshot(): PushServiceSnapshot {
    this.expireDue();
    return snapshotOf(this.#subscriptions, this.#delivery.receipts);
  }

  #attachLater(connection: Connection, subscriptionId: string): Attached | Refusal {
    this.expireDue();
    const subscription = this.#subscriptions.byId(subscriptionId);
    if (subscription.kind === "refused") return this.report(subscription);
    this.#delivery.attach(connection, subscription);
    this.#delivery.pump(connection);
    return { kind: "attached" };
  }

  #endSubscription(subscriptionId: string, why: SubscriptionEnd, code?: number): Done | Refusal {
    this.expireDue();
    const subscription = this.#subscriptions.byId(subscriptionId);
    if (subscription.kind === "refused") return this.report(subscription);
    this.#remove(subscription, why, code);
    return { kind: "done", subscriptionId };
  }

  #remove(subscription: LiveSubscription, why: SubscriptionEnd, code?: number): void {
    const at = this.#clock.now();
    this.#subscriptions.end(subscription, why, at);
    this.#emit({ type: why, at, subscriptionId: subscription.id, code });
    for (const message of subscription.queue.messages())
      this.#delivery.end(message, { type: "discarded", why });
    this.#delivery.detach(subscription, why);
  }

  /** 128 random bits, which is more than the 120 of RFC 8030 §8.3. */
  #newId(): string {
    return formatBase64url(this.#random.bytes(16));
  }
}
