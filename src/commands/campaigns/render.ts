/** What `webpush campaigns` prints for people. */
import { durationText, groupDigits } from "../../base/figures.ts";
import type { CampaignProgress } from "../../campaigns/campaign.ts";
import type { Message } from "../../protocol/message.ts";
import type { Io } from "../../terminal/io.ts";
import { printable } from "../../terminal/printable.ts";
import { shorten, table } from "../../terminal/table.ts";
import { wrap } from "../../terminal/wrap.ts";
import { outcomesText, rateText, timeLeftText } from "../send/progress.ts";
import { ago } from "../subscriptions/render.ts";
import type { Action } from "./command.ts";
import { isOver, settledCount, settledIn } from "./outcomes.ts";
import { timeText } from "./record.ts";

type Shown = Pick<Io, "paint" | "terminal">;

/** Narrower terminals have room for how far it came, and for no more. */
const roomyColumns = 72;

const narrowTable = [{ title: "campaign" }, { title: "state" }, { title: "done", align: "right" }] as const;

const roomyTable = [
  ...narrowTable,
  { title: "of", align: "right" },
  { title: "begins" },
  { title: "message", flexible: true },
] as const;

/** Campaigns, a line each. */
export function listText(found: readonly CampaignProgress[], { paint, terminal }: Shown): readonly string[] {
  const columns = terminal.columns < roomyColumns ? narrowTable : roomyTable;
  const cells = found.map((campaign) => {
    const row = {
      campaign: campaign.id,
      state: stateText(campaign),
      done: percentText(campaign),
      of: groupDigits(campaign.recipients),
      // One that was cancelled before it was due never begins.
      begins:
        isOver(campaign) && campaign.dueAt > campaign.asOf ? "-" : whenText(campaign.dueAt, campaign.asOf),
      message: messageTitle(campaign.message),
    };
    return columns.map(({ title }) => row[title]);
  });
  const [head = "", ...lines] = table(columns, cells, terminal.columns);
  return [paint.out.dim(head), ...lines];
}

/** One that is not due yet is running as far as its state goes; for people it waits. */
function stateText({ state, dueAt, asOf }: CampaignProgress): string {
  return state === "running" && dueAt > asOf ? "waiting" : state;
}

function percentText({ recipients, counts }: CampaignProgress): string {
  return `${recipients === 0 ? 100 : Math.floor((settledCount(counts) / recipients) * 100)} %`;
}

/** `in 2 h`, `3 min ago`. */
function whenText(at: number, now: number): string {
  return at > now ? `in ${durationText(at - now)}` : ago(now - at);
}

const longestTitle = 60;

/** What a notification says first; of other messages their size. */
function messageTitle({ payload }: Message): string {
  if (payload === undefined) return "(empty push)";
  const title = titleIn(Buffer.from(payload).toString());
  return title === undefined ? `(${payload.length} bytes)` : printable(title, { limit: longestTitle });
}

function titleIn(text: string): string | undefined {
  try {
    const value = JSON.parse(text) as {
      readonly title?: unknown;
      readonly notification?: { title?: unknown };
    };
    const title = value.notification?.title ?? value.title;
    return typeof title === "string" ? title : undefined;
  } catch {
    return undefined;
  }
}

const labelWidth = 11;

/** All about one, a line or a few for each fact. */
export function showText(
  campaign: CampaignProgress,
  rate: number | undefined,
  { paint, terminal }: Shown,
): readonly string[] {
  const { id, asOf, dueAt, endsAt, workers } = campaign;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["campaign", id],
    ["state", stateText(campaign)],
    ["to", whomText(campaign)],
    ["message", messageText(campaign)],
    [dueAt > asOf ? "begins" : "began", momentText(dueAt, asOf)],
    [isOver(campaign) ? "ended" : "ends", momentText(campaign.finishedAt ?? endsAt, asOf)],
    ["progress", progressWords(campaign)],
    ["speed", speedText(campaign, rate)],
    ["workers", isOver(campaign) ? undefined : workersText(workers)],
    ["outcomes", settledCount(campaign.counts) === 0 ? undefined : outcomesText(settledIn(campaign.counts))],
    ...holdRows(campaign),
  ];
  return rows.flatMap(([label, value]) => (value === undefined ? [] : labelled(label, value)));

  function labelled(label: string, value: string): readonly string[] {
    const [first = "", ...rest] = wrap(value, terminal.columns - labelWidth);
    return [
      `${paint.out.dim(label.padEnd(labelWidth))}${first}`,
      ...rest.map((line) => `${" ".repeat(labelWidth)}${line}`),
    ];
  }
}

function whomText({ selection, source }: CampaignProgress): string {
  const whom = selection.map((one) => printable(one, { limit: 60 })).join(", ");
  return source === "query" ? `${whom}, of a query` : whom;
}

