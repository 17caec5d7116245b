/**
 * The sender's side of the push service: whether a message is taken, and what becomes of one that is (RFC 8030 §5).
 *
 * Invariant: messages are numbered in the order of their acceptance, over the whole service.
 */
import type { Delivery } from "./delivery.ts";
import type { PushServiceListener } from "./events.ts";
import type { Created, PushInput } from "./exchange.ts";
import type { CompleteLimits } from "./limits.ts";
import type { QueuedMessage } from "./message-queue.ts";
import { messageLimitsOf } from "./personalities.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { senderRefusal, type LiveSubscription } from "./subscriptions.ts";

export interface IntakeOptions {
  readonly limits: CompleteLimits;
  readonly delivery: Delivery;
  readonly emit: PushServiceListener;
  readonly newId: () => string;
  /** The number of the next message. */
  readonly sequence: number;
}

export class Intake {
  readonly #options: IntakeOptions;
  #sequence: number;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#sequence = options.sequence;
  }

  /** The number the next message gets. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Takes one message in and hands it out if its receiver is there, or says why not. */
  take(subscription: LiveSubscription, input: PushInput, now: number): Created | Refusal {
    const refusal = this.#refusalOf(subscription, input);
    if (refusal !== undefined) return refusal;
    const { delivery } = this.#options;
    const message = this.#newMessage(subscription, input, now);
    const replacedMessageId = subscription.queue.waitingWith(message.topic)?.id;
    this.#emitAccepted(message, input);
    delivery.enqueue(message);
    delivery.pump(subscription.connection);
    // TTL 0: now or never (RFC 8030 §5.2). The sender gets its 201 either way.
    const isDiscarded = message.ttlSeconds === 0 && subscription.queue.isWaiting(message);
    if (isDiscarded) delivery.end(message, { type: "discarded", why: "nobody-listening" });
    const { id: messageId, ttlSeconds, receiptSubscriptionId } = message;
    const isTtlShortened = ttlSeconds < input.ttlSeconds;
    return {
      kind: "created",
      messageId,
      ttlSeconds,
      isTtlShortened,
      isDiscarded,
      replacedMessageId,
      receiptSubscriptionId,
    };
  }

  /** Why a message is not taken, in the order of the checks. */
  #refusalOf(subscription: LiveSubscription, input: PushInput): Refusal | undefined {
    const { applicationServerKey, queue, personality } = subscription;
    const wrongSender = senderRefusal(applicationServerKey, input.sender);
    if (wrongSender !== undefined) return wrongSender;
    const wrongReceipt = this.#receiptRefusal(input.receipt);
    if (wrongReceipt !== undefined) return wrongReceipt;
    const { limits } = this.#options;
    const tooLarge = sizeRefusal(input.body, messageLimitsOf(personality, limits).maxBodyBytes);
    if (tooLarge !== undefined) return tooLarge;
    const messageCount = queue.waitingCount + queue.outCount;
    if (messageCount < limits.maxMessagesPerSubscription || queue.waitingWith(input.topic) !== undefined)
      return undefined;
    return refuse(
      "too-many-messages",
      `${messageCount} messages for this receiver are not acknowledged yet`,
      60,
    );
  }

  #receiptRefusal(receipt: PushInput["receipt"]): Refusal | undefined {
    const { receipts } = this.#options.delivery;
    if (receipt === "none") return undefined;
    if (receipt !== "new") {
      if (receipts.has(receipt.receiptSubscriptionId)) return undefined;
      return refuse("receipt-subscription-invalid", "this receipt subscription does not exist");
    }
    if (receipts.size < this.#options.limits.maxReceiptSubscriptions) return undefined;
    const reason = `${receipts.size} receipt subscriptions exist: send the link of an earlier one along`;
    return refuse("too-many-receipt-subscriptions", reason, 60);
  }

  #newMessage(subscription: LiveSubscription, input: PushInput, now: number): QueuedMessage {
    const { newId, limits } = this.#options;
    const { maxTtlSeconds } = messageLimitsOf(subscription.personality, limits);
    const ttlSeconds = Math.min(input.ttlSeconds, maxTtlSeconds);
    const { urgency, topic, headers, body } = input;
    return {
      id: newId(),
      subscription,
      sequence: this.#sequence++,
      acceptedAt: now,
      expiresAt: now + ttlSeconds * 1000,
      ttlSeconds,
      urgency,
      topic,
      headers,
      body,
      receiptSubscriptionId: this.#receiptSubscriptionFor(input.receipt),
      deliveries: 0,
      supersededBy: undefined,
    };
  }

  #receiptSubscriptionFor(receipt: PushInput["receipt"]): string | undefined {
    if (receipt === "none") return undefined;
    if (receipt !== "new") return receipt.receiptSubscriptionId;
    const id = this.#options.newId();
    this.#options.delivery.receipts.open(id);
    return id;
  }

  #emitAccepted(message: QueuedMessage, input: PushInput): void {
    const { id: messageId, subscription, ttlSeconds, urgency, topic } = message;
    this.#options.emit({
      type: "accepted",
      at: message.acceptedAt,
      subscriptionId: subscription.id,
      pushId: subscription.pushId,
      messageId,
      ttlSeconds,
      requestedTtlSeconds: input.ttlSeconds,
      urgency,
      topic,
      requestHeaders: input.requestHeaders,
      body: message.body,
      bodyBytes: message.body.length,
      contentEncoding: message.headers.contentEncoding,
      sender: input.sender,
      receiptSubscriptionId: message.receiptSubscriptionId,
      personality: subscription.personality,
    });
  }
}

/** Whether a body is larger than `limit`, and then why it is refused. */
export function sizeRefusal(body: Uint8Array, limit: number): Refusal | undefined {
  if (body.length <= limit) return undefined;
  return refuse("body-too-large", `the body is larger than ${limit} bytes`);
}
