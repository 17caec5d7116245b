/** Making the project's key pair, for every command that cannot do without one. */
import { createKeyPair } from "../../protocol/vapid.ts";
import type { Subject } from "../../protocol/subject.ts";
import { currentPair, withCurrentPair, type ProjectConfig } from "../../store/config.ts";
import type { Context } from "../context.ts";

export interface MakeOptions {
  /** Contact to store with it; undefined keeps the one there is. */
  readonly subject: Subject | undefined;
  /** Throw away the pair there is. */
  readonly replacing: boolean;
}

/** Makes a pair and stores it as the current one; unless `replacing`, a pair that is there by now stays. */
export function makePair(
  { subject, replacing }: MakeOptions,
  { config, clock, random }: Pick<Context, "config" | "clock" | "random">,
): Promise<ProjectConfig> {
  const made = { pair: createKeyPair(random), createdAt: clock.now() };
  return config.update((current) => {
    // Somebody else may have made a pair since we looked; theirs stays.
    if (currentPair(current) !== undefined && !replacing) return current;
    return { ...withCurrentPair(current, made, { replacing }), subject: subject ?? current.subject };
  });
}
