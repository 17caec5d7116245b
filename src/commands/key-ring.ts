/** The keys as they are now: of the environment before the store's, where another command may change them meanwhile. */
import { createKeyRing, readEnvironmentKeys, type KeyRing } from "../settings/vapid.ts";
import type { Context } from "./context.ts";

/** @throws UserError those of the environment's keys and of the store */
export async function keyRingOf({ env, config }: Pick<Context, "env" | "config">): Promise<KeyRing> {
  return createKeyRing(readEnvironmentKeys(env), await config.read());
}
