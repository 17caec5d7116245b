/** `webpush subscriptions remove`: forgets them here; the browsers are not told. */
import { UserError } from "../../base/errors.ts";
import { selectFrom } from "../../store/selector.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { RemoveOptions } from "./command.ts";
import { counted, recordJson } from "./render.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "prompt" | "subscriptions" | "json">;

export async function run({ which, yes }: RemoveOptions, context: Needs): Promise<ExitCode> {
  const { io, subscriptions, json } = context;
  const chosen = await selectFrom(subscriptions, which);
  if (chosen.length > 1 && !yes) await confirm(chosen.length, context);
  const removed = await subscriptions.remove(chosen.map(({ subscription }) => subscription.endpoint));
  if (json) for (const record of removed) io.out(jsonLine(recordJson(record)));
  else io.say(`removed ${counted(removed.length)}`);
  return ExitCode.ok;
}

async function confirm(count: number, { prompt }: Needs): Promise<void> {
  if (!prompt.available) {
    throw new UserError("unconfirmed", `would remove ${counted(count)}`, {
      hints: ["add --yes if that is what you want"],
    });
  }
  if (!(await prompt.confirm(`remove ${counted(count)}?`, false))) {
    throw new UserError("declined", "nothing was changed", { kind: "failed" });
  }
}
