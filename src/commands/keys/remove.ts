/**
 * `webpush keys remove`: forgets an older pair, and says first what that costs.
 */
import { UserError } from "../../base/errors.ts";
import type { VapidKeyPair, VapidPublicKey } from "../../protocol/vapid.ts";
import { withoutPair, type ProjectConfig } from "../../store/config.ts";
import { selectPair, shortKey } from "../../store/key-selector.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { countBound } from "./bound.ts";
import type { RemoveOptions } from "./command.ts";
import { removalQuestion } from "./render.ts";
import { saveHint } from "./replace.ts";

type Needs = Pick<Context, "io" | "prompt" | "config" | "subscriptions" | "json">;

export async function run(options: RemoveOptions, context: Needs): Promise<ExitCode> {
  const { io, config, subscriptions, json } = context;
  const before = await config.read();
  const pair = selectPair(
    before.pairs.map((stored) => stored.pair),
    options.key,
  );
  assertNotCurrent(pair.publicKey, before);
  const lost = await countBound(pair, before, subscriptions);
  if (lost > 0 && !options.yes) await confirm(pair, lost, context);
  await config.update((current) => {
    assertNotCurrent(pair.publicKey, current); // another command may have made it so meanwhile
    return withoutPair(current, pair.publicKey);
  });
  if (json) io.out(jsonLine({ publicKey: pair.publicKey, subscriptions: lost }));
  else io.say(`removed ${shortKey(pair.publicKey)}`);
  return ExitCode.ok;
}

function assertNotCurrent(publicKey: VapidPublicKey, { current }: ProjectConfig): void {
  if (publicKey !== current) return;
  throw new UserError("key-current", `${shortKey(publicKey)} is the current key, for new subscriptions`, {
    hints: [
      "make another one current first: webpush keys rotate",
      "or throw it away, and all subscriptions made with it: webpush keys --force",
    ],
  });
}

async function confirm(pair: VapidKeyPair, lost: number, { io, prompt }: Needs): Promise<void> {
  const question = removalQuestion(pair, lost);
  if (!prompt.available) {
    throw new UserError("unconfirmed", `would ${question.replace("?", ":")}`, {
      hints: [saveHint(pair), "add --yes if that is what you want"],
    });
  }
  io.say(`${io.paint.err.hint("hint:")} ${saveHint(pair)}`);
  if (!(await prompt.confirm(question, false))) {
    throw new UserError("declined", "nothing was changed", { kind: "failed" });
  }
}
