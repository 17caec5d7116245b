/** `webpush subscriptions list`: the stored ones, those found gone apart. */
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { ListOptions } from "./command.ts";
import { counted, listText, recordJson } from "./render.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "clock" | "json">;

export async function run(
  options: ListOptions,
  { io, subscriptions, clock, json }: Needs,
): Promise<ExitCode> {
  const isTagged = ({ tags }: SubscriptionRecord): boolean => options.tag.every((tag) => tags.includes(tag));
  const isShown = ({ gone }: SubscriptionRecord): boolean => (gone !== undefined) === options.gone;
  if (json) {
    for await (const record of subscriptions.stream({ living: !options.gone })) {
      if (isTagged(record) && isShown(record)) io.out(jsonLine(recordJson(record)));
      await io.drained();
    }
    return ExitCode.ok;
  }
  const all = await subscriptions.list();
  const tagged = all.filter(isTagged);
  const shown = tagged.filter(isShown);
  if (shown.length > 0) for (const line of listText(shown, clock.now(), io.terminal.columns)) io.out(line);
  else
    io.say(all.length === 0 ? "no subscriptions are stored yet: webpush subscriptions add" : "none of them");
  const hidden = tagged.length - shown.length;
  if (hidden > 0 && !options.gone)
    io.say(`${counted(hidden)} gone, not shown: webpush subscriptions list --gone`);
  return ExitCode.ok;
}
