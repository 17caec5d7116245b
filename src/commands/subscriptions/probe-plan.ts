/** Who is asked by `subscriptions check --online`, and who is not and why. Pure. */
import { probeMessage } from "../../protocol/probe.ts";
import type { SigningKeys } from "../../protocol/preflight.ts";
import { serviceLabel, serviceOf } from "../../protocol/services.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import { planSend, type ReadyRecipient } from "../send/plan.ts";

/** One who is not asked. */
export interface Unasked {
  readonly record: SubscriptionRecord;
  /** Permanent id of the reason. */
  readonly cause:
    "probe.gone" | "probe.dead-host" | "probe.unproven" | "key.unknown" | "key.refused" | "interrupted";
  readonly reason: string;
  readonly advice: string;
}

export interface ProbePlan {
  readonly ready: readonly ReadyRecipient[];
  readonly unasked: readonly Unasked[];
  /** How many of `ready` are at services where nobody has seen that a probe stays silent. */
  readonly unproven: number;
}

interface ProbeRules {
  readonly keys: SigningKeys;
  readonly includeUnproven: boolean;
}

/**
 * Sorts records into those to ask and those not.
 *
 * @throws UserError `keys-missing`, `subject-missing`
 */
export function planProbe(
  records: readonly SubscriptionRecord[],
  { keys, includeUnproven }: ProbeRules,
): ProbePlan {
  const excluded = records.flatMap((record) => exclusionOf(record, includeUnproven) ?? []);
  const out = new Set(excluded.map(({ record }) => record));
  const entries = records
    .filter((record) => !out.has(record))
    .map((record) => ({ id: record.id, name: record.name, subscription: record.subscription, record }));
  const { ready, skipped } = planSend(entries, { message: probeMessage, keys, encoding: "aes128gcm" });
  const unsignable = skipped.flatMap(({ recipient, skipped: { cause, reason, advice } }): Unasked[] => {
    const record = "record" in recipient ? recipient.record : undefined;
    if (record === undefined || (cause !== "key.unknown" && cause !== "key.refused")) return [];
    return [{ record, cause, reason, advice }];
  });
  return {
    ready,
    unasked: [...excluded, ...unsignable],
    unproven: ready.filter(({ subscription }) => !isSilent(subscription)).length,
  };
}

function isSilent({ endpoint }: SubscriptionRecord["subscription"]): boolean {
  return serviceOf(endpoint).undecryptable.fate === "dropped";
}

function exclusionOf(record: SubscriptionRecord, includeUnproven: boolean): Unasked | undefined {
  const { gone, subscription } = record;
  const { dead, undecryptable } = serviceOf(subscription.endpoint);
  if (gone !== undefined) {
    return {
      record,
      cause: "probe.gone",
      reason: `it is marked gone (${gone.cause})`,
      advice: "forget it for good: webpush subscriptions prune",
    };
  }
  if (dead) {
    return {
      record,
      cause: "probe.dead-host",
      reason: "no push service is at its host",
      advice: "forget it for good: webpush subscriptions prune --dead-hosts",
    };
  }
  if (includeUnproven || isSilent(subscription)) return undefined;
  return {
    record,
    cause: "probe.unproven",
    reason: `a probe may be seen at ${serviceLabel(subscription.endpoint)}: ${undecryptable.source}`,
    advice: "send it a message that somebody wants, or ask all the same: --include-unproven",
  };
}

/** One whose turn had not come when the person stopped it. */
export function interruptedOf(record: SubscriptionRecord | undefined): readonly Unasked[] {
  if (record === undefined) return [];
  return [{ record, cause: "interrupted", reason: "stopped before it was asked", advice: "run it again" }];
}
