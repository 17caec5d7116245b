/** A campaign under way, in the words that `send` has for a run of its own. */
import { durationText, groupDigits } from "../../base/figures.ts";
import type { CampaignProgress } from "../../campaigns/campaign.ts";
import type { Io } from "../../terminal/io.ts";
import { progressLines, progressText, type Canvas, type Snapshot } from "../send/progress.ts";
import { summaryLine } from "../send/render.ts";
import { removedOf, settledCount, settledIn, tallyOf } from "./outcomes.ts";
import { doingText, headline } from "./render.ts";

/** The lines of a status area. */
export function screenOf(
  campaign: CampaignProgress,
  rate: number | undefined,
  canvas: Canvas,
): readonly string[] {
  return [headline(campaign, canvas.columns), ...progressLines(snapshotOf(campaign), rate, canvas)];
}

/** One line for a log. */
export function lineOf(campaign: CampaignProgress, rate: number | undefined): string {
  return `${campaign.id} ${doingText(campaign)}: ${progressText(snapshotOf(campaign), rate)}`;
}

function snapshotOf({ recipients, counts, dueAt, asOf, state, holds }: CampaignProgress): Snapshot {
  const held = state === "running" ? holds : [];
  return {
    total: recipients,
    settled: settledIn(counts),
    startedAtMs: dueAt,
    nowMs: asOf,
    origins: held.map(({ origin, forMs }) => ({
      host: new URL(origin).host,
      inFlight: 0,
      waiting: 0,
      limit: 0,
      pausedUntilMs: asOf + forMs,
    })),
  };
}

/** How it ended, and the sum. */
export function endText(campaign: CampaignProgress, io: Pick<Io, "paint">): readonly string[] {
  const { id, state, counts, recipients, dueAt, finishedAt } = campaign;
  const left = recipients - settledCount(counts);
  const removed = removedOf(counts);
  const took =
    finishedAt === undefined || finishedAt <= dueAt ? "" : ` after ${durationText(finishedAt - dueAt)}`;
  const unsent = `${groupDigits(left)} ${left === 1 ? "was" : "were"} not sent to`;
  return [
    ...(left === recipients ? [] : [summaryLine(tallyOf(counts), io)]),
    ...(removed === 0 ? [] : [`removed from the store meanwhile: ${groupDigits(removed)}`]),
    `campaign ${id} is ${state}${took}${left === 0 ? "" : `; ${unsent}`}`,
  ];
}

/** Nobody watches any more, and nothing changes by that. */
export function leftText({ id, state }: CampaignProgress): string {
  return state === "running"
    ? `campaign ${id} goes on; stop it with: webpush campaigns pause ${id}`
    : `campaign ${id} stays ${state}`;
}
