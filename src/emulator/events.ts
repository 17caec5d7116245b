/**
 * What happens in the push service, as one closed union.
 *
 * The terminal and the JSON log render these and nothing else, so an event holds
 * every field a person may ask for and no live object. The story of a message is
 * `accepted`, any number of `delivered` and `returned`, and exactly one end.
 */
import type { Urgency } from "../protocol/message.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { PersonalityId } from "./personalities.ts";
import type { RefusalCode } from "./refusals.ts";

/** How a receiver answered a message: shown to people, since "could not decrypt" is otherwise silent. */
export type Acknowledgement = "received" | "undecryptable" | "not-delivered";

/** Why a message was dropped though its TTL had not passed. */
type DiscardReason = "nobody-listening" | "unsubscribed" | "subscription-expired";

/** Why a receiver no longer gets the messages of a subscription. */
export type DetachReason = "taken-over" | "unsubscribed" | "subscription-expired";

/** What became of a message, for whoever asked for a receipt: 204 acknowledged, 410 given up (RFC 8030 §6.3), 404 subscription expired (§7.3). */
export type ReceiptStatus = 204 | 404 | 410;

interface Happened {
  /** Milliseconds since 1970. */
  readonly at: number;
}
interface OfSubscription extends Happened {
  readonly subscriptionId: string;
}
interface OfMessage extends OfSubscription {
  readonly messageId: string;
}

interface SubscribedEvent extends OfSubscription {
  readonly type: "subscribed";
  readonly pushId: string;
  readonly applicationServerKey: VapidPublicKey | undefined;
  readonly personality: PersonalityId;
}
interface SubscriptionEndedEvent extends OfSubscription {
  readonly type: "unsubscribed" | "subscription-expired";
  /** The number by which the receiver said why, if it did. */
  readonly code: number | undefined;
}
interface UserAgentConnectedEvent extends Happened {
  readonly type: "user-agent-connected";
  readonly userAgentId: string;
  /** What it calls itself, as `chrome-156.0.8078.79`, if it does. */
  readonly product: string | undefined;
  /** False when its id is new: it had none, or the service had forgotten it. */
  readonly isKnown: boolean;
  readonly subscriptionCount: number;
}
interface UserAgentDisconnectedEvent extends Happened {
  readonly type: "user-agent-disconnected";
  /** `undefined` when it never said hello. */
  readonly userAgentId: string | undefined;
  /** The close code, ours when we closed; `undefined` where there are none, as in MCS. */
  readonly code: number | undefined;
  readonly reason: string;
}
/** A browser has subscribed and does not come for its messages, which it cannot say by itself. */
interface UserAgentMissingEvent extends Happened {
  readonly type: "user-agent-missing";
  readonly userAgentId: string;
  /** What may be in the way. */
  readonly reason: string;
}
interface ProcessingFailedEvent extends Happened {
  readonly type: "processing-failed";
  readonly messageId: string;
  /** `undefined` when the message is long gone. */
  readonly subscriptionId: string | undefined;
  readonly code: number;
}
interface ReceiverEvent extends OfSubscription {
  readonly type: "connected" | "disconnected";
}
export interface AcceptedEvent extends OfMessage {
  readonly type: "accepted";
  readonly ttlSeconds: number;
  readonly requestedTtlSeconds: number;
  readonly urgency: Urgency;
  readonly topic: string | undefined;
  readonly pushId: string;
  /** The request's headers as they came, names in lower case; none when a message did not come over HTTP. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly bodyBytes: number;
  readonly contentEncoding: string | undefined;
  /** The key the sender proved to hold, when it did. */
  readonly sender: VapidPublicKey | undefined;
  readonly receiptSubscriptionId: string | undefined;
  readonly personality: PersonalityId;
}
interface DeliveredEvent extends OfMessage {
  readonly type: "delivered";
  /** 1 the first time; more when it came again for want of an acknowledgement. */
  readonly delivery: number;
}
interface ReturnedEvent extends OfMessage {
  readonly type: "returned";
}
interface AcknowledgedEvent extends OfMessage {
  readonly type: "acknowledged";
  readonly how: Acknowledgement;
}
interface ReplacedEvent extends OfMessage {
  readonly type: "replaced";
  readonly topic: string;
  readonly replacedBy: string;
}
interface ExpiredEvent extends OfMessage {
  readonly type: "expired";
  readonly deliveries: number;
}
interface CancelledEvent extends OfMessage {
  readonly type: "cancelled";
}
interface DiscardedEvent extends OfMessage {
  readonly type: "discarded";
  readonly why: DiscardReason;
}
interface ReceiptEvent extends OfMessage {
  readonly type: "receipt";
  readonly receiptSubscriptionId: string;
  readonly status: ReceiptStatus;
}
/** Everything was forgotten at once, as a test suite asks between two tests. */
interface ResetEvent extends Happened {
  readonly type: "reset";
}
interface ClockMovedEvent extends Happened {
  readonly type: "clock-moved";
  /** How far, in milliseconds; back when it is less than 0. */
  readonly byMs: number;
}
interface FaultEvent extends Happened {
  readonly type: "fault";
  /** The rule, as it is written on the command line. */
  readonly rule: string;
  /** Why nothing came of it, if nothing did. */
  readonly reason: string | undefined;
  readonly subscriptionId: string | undefined;
}
interface RefusedEvent extends Happened {
  readonly type: "refused";
  readonly code: RefusalCode;
  /** As it was answered. */
  readonly status: number;
  readonly reason: string;
  /** The subscription it was about, when one was found. */
  readonly subscriptionId: string | undefined;
  /** As whom it was answered, when it was a sender's message. */
  readonly personality: PersonalityId | undefined;
}

/** The end of a message: each accepted message has exactly one. */
export type MessageEndEvent =
  AcknowledgedEvent | ReplacedEvent | ExpiredEvent | CancelledEvent | DiscardedEvent;

/** Anything that happens in the push service. Switches over it must be total. */
export type PushServiceEvent =
  | SubscribedEvent
  | SubscriptionEndedEvent
  | ReceiverEvent
  | AcceptedEvent
  | DeliveredEvent
  | ReturnedEvent
  | MessageEndEvent
  | ReceiptEvent
  | UserAgentConnectedEvent
  | UserAgentDisconnectedEvent
  | UserAgentMissingEvent
  | ProcessingFailedEvent
  | ResetEvent
  | ClockMovedEvent
  | FaultEvent
  | RefusedEvent;

/** What only a door can know, and tells through the machine so that everything is in one log. */
export type DoorEvent =
  | UserAgentConnectedEvent
  | UserAgentDisconnectedEvent
  | UserAgentMissingEvent
  | ProcessingFailedEvent
  | ClockMovedEvent
  | FaultEvent;

type WithoutTime<Event> = Event extends DoorEvent ? Omit<Event, "at"> : never;

/** A door's event before the machine has put the time on it. */
export type DoorReport = WithoutTime<DoorEvent>;

/** Hears each event after the state has changed. */
export type PushServiceListener = (event: PushServiceEvent) => void;
