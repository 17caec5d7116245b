/**
 * Which stored subscriptions may be forgotten for good, and why.
 *
 * Marks come first and are reversible (PROTOCOL.md §4.8 (6)); forgetting is not, so each
 * record is forgotten for a reason that was asked for. What is wrong with a record is found
 * in check.ts; here is only since when, and whether that is reason enough.
 */
import { checkSubscription, type CheckFacts, type Finding } from "./check.ts";
import { isCalledGone, type SubscriptionRecord } from "./subscriptions.ts";

/** Why one may be forgotten, the surest first; a record is forgotten for the first that holds. */
export const forgetCauses = ["gone", "dead-host", "expired", "called-gone", "wrong-key"] as const;

export type ForgetCause = (typeof forgetCauses)[number];

export interface ForgetReason {
  readonly cause: ForgetCause;
  /** In ms since 1970. */
  readonly since: number;
  readonly what: string;
}

export interface ForgetRules extends CheckFacts {
  /** The causes asked for. */
  readonly causes: ReadonlySet<ForgetCause>;
  /** How long it must have been so. */
  readonly olderThanMs: number;
}

/** Why a record may be forgotten by these rules; undefined when it stays. */
export function reasonToForget(record: SubscriptionRecord, rules: ForgetRules): ForgetReason | undefined {
  const findings = checkSubscription(record, rules);
  const reasons = [...findings.map((finding) => reasonOf(finding, record)), calledGone(record)].filter(
    (reason) => reason !== undefined,
  );
  return forgetCauses
    .filter((cause) => rules.causes.has(cause))
    .map((wanted) => reasons.find(({ cause }) => cause === wanted))
    .find((reason) => reason !== undefined && rules.now - reason.since >= rules.olderThanMs);
}

function reasonOf({ id, what }: Finding, record: SubscriptionRecord): ForgetReason | undefined {
  const { gone, wrongKey, registeredAt, subscription } = record;
  switch (id) {
    case "gone":
      return { cause: "gone", since: gone?.at ?? registeredAt, what };
    case "expired":
      return { cause: "expired", since: subscription.expirationTime ?? registeredAt, what };
    case "endpoint.dead":
      return { cause: "dead-host", since: registeredAt, what };
    case "key.refused":
      return { cause: "wrong-key", since: wrongKey?.at ?? registeredAt, what };
    case "key.unknown":
      return { cause: "wrong-key", since: registeredAt, what };
    case "encoding":
    case "refused":
      return undefined;
    default:
      return id satisfies never;
  }
}

/** Called gone and not marked: too many at once, too young, or by `--no-prune` (prune.ts). */
function calledGone(record: SubscriptionRecord): ForgetReason | undefined {
  const { gone, lastResult } = record;
  if (gone !== undefined || lastResult === undefined || !isCalledGone(record)) return undefined;
  const { at, cause } = lastResult;
  return { cause: "called-gone", since: at, what: `the last message was answered as gone (${cause})` };
}
