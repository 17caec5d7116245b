/** The keys as they are now: another command may make, import or replace them while the server runs. */
import { createKeyRing, readEnvironmentKeys, type KeyRing } from "../../settings/vapid.ts";
import type { Context } from "../context.ts";

export async function keyRingOf({ env, config }: Pick<Context, "env" | "config">): Promise<KeyRing> {
  return createKeyRing(readEnvironmentKeys(env), await config.read());
}
