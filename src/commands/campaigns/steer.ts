/** `webpush campaigns pause`, `resume` and `cancel`. */
import { UserError } from "../../base/errors.ts";
import { groupDigits } from "../../base/figures.ts";
import type { CampaignProgress } from "../../campaigns/campaign.ts";
import type { Campaigns } from "../../campaigns/campaigns.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { counted } from "../subscriptions/render.ts";
import type { SteerOptions } from "./command.ts";
import { withCampaigns } from "./open.ts";
import { isOver, settledCount } from "./outcomes.ts";
import { campaignRecord } from "./record.ts";
import { steeredText } from "./render.ts";

type Needs = Pick<Context, "io" | "json" | "prompt" | "storeAddress">;

export function run({ action, ids, yes }: SteerOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  return withCampaigns(context, async (campaigns) => {
    const found = await findAll(ids, campaigns);
    // Told of before any is changed: this refuses.
    const over = found.find(isOver);
    if (over !== undefined) await campaigns[action](over.id);
    if (action === "cancel" && !yes) await confirm(found, context);
    for (const one of found) {
      const changed = await campaigns[action](one.id);
      if (json) io.out(jsonLine(campaignRecord(changed)));
      else for (const line of steeredText(action, one)) io.say(line);
    }
    return ExitCode.ok;
  });
}

/** Each once, also when it is named twice. */
async function findAll(ids: readonly string[], campaigns: Campaigns): Promise<readonly CampaignProgress[]> {
  const found = new Map<string, CampaignProgress>();
  for (const id of ids) {
    const one = await campaigns.find(id);
    found.set(one.id, one);
  }
  return [...found.values()];
}

/** Nobody is kept from stopping a message by a question that cannot be answered. */
async function confirm(found: readonly CampaignProgress[], { prompt }: Needs): Promise<void> {
  if (!prompt.available) return;
  const left = found.reduce((sum, { recipients, counts }) => sum + recipients - settledCount(counts), 0);
  const what = found.length === 1 ? (found[0]?.id ?? "") : counted(found.length, "campaign");
  if (await prompt.confirm(`cancel ${what}? ${groupDigits(left)} would not be sent to`, false)) return;
  throw new UserError("declined", "nothing was changed", { kind: "failed" });
}
