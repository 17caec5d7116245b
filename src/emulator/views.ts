/** Live subscriptions and messages as others may see them: copies, so that only the machine changes its state. */
import type { Urgency } from "../protocol/message.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { PersonalityId } from "./personalities.ts";
import type { MessageHeaders, QueuedMessage } from "./message-queue.ts";
import type { LiveSubscription, Owner } from "./subscriptions.ts";

/** A live subscription as others may see it. */
export interface SubscriptionView {
  readonly kind: "subscription";
  readonly subscriptionId: string;
  readonly pushId: string;
  readonly applicationServerKey: VapidPublicKey | undefined;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly waiting: number;
  readonly unacknowledged: number;
  readonly isConnected: boolean;
  readonly owner: Owner | undefined;
  readonly personality: PersonalityId;
}

/** A live message as others may see it. */
export interface MessageView {
  readonly messageId: string;
  readonly state: "waiting" | "unacknowledged";
  readonly acceptedAt: number;
  readonly expiresAt: number;
  readonly urgency: Urgency;
  readonly topic: string | undefined;
  readonly headers: MessageHeaders;
  readonly body: Uint8Array;
  readonly deliveries: number;
}

/** The view of a live subscription. */
export function subscriptionViewOf(subscription: LiveSubscription): SubscriptionView {
  const { id, pushId, applicationServerKey, createdAt, expiresAt, queue, connection } = subscription;
  return {
    kind: "subscription",
    subscriptionId: id,
    pushId,
    applicationServerKey,
    createdAt,
    expiresAt,
    waiting: queue.waitingCount,
    unacknowledged: queue.outCount,
    isConnected: connection !== undefined,
    owner: subscription.owner,
    personality: subscription.personality,
  };
}

/** The view of a live message. */
export function messageViewOf(message: QueuedMessage): MessageView {
  const { id, subscription, acceptedAt, expiresAt, urgency, topic, headers, body, deliveries } = message;
  const state = subscription.queue.isWaiting(message) ? "waiting" : "unacknowledged";
  return { messageId: id, state, acceptedAt, expiresAt, urgency, topic, headers, body, deliveries };
}
