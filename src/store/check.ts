/**
 * What can be known about a stored subscription without asking anybody.
 */
import { classifyEndpoint, diagnosisOf } from "../protocol/delivery.ts";
import { describeUnknownKey } from "../protocol/preflight.ts";
import { serviceOf } from "../protocol/services.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";

/** One thing that is wrong, with a stable id. */
export interface Finding {
  readonly id: "gone" | "expired" | "key.unknown" | "key.refused" | "endpoint.dead" | "encoding" | "refused";
  readonly what: string;
  readonly advice: string;
}

export interface CheckFacts {
  /** The key pairs at hand; with none, keys are not judged. */
  readonly pairs: readonly { readonly publicKey: VapidPublicKey }[];
  readonly now: number;
}

/** Every finding about one subscription; none when nothing is known against it. */
export function checkSubscription(record: SubscriptionRecord, facts: CheckFacts): readonly Finding[] {
  return [
    goneOf(record),
    expiryOf(record, facts),
    keyOf(record, facts),
    refusedKeyOf(record),
    hostOf(record),
    encodingOf(record),
    resultOf(record),
  ].filter((finding) => finding !== undefined);
}

function goneOf({ gone }: SubscriptionRecord): Finding | undefined {
  return (
    gone && {
      id: "gone",
      what: `the push service called it gone (${gone.cause})`,
      advice: "forget it for good: webpush subscriptions prune",
    }
  );
}

function expiryOf(
  { subscription: { expirationTime } }: SubscriptionRecord,
  { now }: CheckFacts,
): Finding | undefined {
  if (expirationTime === null || expirationTime > now) return undefined;
  return {
    id: "expired",
    what: `it expired on ${new Date(expirationTime).toISOString()}`,
    advice: "let the page subscribe again",
  };
}

function keyOf({ subscription }: SubscriptionRecord, { pairs }: CheckFacts): Finding | undefined {
  const made = subscription.applicationServerKey;
  if (made === undefined || pairs.length === 0 || pairs.some(({ publicKey }) => publicKey === made))
    return undefined;
  return { id: "key.unknown", ...describeUnknownKey(made) };
}

function refusedKeyOf({ gone, wrongKey }: SubscriptionRecord): Finding | undefined {
  if (gone !== undefined || wrongKey === undefined) return undefined;
  const { cause, publicKey } = wrongKey;
  return {
    id: "key.refused",
    what: `its push service refused key ${publicKey.slice(0, 12)}…: it was made with another (${cause})`,
    advice: "have its page visited again, which subscribes anew; until then it is left out of broadcasts",
  };
}

function hostOf({ subscription }: SubscriptionRecord): Finding | undefined {
  const verdict = classifyEndpoint(subscription.endpoint);
  if (verdict === undefined) return undefined;
  const { meaning, advice } = diagnosisOf(verdict.cause);
  return { id: "endpoint.dead", what: meaning, advice };
}

function encodingOf({ subscription }: SubscriptionRecord): Finding | undefined {
  const { name, encodings } = serviceOf(subscription.endpoint);
  if (encodings.includes(subscription.contentEncoding)) return undefined;
  return {
    id: "encoding",
    what: `${name} does not take ${subscription.contentEncoding}`,
    advice: "add it again without contentEncoding",
  };
}

function resultOf({ lastResult, gone, wrongKey }: SubscriptionRecord): Finding | undefined {
  if (gone !== undefined || wrongKey !== undefined || lastResult === undefined) return undefined;
  if (lastResult.outcome !== "wrong-key" && lastResult.outcome !== "rejected") return undefined;
  return {
    id: "refused",
    what: `the last message was refused (${lastResult.cause})`,
    advice: "send to it alone to see why: webpush send --to its id",
  };
}
