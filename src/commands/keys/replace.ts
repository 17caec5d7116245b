/** Asking before a key pair is thrown away: push services offer no migration (RFC 8292 §4). */
import { UserError } from "../../base/errors.ts";
import type { VapidKeyPair } from "../../protocol/vapid.ts";
import type { Context } from "../context.ts";
import { countBound } from "./bound.ts";
import { replacementQuestion } from "./render.ts";

/**
 * Returns when the person agreed to lose `pair`.
 *
 * @throws UserError `keys-exist` when nobody can be asked, `declined` when the answer is no
 */
export async function confirmReplacement(
  pair: VapidKeyPair,
  { yes }: { readonly yes: boolean },
  { prompt, config, subscriptions }: Pick<Context, "prompt" | "config" | "subscriptions">,
): Promise<void> {
  if (yes) return;
  const question = replacementQuestion(pair, await countBound(pair, await config.read(), subscriptions));
  if (!prompt.available) {
    throw new UserError("keys-exist", `would ${question.replace("?", ":")}`, {
      hints: [
        "add --yes if that is what you want",
        saveHint(pair),
        "or keep both: webpush keys rotate, or webpush keys import FILE --add",
      ],
    });
  }
  if (!(await prompt.confirm(question, false))) {
    throw new UserError("declined", "nothing was changed", { kind: "failed" });
  }
}

/** How to save a pair before it is thrown away. */
export function saveHint({ publicKey }: VapidKeyPair): string {
  return `save it first: webpush keys export ${publicKey.slice(0, 12)} -o old-keys.json`;
}
