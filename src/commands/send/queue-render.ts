/** What `webpush send --queue` prints. */
import { durationText, groupDigits } from "../../base/figures.ts";
import type { Campaign } from "../../campaigns/campaign.ts";
import type { Extent } from "../../campaigns/campaigns.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { campaignRecord, timeText } from "../campaigns/record.ts";
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
    ...(workers > 0
      ? []
      : [
          `${paint.err.caution("note:")} no worker was seen in the last minute; nothing is sent before one runs`,
          `${paint.err.hint("hint:")} start one, or several, on any machine: webpush worker`,
        ]),
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
