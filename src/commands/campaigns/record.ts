/** Campaigns as JSON records. Fields are a contract: docs/json.md. */
import type { Campaign, CampaignProgress } from "../../campaigns/campaign.ts";
import { settledIn } from "./outcomes.ts";

/** What a campaign is. */
export function campaignRecord(campaign: Campaign) {
  const { id, state, source, selection, message, encoding, rate, retries, prune, publicKey } = campaign;
  return {
    id,
    state,
    source,
    to: selection,
    createdAt: timeText(campaign.createdAt),
    dueAt: timeText(campaign.dueAt),
    endsAt: timeText(campaign.endsAt),
    finishedAt: campaign.finishedAt === undefined ? null : timeText(campaign.finishedAt),
    payloadBytes: message.payload?.length ?? 0,
    ttl: message.ttlSeconds,
    urgency: message.urgency ?? null,
    topic: message.topic ?? null,
    encoding: encoding ?? null,
    rate: rate ?? null,
    retries,
    prune,
    publicKey,
    recipients: campaign.recipients,
    chunks: campaign.chunks,
    chunksDone: campaign.chunksDone,
  };
}

/** How it is doing. */
export function progressRecord(progress: CampaignProgress) {
  const { accepted, gone, failed, skipped } = settledIn(progress.counts);
  return {
    ...campaignRecord(progress),
    accepted,
    gone,
    failed,
    skipped,
    counts: progress.counts,
    workers: progress.workers,
    holds: progress.holds.map(({ origin, forMs, cause, reason }) => ({
      host: new URL(origin).host,
      forMs: Math.round(forMs),
      cause,
      reason: reason ?? null,
    })),
  };
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
