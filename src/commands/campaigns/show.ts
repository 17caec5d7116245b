/** `webpush campaigns show`: how one is doing at this moment. */
import { setTimeout as delay } from "node:timers/promises";
import type { CampaignProgress } from "../../campaigns/campaign.ts";
import type { Campaigns } from "../../campaigns/campaigns.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { createMeter } from "./teller.ts";
import type { OneOptions } from "./command.ts";
import { withCampaigns } from "./open.ts";
import { groupsOf } from "./outcomes.ts";
import { progressRecord } from "./record.ts";
import { nextText, showText } from "./render.ts";

type Needs = Pick<Context, "io" | "json" | "signal" | "storeAddress">;

/** Long enough to see several batches of results. */
const measureMs = 1500;

export async function run({ id }: OneOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  const { campaign, rate, workers } = await withCampaigns(context, async (campaigns) => ({
    ...(await measured(await campaigns.find(id), campaigns, context)),
    workers: (await campaigns.workers()).length,
  }));
  if (json) {
    io.out(jsonLine(progressRecord(campaign)));
    return ExitCode.ok;
  }
  for (const line of showText(campaign, rate, io)) io.out(line);
  // Here failures are what was asked for, so they go where the rest goes.
  const asData = {
    paint: { ...io.paint, err: io.paint.out },
    terminal: { ...io.terminal, errColumns: io.terminal.columns },
  };
  for (const line of groupsOf(campaign.counts).lines(asData)) io.out(line);
  for (const line of nextText(campaign, workers, io)) io.say(line);
  return ExitCode.ok;
}

/** For people: one that is being worked on is looked at twice, which tells how fast it goes. */
async function measured(
  first: CampaignProgress,
  campaigns: Campaigns,
  { json, signal }: Needs,
): Promise<{ readonly campaign: CampaignProgress; readonly rate: number | undefined }> {
  if (json || first.workers.length === 0) return { campaign: first, rate: undefined };
  const meter = createMeter();
  meter(first);
  await delay(measureMs, undefined, { signal }).catch(() => undefined);
  const campaign = await campaigns.find(first.id);
  return { campaign, rate: meter(campaign) };
}
