/** `webpush subscriptions list`: the stored ones, those found gone apart. */
import { inBatches } from "../../base/batches.ts";
import { mostOfDatabase, type SubscriptionRecord } from "../../store/subscriptions.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { ListOptions } from "./command.ts";
import { counted, listLines, recordJson } from "./render.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "clock" | "json" | "signal">;

export async function run(options: ListOptions, context: Needs): Promise<ExitCode> {
  const { io, subscriptions, clock, json, signal } = context;
  const { tag: tags, gone: wantsGone } = options;
  const found = { shown: 0, hidden: 0 };
  const shown = async function* (): AsyncGenerator<SubscriptionRecord> {
    const [tag, ...others] = tags;
    for await (const record of subscriptions.stream(tag === undefined ? {} : { tag })) {
      if (!others.every((other) => record.tags.includes(other))) continue;
      const isShown = (record.gone !== undefined) === wantsGone;
      found[isShown ? "shown" : "hidden"] += 1;
      if (isShown) yield record;
    }
  };
  const lines = json
    ? (records: readonly SubscriptionRecord[]) => records.map((record) => jsonLine(recordJson(record)))
    : listLines(clock.now(), io.terminal.columns);
  for await (const records of inBatches(shown(), json ? mostOfDatabase : subscriptions.mostAtOnce)) {
    signal.throwIfAborted();
    for (const line of lines(records)) io.out(line);
    await io.drained();
  }
  if (!json) for (const line of await closing(found, options, subscriptions)) io.say(line);
  return ExitCode.ok;
}

/** What the list does not tell. */
async function closing(
  { shown, hidden }: { readonly shown: number; readonly hidden: number },
  { gone, tag }: ListOptions,
  subscriptions: Needs["subscriptions"],
): Promise<readonly string[]> {
  const isEmpty = shown + hidden === 0 && (tag.length === 0 || (await subscriptions.count()).total === 0);
  if (isEmpty) return ["no subscriptions are stored yet: webpush subscriptions add"];
  return [
    ...(shown === 0 ? ["none of them"] : []),
    ...(hidden > 0 && !gone ? [`${counted(hidden)} gone, not shown: webpush subscriptions list --gone`] : []),
  ];
}
