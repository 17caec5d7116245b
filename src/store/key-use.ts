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

/** Subscriptions that name the same key; of those that name none, the ones registered in the same span of time. */
export interface KeyGroup {
  readonly publicKey: VapidPublicKey | undefined;
  /** When the first of them was registered. */
  readonly registeredAt: number;
  readonly use: KeyUse;
}

/** The use of a key that no subscription was made with. */
export const unusedKey: KeyUse = { living: 0, gone: 0, refused: 0, lastSeenAt: undefined };

/** Groups as records are added; `times` as for `SubscriptionReader.groupByKey`. */
export class KeyGroups {
  readonly #times: readonly number[];
  readonly #groups = new Map<string, KeyGroup>();

  constructor(times: readonly number[]) {
    this.#times = times;
  }

  add(record: SubscriptionRecord): void {
    const { registeredAt } = record;
    const publicKey = record.subscription.applicationServerKey;
    const name = publicKey ?? String(this.#times.filter((time) => time <= registeredAt).length);
    const group = this.#groups.get(name) ?? { publicKey, registeredAt, use: unusedKey };
    this.#groups.set(name, {
      publicKey,
      registeredAt: Math.min(group.registeredAt, registeredAt),
      use: addedUse(group.use, useOf(record)),
    });
  }

  /** In the order of the first of each. */
  all(): readonly KeyGroup[] {
    return [...this.#groups.values()];
  }
}

/** As `SubscriptionReader.groupByKey`, of records as they come. */
export async function groupByKey(
  records: AsyncIterable<SubscriptionRecord>,
  times: readonly number[],
): Promise<readonly KeyGroup[]> {
  const groups = new KeyGroups(times);
  for await (const record of records) groups.add(record);
  return groups.all();
}

/** The groups of records at hand. */
export function groupsOf(
  records: readonly SubscriptionRecord[],
  times: readonly number[] = [],
): readonly KeyGroup[] {
  const groups = new KeyGroups(times);
  for (const record of records) groups.add(record);
  return groups.all();
}

/** The use of each key that subscriptions name; `undefined` stands for those that name none. */
export function keyUses(groups: readonly KeyGroup[]): ReadonlyMap<VapidPublicKey | undefined, KeyUse> {
  const uses = new Map<VapidPublicKey | undefined, KeyUse>();
  for (const { publicKey, use } of groups)
    uses.set(publicKey, addedUse(uses.get(publicKey) ?? unusedKey, use));
  return uses;
}

function addedUse(one: KeyUse, other: KeyUse): KeyUse {
  const seen = [one.lastSeenAt, other.lastSeenAt].filter((at) => at !== undefined);
  return {
    living: one.living + other.living,
    gone: one.gone + other.gone,
    refused: one.refused + other.refused,
    lastSeenAt: seen.length === 0 ? undefined : Math.max(...seen),
  };
}

function useOf(record: SubscriptionRecord): KeyUse {
  const isGone = record.gone !== undefined;
  const isRefused = !isGone && record.wrongKey !== undefined;
  return {
    living: isGone ? 0 : 1,
    gone: isGone ? 1 : 0,
    refused: isRefused ? 1 : 0,
    lastSeenAt: lastSeenOf(record),
  };
}

function lastSeenOf({ registeredAt, lastResult }: SubscriptionRecord): number {
  return lastResult?.outcome === "accepted" ? Math.max(registeredAt, lastResult.at) : registeredAt;
}
