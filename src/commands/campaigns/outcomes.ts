/**
 * What the counts of a campaign say, in the terms of `send`: tally, exit code, failures by cause.
 */
import type { CampaignProgress } from "../../campaigns/campaign.ts";
import { outcomeOfKey, type Counts } from "../../campaigns/counts.ts";
import { isCause } from "../../protocol/delivery.ts";
import { isTagSelector } from "../../store/selector.ts";
import { ExitCode } from "../exit-code.ts";
import { FailureGroups } from "../send/failure-groups.ts";
import { settledOf, type Settled } from "../send/progress.ts";
import { Counter, exitCodeFor, type Outcome, type Tally } from "../send/tally.ts";

/** Removed from the store between planning and sending: nothing went wrong. */
const removed = "skipped:recipient.removed";

/** The counts as `send` counts, those left out that were removed meanwhile. */
export function tallyOf(counts: Counts): Tally {
  const counter = new Counter();
  for (const [outcome, count] of outcomesOf(counts)) counter.count(outcome, count);
  return counter.tally();
}

export function removedOf(counts: Counts): number {
  return counts[removed] ?? 0;
}

/** Everybody who is done with. */
export function settledIn(counts: Counts): Settled {
  const settled = settledOf(tallyOf(counts));
  return { ...settled, skipped: settled.skipped + removedOf(counts) };
}

export function settledCount(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export function groupsOf(counts: Counts): FailureGroups {
  const groups = new FailureGroups();
  for (const [outcome, count] of outcomesOf(counts)) groups.addCount(outcome, count);
  return groups;
}

function outcomesOf(counts: Counts): readonly (readonly [Outcome, number])[] {
  return Object.entries(counts)
    .filter(([key]) => key !== removed)
    .map(([key, count]) => [outcomeOf(key), count]);
}

/** An outcome of its key; a cause that only a newer worker knows counts as a failure of no known kind. */
function outcomeOf(key: string): Outcome {
  const { outcome, cause } = outcomeOfKey(key);
  // The worker that wrote it down had an outcome with this cause.
  if (outcome === "skipped" || isCause(cause)) return { outcome, cause } as Outcome;
  return { outcome: "rejected", cause: "http.4xx" };
}

/** Whether a campaign is over. */
export function isOver({ state }: Pick<CampaignProgress, "state">): boolean {
  return state === "done" || state === "cancelled" || state === "expired";
}

/** The exit code of one that is over: that of `send`, and 1 when it ended before everyone was sent to. */
export function exitCodeOfCampaign(campaign: CampaignProgress): ExitCode {
  const { counts, recipients, selection, source, prune } = campaign;
  if (settledCount(counts) < recipients) return ExitCode.failed;
  const isBroadcast = source === "query" || selection.some((one) => one === "all" || isTagSelector(one));
  const tally = tallyOf(counts);
  return exitCodeFor(tally, { excused: isBroadcast && prune ? tally.failures.gone : 0, stopped: false });
}
