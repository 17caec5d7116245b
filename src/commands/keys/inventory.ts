/**
 * Every key that matters to a project: the pairs it has, the environment's, and those its subscriptions name.
 */
import type { VapidPublicKey } from "../../protocol/vapid.ts";
import type { EnvironmentKeys } from "../../settings/vapid.ts";
import type { ProjectConfig } from "../../store/config.ts";
import { keyUses, unusedKey, type KeyGroup, type KeyUse } from "../../store/key-use.ts";

/**
 * What a key is to the project.
 *
 * - `environment`: signs for new subscriptions, because VAPID_PRIVATE_KEY is set
 * - `current`: the project's pair for new subscriptions; with an `environment` one, only once that is unset
 * - `older`: signs for the subscriptions made with it
 * - `missing`: subscriptions were made with it, and its private key is not here
 * - `unknown`: stands for the subscriptions that do not say their key
 */
export type KeyStatus = "environment" | "current" | "older" | "missing" | "unknown";

export interface InventoryKey {
  /** Undefined for `unknown`. */
  readonly publicKey: VapidPublicKey | undefined;
  readonly status: KeyStatus;
  /** Whether it signs for new subscriptions. */
  readonly isSigning: boolean;
  /** When the pair was made or imported, in ms since 1970; undefined for one that is not the project's. */
  readonly createdAt: number | undefined;
  readonly use: KeyUse;
}

/** The keys: the one that signs, the project's current one, its others by age, then those that are not here. */
export function keyInventory(
  config: ProjectConfig,
  environment: Pick<EnvironmentKeys, "pair">,
  groups: readonly KeyGroup[],
): readonly InventoryKey[] {
  const uses = keyUses(groups);
  const signing = environment.pair?.publicKey ?? config.current;
  const statusOf = (publicKey: VapidPublicKey): KeyStatus => {
    if (publicKey === environment.pair?.publicKey) return "environment";
    return publicKey === config.current ? "current" : "older";
  };
  const kept = [...config.pairs].sort((a, b) => b.createdAt - a.createdAt);
  const times = new Map(kept.map(({ pair, createdAt }) => [pair.publicKey, createdAt]));
  const first = [signing, config.current].filter((key) => key !== undefined);
  const held = [...new Set([...first, ...times.keys()])];
  const others = [...uses.keys()].filter((key) => key !== undefined && !held.includes(key));
  const rowOf = (publicKey: VapidPublicKey | undefined, status: KeyStatus): InventoryKey => ({
    publicKey,
    status,
    isSigning: publicKey !== undefined && publicKey === signing,
    createdAt: publicKey === undefined ? undefined : times.get(publicKey),
    use: uses.get(publicKey) ?? unusedKey,
  });
  return [
    ...held.map((key) => rowOf(key, statusOf(key))),
    ...others.map((key) => rowOf(key, "missing")),
    ...(uses.has(undefined) ? [rowOf(undefined, "unknown")] : []),
  ];
}
