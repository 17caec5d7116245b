/**
 * How many subscriptions hang on each key: how far a rotation has come, and what removing a pair would cost.
 */
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";

/** The subscriptions made with one key. */
export interface KeyUse {
  /** Those that can be sent to. */
  readonly living: number;
  readonly gone: number;
  /** Of the living, those whose push service refused a key of ours. */
  readonly refused: number;
  /** When one of them was registered or took a message last, in ms since 1970. */
  readonly lastSeenAt: number | undefined;
}

/** The use of a key that no subscription was made with. */
export const unusedKey: KeyUse = { living: 0, gone: 0, refused: 0, lastSeenAt: undefined };

/** The use of each key that subscriptions name; `undefined` stands for those that name none. */
export function countKeyUse(
  records: readonly SubscriptionRecord[],
): ReadonlyMap<VapidPublicKey | undefined, KeyUse> {
  const uses = new Map<VapidPublicKey | undefined, KeyUse>();
  for (const record of records) {
    const key = record.subscription.applicationServerKey;
    uses.set(key, withRecord(uses.get(key) ?? unusedKey, record));
  }
  return uses;
}

function withRecord(use: KeyUse, record: SubscriptionRecord): KeyUse {
  const isGone = record.gone !== undefined;
  const isRefused = !isGone && record.wrongKey !== undefined;
  return {
    living: use.living + (isGone ? 0 : 1),
    gone: use.gone + (isGone ? 1 : 0),
    refused: use.refused + (isRefused ? 1 : 0),
    lastSeenAt: Math.max(use.lastSeenAt ?? 0, lastSeenOf(record)),
  };
}

function lastSeenOf({ registeredAt, lastResult }: SubscriptionRecord): number {
  return lastResult?.outcome === "accepted" ? Math.max(registeredAt, lastResult.at) : registeredAt;
}
