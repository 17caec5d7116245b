/** The subscriptions that a key pair signs for. */
import { pickPair } from "../../protocol/preflight.ts";
import type { VapidKeyPair } from "../../protocol/vapid.ts";
import { createKeyRing } from "../../settings/vapid.ts";
import type { ProjectConfig } from "../../store/config.ts";
import type { SubscriptionReader } from "../../store/subscriptions.ts";

/** How many alive the project would sign for with `pair`: they say so, or most likely were made with it. */
export async function countBound(
  pair: VapidKeyPair,
  config: ProjectConfig,
  subscriptions: Pick<SubscriptionReader, "groupByKey">,
): Promise<number> {
  const ring = createKeyRing({ pair: undefined, subject: undefined }, config);
  const groups = await subscriptions.groupByKey(ring.tenures.map(({ since }) => since));
  return groups
    .filter(({ publicKey: applicationServerKey, registeredAt }) => {
      return pickPair({ applicationServerKey, registeredAt }, ring)?.publicKey === pair.publicKey;
    })
    .reduce((sum, { use }) => sum + use.living, 0);
}
