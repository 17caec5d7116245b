/** The subscriptions that a key pair signs for. */
import { pickPair } from "../../protocol/preflight.ts";
import type { VapidKeyPair } from "../../protocol/vapid.ts";
import { createKeyRing } from "../../settings/vapid.ts";
import type { ProjectConfig } from "../../store/config.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";

/** Those alive that the project would sign for with `pair`: they say so, or most likely were made with it. */
export function boundTo(
  pair: VapidKeyPair,
  config: ProjectConfig,
  records: readonly SubscriptionRecord[],
): readonly SubscriptionRecord[] {
  const ring = createKeyRing({ pair: undefined, subject: undefined }, config);
  return records.filter(({ gone, registeredAt, subscription: { applicationServerKey } }) => {
    if (gone !== undefined) return false;
    return pickPair({ applicationServerKey, registeredAt }, ring)?.publicKey === pair.publicKey;
  });
}