function messageText({ message, rate }: CampaignProgress): string {
  const { payload, ttlSeconds, urgency, topic } = message;
  return [
    messageTitle(message),
    ...(payload === undefined ? [] : [`${payload.length} bytes`]),
    ttlSeconds === 0 ? "TTL 0" : `TTL ${durationText(ttlSeconds * 1000)}`,
    ...(urgency === undefined ? [] : [`urgency ${urgency}`]),
    ...(topic === undefined ? [] : [`topic ${printable(topic)}`]),
    ...(rate === undefined ? [] : [`at most ${groupDigits(rate)}/s`]),
  ].join(", ");
}

function momentText(at: number, now: number): string {
  return `${timeText(at).slice(0, 16)}Z, ${whenText(at, now)}`;
}

function progressWords(campaign: CampaignProgress): string {
  const done = settledCount(campaign.counts);
  return `${groupDigits(done)} of ${groupDigits(campaign.recipients)}, ${percentText(campaign)}`;
}

/** How fast it goes just now, or went over the whole run. */
function speedText(campaign: CampaignProgress, rate: number | undefined): string | undefined {
  const { state, dueAt, finishedAt, recipients, counts } = campaign;
  const done = settledCount(counts);
  if (rate !== undefined) {
    const left = rate > 0 ? [timeLeftText(((recipients - done) / rate) * 1000)] : [];
    return [`${rateText(rate)} just now`, ...left].join(", ");
  }
  if (state !== "done" || finishedAt === undefined || finishedAt <= dueAt) return undefined;
  const ms = finishedAt - dueAt;
  return `${rateText((done * 1000) / ms)} on average, ${durationText(ms)} in all`;
}

const mostNames = 5;

function workersText(workers: readonly string[]): string {
  if (workers.length === 0) return "none has a part of it just now";
  const names = workers.slice(0, mostNames).map((name) => printable(name, { limit: 40 }));
  const more = workers.length - names.length;
  return `${workers.length}: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Push services that are left alone; that says something about a campaign that is under way. */
function holdRows({ state, holds }: CampaignProgress): readonly (readonly [string, string])[] {
  if (state !== "running") return [];
  return holds.slice(0, mostNames).map(({ origin, forMs, cause, reason }) => {
    const why = reason === undefined || reason === "" ? "" : `: ${printable(reason, { limit: 100 })}`;
    return [
      "held",
      `${printable(new URL(origin).host)} for ${durationText(forMs)}, ${printable(cause)}${why}`,
    ];
  });
}

/** What to do next. */
export function nextText(
  campaign: CampaignProgress,
  workers: number,
  { paint }: Pick<Io, "paint">,
): readonly string[] {
  const { id, state } = campaign;
  if (state === "paused") return ["", `go on: webpush campaigns resume ${id}`];
  if (state !== "running") return [];
  return ["", ...noWorkersText(campaign, workers, { paint }), `follow it: webpush campaigns watch ${id}`];
}

/** Nobody is there to send it. */
export function noWorkersText(
  campaign: Pick<CampaignProgress, "state">,
  workers: number,
  { paint }: Pick<Io, "paint">,
): readonly string[] {
  if (campaign.state !== "running" || workers > 0) return [];
  return [
    `${paint.err.caution("note:")} no worker was seen in the last minute; nothing is sent before one runs`,
    `${paint.err.hint("hint:")} start one, or several, on any machine: webpush worker`,
  ];
}

/** The first line above the bar: who it is and what it is doing. */
export function headline(campaign: CampaignProgress, columns: number): string {
  const { id, dueAt, asOf } = campaign;
  return shorten(
    `${id}  ${doingText(campaign)}${dueAt > asOf ? "" : `, ${messageTitle(campaign.message)}`}`,
    columns,
  );
}

/** `running on 2 workers`, `begins in 2 h`, `paused`. */
export function doingText({ state, dueAt, asOf, workers }: CampaignProgress): string {
  if (state !== "running") return state;
  if (dueAt > asOf) return `begins in ${durationText(dueAt - asOf)}`;
  if (workers.length === 0) return "waits for a worker";
  return `running on ${workers.length} ${workers.length === 1 ? "worker" : "workers"}`;
}

/** What was done. */
export function steeredText(action: Action, campaign: CampaignProgress): readonly string[] {
  const { id } = campaign;
  switch (action) {
    case "pause":
      return [
        `paused ${id} at ${progressWords(campaign)}; what is in flight is finished`,
        `go on: webpush campaigns resume ${id}`,
      ];
    case "resume":
      return [`resumed ${id} at ${progressWords(campaign)}`, `follow it: webpush campaigns watch ${id}`];
    case "cancel":
      return [`cancelled ${id} at ${progressWords(campaign)}; what is in flight is finished`];
    default:
      return action satisfies never;
  }
}
