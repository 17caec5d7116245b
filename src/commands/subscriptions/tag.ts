/** `webpush subscriptions tag`: puts subscriptions in a group, or takes them out. */
import { selectFrom } from "../../store/selector.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { TagOptions } from "./command.ts";
import { parseLabel } from "./labels.ts";
import { counted, recordJson } from "./render.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "json">;

export async function run(options: TagOptions, { io, subscriptions, json }: Needs): Promise<ExitCode> {
  const tag = parseLabel("tag", options.tag);
  const chosen = await selectFrom(subscriptions, options.which);
  const endpoints = chosen.map(({ subscription }) => subscription.endpoint);
  const changed = await subscriptions.relabel(endpoints, ({ name, tags }) => {
    const others = tags.filter((other) => other !== tag);
    return { name, tags: options.remove ? others : [...others, tag] };
  });
  if (json) for (const record of changed) io.out(jsonLine(recordJson(record)));
  else io.say(`${counted(changed.length)} ${options.remove ? "out of" : "in"} tag:${tag}`);
  return ExitCode.ok;
}
