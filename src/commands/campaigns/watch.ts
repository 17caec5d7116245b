/**
 * `webpush campaigns watch`: follows one to its end, and exits as the sending of it would have.
 *
 * It only looks: whoever stops watching stops nothing.
 */
import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import type { CampaignProgress } from "../../campaigns/campaign.ts";
import type { Campaigns } from "../../campaigns/campaigns.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { OneOptions } from "./command.ts";
import { withCampaigns } from "./open.ts";
import { exitCodeOfCampaign, groupsOf, isOver } from "./outcomes.ts";
import { noWorkersText } from "./render.ts";
import { createTeller } from "./teller.ts";
import { endText, leftText } from "./watch-render.ts";

type Needs = Pick<Context, "io" | "json" | "signal" | "storeAddress">;

const lookEveryMs = 1000;

export function run({ id }: OneOptions, context: Needs): Promise<ExitCode> {
  const { io } = context;
  return withCampaigns(context, async (campaigns) => {
    const first = await campaigns.find(id);
    const workers = isOver(first) ? 0 : (await campaigns.workers()).length;
    for (const line of noWorkersText(first, workers, io)) io.say(line);
    const last = await follow(first, campaigns, context);
    if (!isOver(last)) {
      io.say(leftText(last));
      return ExitCode.interrupted;
    }
    for (const line of groupsOf(last.counts).lines(io)) io.err(line);
    for (const line of endText(last, io)) io.say(line);
    return exitCodeOfCampaign(last);
  });
}

/** Tells of it until it is over, or nobody wants to know any more; answers how it was at last. */
async function follow(
  first: CampaignProgress,
  campaigns: Campaigns,
  { io, json, signal }: Needs,
): Promise<CampaignProgress> {
  using teller = createTeller(io, json);
  let campaign = first;
  let isAway = false;
  for (;;) {
    teller.tell(campaign);
    if (isOver(campaign) || signal.aborted) return campaign;
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
    try {
      campaign = await campaigns.find(campaign.id);
      if (isAway) io.say("the database is back");
      isAway = false;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (!isAway) io.say("the database does not answer; trying again");
      isAway = true;
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof UserError && error.code === "store-unreachable";
}
