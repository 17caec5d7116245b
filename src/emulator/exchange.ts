/**
 * What goes into the push service and what comes out of it: the words the doors and the state machine share.
 *
 * A sender's side (`PushInput` in, `Created` or a refusal out) and a receiver's
 * side (a `Receiver` plugged on, `PushedMessage`s out). Every outcome is a member
 * of a closed union with a `kind`.
 */
import type { Urgency } from "../protocol/message.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { DetachReason } from "./events.ts";
import type { MessageHeaders } from "./message-queue.ts";
import type { PersonalityId } from "./personalities.ts";
import type { Refusal } from "./refusals.ts";

/** One message as a sender puts it in, its headers read. */
export interface PushInput {
  readonly ttlSeconds: number;
  readonly urgency: Urgency;
  readonly topic: string | undefined;
  readonly headers: MessageHeaders;
  /** All headers of the request, for whoever looks into the log: `receivedHeaders` of push-headers.ts. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The key whose VAPID token was found valid. */
  readonly sender: VapidPublicKey | undefined;
  /** The receipts wanted: none, in a new receipt subscription, or in the one with this id. */
  readonly receipt: "none" | "new" | { readonly receiptSubscriptionId: string };
}

/** A message as a receiver gets it. */
export interface PushedMessage {
  readonly messageId: string;
  readonly subscriptionId: string;
  readonly pushId: string;
  readonly acceptedAt: number;
  readonly expiresAt: number;
  readonly headers: MessageHeaders;
  readonly body: Uint8Array;
  /** 1 the first time it is handed out. */
  readonly delivery: number;
}

/** What a door plugs on: the far end of a poll, of a WebSocket, of an MCS stream. */
export interface Receiver {
  /** Takes one message out. It comes again, on the next connection, until it is acknowledged. */
  deliver(message: PushedMessage, connection: ReceiverConnection): void;
  /** Says that no more messages of this subscription will come over this connection. */
  detached?(subscriptionId: string, why: DetachReason): void;
  /** Hangs up on the receiver, which then comes back if it wants more. A door that cannot leaves it out. */
  disconnect?(code: number, reason: string): void;
  /** The least urgent message wanted now; all by default (RFC 8030 §6). */
  readonly leastUrgent?: Urgency;
  /** How many unacknowledged messages may be out at once; any number by default. */
  readonly maxUnacknowledged?: number;
  /**
   * Hands out what waited for this receiver in batches of so many, the next when all of one
   * are acknowledged, messages with a topic first; what comes later is handed out at once.
   */
  readonly backlogBatch?: number;
}

/** How a message that is on its way gets to its receiver, or does not. */
export interface Courier {
  /** Hands it over, if it is still wanted there. */
  readonly deliver: () => void;
  /** Hangs up on the receiver; what it has not acknowledged waits again. */
  readonly disconnect: (code: number, reason: string) => void;
}

/** Stands between the service and its receivers, to lose messages on purpose. */
export type Interceptor = (
  message: PushedMessage & { readonly personality: PersonalityId },
  courier: Courier,
) => void;

/** A plugged receiver. */
export interface ReceiverConnection {
  /** Listens to one more subscription over the same connection. */
  readonly attach: (subscriptionId: string) => Attached | Refusal;
  /** The far end is gone: what it has not acknowledged waits again. */
  readonly close: () => void;
  /** Nothing more is wanted over this connection, yet acknowledgements of what was handed out are still expected. */
  readonly finish: () => void;
}

export interface Subscribed {
  readonly kind: "subscribed";
  /** Names the subscription resource: the receiver's secret. */
  readonly subscriptionId: string;
  /** Names the push resource: what senders are given. */
  readonly pushId: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
}
export interface Created {
  readonly kind: "created";
  readonly messageId: string;
  readonly ttlSeconds: number;
  /** Whether the service keeps the message for less time than asked, which it must tell (RFC 8030 §5.2). */
  readonly isTtlShortened: boolean;
  /** Whether it is lost already: its TTL is 0 and nobody was there (RFC 8030 §5.2). */
  readonly isDiscarded: boolean;
  readonly replacedMessageId: string | undefined;
  readonly receiptSubscriptionId: string | undefined;
}
export interface Connected {
  readonly kind: "connected";
  readonly connection: ReceiverConnection;
}
export interface Attached {
  readonly kind: "attached";
}
export interface Done {
  readonly kind: "done";
  readonly subscriptionId: string;
}
/** The message never left the service, so there is nothing to acknowledge. */
export interface NotDelivered {
  readonly kind: "not-delivered";
}
