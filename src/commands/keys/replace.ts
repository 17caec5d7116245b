/** Asking before a key pair is thrown away: push services offer no migration (RFC 8292 §4). */
import { UserError } from "../../base/errors.ts";
import type { VapidKeyPair } from "../../protocol/vapid.ts";
import type { Context } from "../context.ts";
import { replacementQuestion } from "./render.ts";

/**
 * Returns when the person agreed to lose `pair`.
 *
 * @throws UserError `keys-exist` when nobody can be asked, `declined` when the answer is no
 */
export async function confirmReplacement(
  pair: VapidKeyPair,
  { yes }: { readonly yes: boolean },
  { prompt, subscriptions }: Pick<Context, "prompt" | "subscriptions">,
): Promise<void> {
  if (yes) return;
  const records = await subscriptions.list();
  const bound = records.filter(({ subscription, gone }) => {
    return gone === undefined && (subscription.applicationServerKey ?? pair.publicKey) === pair.publicKey;
  });
  const question = replacementQuestion(pair, bound.length);
  if (!prompt.available) {
    throw new UserError("keys-exist", `would ${question.replace("?", ":")}`, {
      hints: [
        "add --yes if that is what you want",
        "save the old pair first: webpush keys export --output old-keys.json",
      ],
    });
  }
  if (!(await prompt.confirm(question, false))) {
    throw new UserError("declined", "nothing was changed", { kind: "failed" });
  }
}
