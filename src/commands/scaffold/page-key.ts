/** The public key a page subscribes with: given, from the environment, the project's, or made now. */
import type { Subject } from "../../protocol/subject.ts";
import type { VapidPublicKey } from "../../protocol/vapid.ts";
import { createKeyRing, readEnvironmentKeys } from "../../settings/vapid.ts";
import { currentPair } from "../../store/config.ts";
import type { Context } from "../context.ts";
import { makePair } from "../keys/make.ts";
import { promptForSubject } from "../keys/subject.ts";
import type { ScaffoldOptions } from "./command.ts";

/** A public key and where it comes from. */
export type PageKey =
  | { readonly source: "flag"; readonly publicKey: VapidPublicKey; readonly isHeld: boolean }
  | {
      readonly source: "environment" | "project" | "made";
      readonly publicKey: VapidPublicKey;
      readonly subject: Subject | undefined;
    };

/** The key there is; undefined when one has to be made. */
export async function findPageKey(
  { key }: Pick<ScaffoldOptions, "key">,
  { config, env }: Pick<Context, "config" | "env">,
): Promise<PageKey | undefined> {
  const kept = await config.read();
  if (key !== undefined) {
    return { source: "flag", publicKey: key, isHeld: kept.pairs.some(({ pair }) => pair.publicKey === key) };
  }
  const { current, source, subject } = createKeyRing(readEnvironmentKeys(env), kept);
  if (current === undefined || source === "none") return undefined;
  return { source, publicKey: current.publicKey, subject };
}

/** Makes the project's pair, as `webpush keys` does: a page without a key cannot work. */
export async function makePageKey(
  { yes }: Pick<ScaffoldOptions, "yes">,
  context: Pick<Context, "io" | "prompt" | "config" | "env" | "clock" | "random" | "json">,
): Promise<PageKey> {
  const fromEnvironment = readEnvironmentKeys(context.env).subject;
  const asked = yes || fromEnvironment !== undefined ? undefined : await promptForSubject(context);
  const after = await makePair({ subject: asked, replacing: false }, context);
  const made = currentPair(after);
  if (made === undefined) throw new Error("the store answered no pair after one was made");
  return { source: "made", publicKey: made.pair.publicKey, subject: fromEnvironment ?? after.subject };
}
