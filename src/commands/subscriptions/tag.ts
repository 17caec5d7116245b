/** `webpush subscriptions tag`: puts subscriptions in a group, or takes them out. */
import { inBatches } from "../../base/batches.ts";
import { streamFrom } from "../../store/selector.ts";
import type { Labels } from "../../store/subscriptions.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { TagOptions } from "./command.ts";
import { parseLabel } from "./labels.ts";
import { counted, recordJson } from "./render.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "json" | "signal">;

export async function run(options: TagOptions, context: Needs): Promise<ExitCode> {
  const { io, subscriptions, json, signal } = context;
  const tag = parseLabel("tag", options.tag);
  const change = ({ name, tags }: Labels): Labels => {
    const others = tags.filter((other) => other !== tag);
    return { name, tags: options.remove ? others : [...others, tag] };
  };
  let changed = 0;
  for await (const batch of inBatches(streamFrom(subscriptions, options.which), subscriptions.mostAtOnce)) {
    if (signal.aborted) break;
    const endpoints = batch.map(({ subscription }) => subscription.endpoint);
    const records = await subscriptions.relabel(endpoints, change);
    changed += records.length;
    if (json) for (const record of records) io.out(jsonLine(recordJson(record)));
    await io.drained();
  }
  if (!json) io.say(`${counted(changed)} ${options.remove ? "out of" : "in"} tag:${tag}`);
  return signal.aborted ? ExitCode.interrupted : ExitCode.ok;
}
