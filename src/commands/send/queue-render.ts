/** What `webpush send --queue` prints. */
import { durationText, groupDigits } from "../../base/figures.ts";
import type { Campaign } from "../../campaigns/campaign.ts";
import type { Extent } from "../../campaigns/campaigns.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { campaignRecord, timeText } from "../campaigns/record.ts";
import { noWorkersText } from "../campaigns/render.ts";
import { counted } from "../subscriptions/render.ts";

export interface Queued {
  readonly campaign: Campaign;
  /** How many workers were seen within the last minute. */
  readonly workers: number;
}

export function queuedJson({ campaign, workers }: Queued): string {
  return jsonLine({ ...campaignRecord(campaign), workersSeen: workers });
}

/** What was queued, when it begins, and what to do next. */
export function queuedText({ campaign, workers }: Queued, { paint }: Pick<Io, "paint">): readonly string[] {
  const { id, createdAt, dueAt } = campaign;
  const wait = dueAt - createdAt;
  const begins =
    wait < 1000 ? "begins at once" : `begins in ${durationText(wait)}, ${timeText(dueAt).slice(0, 16)}Z`;
  return [
    `queued for ${extentText(campaign)}; ${begins}`,
    ...noWorkersText(campaign, workers, { paint }),
    `follow it: webpush campaigns watch ${id}`,
  ];
}

export function measuredJson({ recipients, chunks, dueAt }: Extent & { readonly dueAt: number }): string {
  return jsonLine({ recipients, chunks, dueAt: timeText(dueAt) });
}

export function measuredText(extent: Extent): readonly string[] {
  return [`nothing was queued; it would go to ${extentText(extent)}`];
}

function extentText({ recipients, chunks }: Extent): string {
  const whom = `${groupDigits(recipients)} ${recipients === 1 ? "subscription" : "subscriptions"}`;
  return `${whom} in ${counted(chunks, "chunk")}`;
}
