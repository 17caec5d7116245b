/** A campaign's plan for tests: an empty push to all, kept for a day; `over` says what a test is about. */
import type { CampaignPlan } from "../../src/campaigns/campaign.ts";
import { samplePair } from "./samples.ts";

export function samplePlan(over: Partial<CampaignPlan> = {}): CampaignPlan {
  return {
    message: { payload: undefined, ttlSeconds: 86_400, urgency: undefined, topic: undefined },
    encoding: undefined,
    selection: ["all"],
    publicKey: samplePair("ours").publicKey,
    rate: undefined,
    retries: 4,
    prune: true,
    ...over,
  };
}
