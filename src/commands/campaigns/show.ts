/** `webpush campaigns show`: how one is doing at this moment. */
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { OneOptions } from "./command.ts";
import { withCampaigns } from "./open.ts";
import { groupsOf } from "./outcomes.ts";
import { progressRecord } from "./record.ts";
import { nextText, showText } from "./render.ts";

type Needs = Pick<Context, "io" | "json" | "storeAddress">;

export async function run({ id }: OneOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  const { campaign, workers } = await withCampaigns(context, async (campaigns) => ({
    campaign: await campaigns.find(id),
    workers: (await campaigns.workers()).length,
  }));
  if (json) {
    io.out(jsonLine(progressRecord(campaign)));
    return ExitCode.ok;
  }
  for (const line of showText(campaign, io)) io.out(line);
  // Here failures are what was asked for, so they go where the rest goes.
  const asData = {
    paint: { ...io.paint, err: io.paint.out },
    terminal: { ...io.terminal, errColumns: io.terminal.columns },
  };
  for (const line of groupsOf(campaign.counts).lines(asData)) io.out(line);
  for (const line of nextText(campaign, workers, io)) io.say(line);
  return ExitCode.ok;
}
