/**
 * What goes into the sender and what comes out of it.
 */
import type { UserError } from "../base/errors.ts";
import type { Delivery } from "../protocol/delivery.ts";
import type { Message, PushRequest } from "../protocol/message.ts";
import type { Subscription } from "../protocol/subscription.ts";
import type { VapidKeyPair } from "../protocol/vapid.ts";

/** One message for one subscription. `Tag` is the caller's own way to know it again. */
export interface Job<Tag> {
  readonly tag: Tag;
  /** Usually the same object for all: what is the same is checked once. */
  readonly message: Message;
  readonly subscription: Subscription;
  /** The pair that signs: the one the subscription was made with (RFC 8292 §4.2). */
  readonly pair: VapidKeyPair;
}

/** What became of one job. Every job that was taken has exactly one. */
export type SendResult<Tag> = {
  readonly job: Job<Tag>;
  /** From the first attempt to the last answer, waits included, in milliseconds. */
  readonly durationMs: number;
  /** How many times it was sent; 0 when it never was. */
  readonly attempts: number;
} & (
  | {
      readonly kind: "delivery";
      readonly delivery: Delivery;
      /**
       * Nothing is gained by sending it again later; false where it was to be tried again or its origin was
       * held, and only the end of the run, its patience or its lack of room for those that wait kept it from that.
       */
      readonly isFinal: boolean;
    }
  /** No request can be made of it, such as a payload that is too large. */
  | { readonly kind: "refused"; readonly error: UserError }
  /** Sending was stopped before its turn came. */
  | { readonly kind: "unsent" }
);

/** Who is told what goes over the wire, in the very moment. Calls are not awaited. */
export interface Observer<Tag> {
  /**
   * A request is about to leave. What this throws ends the run: nothing more is sent, what is in
   * flight is finished and yielded, then the error is thrown.
   */
  sending?(job: Job<Tag>, request: PushRequest, attempt: number): void;
  /** An attempt has ended, perhaps to be followed by another. */
  answered?(job: Job<Tag>, delivery: Delivery, durationMs: number): void;
}
