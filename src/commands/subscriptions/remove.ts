/** `webpush subscriptions remove`: forgets them here; the browsers are not told. */
import { inBatches } from "../../base/batches.ts";
import { UserError } from "../../base/errors.ts";
import { streamFrom } from "../../store/selector.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { RemoveOptions } from "./command.ts";
import { counted, recordJson } from "./render.ts";

type Needs = Pick<Context, "io" | "prompt" | "subscriptions" | "json" | "signal">;

export async function run({ which, yes }: RemoveOptions, context: Needs): Promise<ExitCode> {
  const { io, subscriptions, json, signal } = context;
  const isAgreed = yes ? () => true : await agreement(which, context);
  let removed = 0;
  for await (const batch of inBatches(streamFrom(subscriptions, which), subscriptions.mostAtOnce)) {
    if (signal.aborted) break;
    const endpoints = batch.filter(isAgreed).map(({ subscription }) => subscription.endpoint);
    const gone = await subscriptions.remove(endpoints, isAgreed);
    removed += gone.length;
    if (json) for (const record of gone) io.out(jsonLine(recordJson(record)));
    await io.drained();
  }
  if (!json) io.say(`removed ${counted(removed)}`);
  return signal.aborted ? ExitCode.interrupted : ExitCode.ok;
}

/** Asks whether so many may go, and answers which ones that was about: what is stored meanwhile stays. */
async function agreement(
  which: readonly string[],
  context: Needs,
): Promise<(record: SubscriptionRecord) => boolean> {
  const { subscriptions, signal } = context;
  let [count, newest] = [0, 0];
  for await (const { createdAt } of streamFrom(subscriptions, which)) {
    signal.throwIfAborted();
    count += 1;
    newest = Math.max(newest, createdAt);
  }
  if (count > 1) await confirm(count, context);
  return ({ createdAt }) => createdAt <= newest;
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
