/**
 * The shape of a personality: in which order it looks at a push request, and what it answers.
 *
 * A check reads one part of the request, or says which rule it breaks; the first rule broken is
 * the one answered. What the rules are is the same for all and stands in checks.ts.
 */
import type { Created, PushInput } from "../exchange.ts";
import type { MessageLimits } from "../personalities.ts";
import type { RequestHeaders } from "../push-headers.ts";
import type { Refusal } from "../refusals.ts";
import type { Reply } from "../replies.ts";
import type { SubscriptionView } from "../views.ts";

/** One push request as it arrived. */
export interface Parcel {
  /** Whom it is for, or why that is nobody. */
  readonly subscription: SubscriptionView | Refusal;
  /** The version in the path of Mozilla's endpoints; `undefined` at all others. */
  readonly version: "v1" | "v2" | undefined;
  readonly headers: RequestHeaders;
  readonly body: Uint8Array;
  readonly limits: MessageLimits;
  /** The origin the request was sent to, which a VAPID token must be for. */
  readonly origin: string;
  readonly now: number;
}

/** What the checks have read so far. */
export type Draft = Partial<Omit<PushInput, "body" | "requestHeaders">>;

/** Reads one part of a request, or says which rule it breaks. */
export type Check = (parcel: Parcel, draft: Draft) => Draft | Refusal;

/** A message that was taken. */
export interface Accepted {
  readonly created: Created;
  /** Whom it is for, as things stood before it came. */
  readonly subscription: SubscriptionView;
  readonly origin: string;
  readonly now: number;
}

/** How a push service answers senders. */
export interface Personality {
  /** In order; the first rule broken is the one answered. */
  readonly checks: readonly Check[];
  readonly accept: (accepted: Accepted) => Reply;
  readonly refuse: (refusal: Refusal) => Reply;
}
