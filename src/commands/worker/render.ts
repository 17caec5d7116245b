/** A worker's log: each event as a line for people, or as a JSON record. */
import { durationText, groupDigits } from "../../base/figures.ts";
import { outcomeOfKey, type Counts } from "../../campaigns/counts.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import { counted } from "../subscriptions/render.ts";
import type { ChunkTurn, ReturnReason, WorkerEvent } from "./events.ts";

type Painted = Pick<Io, "paint">;

/** One event as a record. */
export function eventJson(event: WorkerEvent, time: number): string {
  const about = { type: event.type, at: new Date(time).toISOString() };
  switch (event.type) {
    case "worker.started": {
      const { name, version, store, chunks, concurrency, health = null } = event;
      return jsonLine({ ...about, name, version, store, chunks, concurrency, health });
    }
    case "chunk.taken":
      return jsonLine({ ...about, ...turnOf(event), recipients: event.recipients });
    case "chunk.finished":
      return jsonLine({ ...about, ...turnOf(event), ...sumOf(event) });
    case "chunk.returned": {
      const { why, left, afterMs } = event;
      return jsonLine({
        ...about,
        ...turnOf(event),
        ...sumOf(event),
        why,
        left,
        afterMs: Math.round(afterMs),
      });
    }
    case "chunk.lost":
      return jsonLine({ ...about, ...turnOf(event), ...sumOf(event), left: event.left });
    case "campaign.damaged":
      return jsonLine({ ...about, campaign: event.campaign, reason: event.reason });
    case "database.lost":
      return jsonLine({ ...about, reason: event.reason });
    case "database.back":
      return jsonLine({ ...about, awayMs: Math.round(event.awayMs) });
    case "keys.changed":
      return jsonLine({ ...about, publicKeys: event.publicKeys });
    case "worker.stopping":
      return jsonLine(about);
    case "worker.stopped":
      return jsonLine({ ...about, ...sumOf(event) });
    default:
      return event satisfies never;
  }
}

function turnOf({ campaign, chunk, turn }: ChunkTurn): object {
  return { campaign, chunk, turn };
}

function sumOf({ counts, durationMs }: { readonly counts: Counts; readonly durationMs: number }): object {
  return { counts, durationMs: Math.round(durationMs) };
}

/** One event as a line. */
export function eventText(event: WorkerEvent, at: number, { paint }: Painted): string {
  const time = new Date(at).toISOString().slice(11, 19);
  return `${paint.err.dim(time)}  ${describe(event, { paint })}`;
}

function describe(event: WorkerEvent, { paint: { err } }: Painted): string {
  switch (event.type) {
    case "worker.started": {
      const { name, store, chunks, health } = event;
      const watched = health === undefined ? "" : `, health at ${health}/readyz`;
      return `worker ${err.bold(printable(name))} takes ${counted(chunks, "chunk")} at a time from ${printable(store)}${watched}`;
    }
    case "chunk.taken":
      return `${chunkText(event)} taken, ${counted(event.recipients, "recipient")}`;
    case "chunk.finished":
      return `${chunkText(event)} done: ${sumText(event.counts)} in ${secondsText(event.durationMs)}`;
    case "chunk.returned":
      return `${chunkText(event)} given back${waitText(event.afterMs)}, ${event.left} left: ${reasons[event.why]}; ${sumText(event.counts)}`;
    case "chunk.lost":
      return err.caution(
        `${chunkText(event)} lost to another worker, which goes on from what was recorded (${sumText(event.counts)})`,
      );
    case "campaign.damaged":
      return err.bad(`${printable(event.reason)}; it is paused, the others go on`);
    case "database.lost":
      return err.bad(`the database is away, trying again: ${printable(event.reason)}`);
    case "database.back":
      return err.good(`the database is back after ${secondsText(event.awayMs)}`);
    case "keys.changed": {
      const shown = event.publicKeys.map((key) => `${key.slice(0, 12)}…`).join(", ");
      return `signing with other keys from now on: ${shown === "" ? "none, so nothing is taken" : shown}`;
    }
    case "worker.stopping":
      return "stopping: what is in flight is finished, then the chunks are given back; Ctrl-C again gives it up";
    case "worker.stopped":
      return `stopped after ${secondsText(event.durationMs)}: ${sumText(event.counts)}`;
    default:
      return event satisfies never;
  }
}

const reasons: Readonly<Record<ReturnReason, string>> = {
  time: "its turn is over",
  held: "those left have to wait for their push service",
  stopped: "this worker stops",
  campaign: "its campaign was stopped",
  database: "the database was away",
};

function chunkText({ campaign, chunk, turn }: ChunkTurn): string {
  return `${printable(campaign)} chunk ${chunk}${turn === 1 ? "" : `, turn ${turn},`}`;
}

function waitText(afterMs: number): string {
  return afterMs < 1000 ? "" : ` for ${secondsText(afterMs)}`;
}

function secondsText(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : durationText(ms);
}

/** `990 accepted, 10 gone`, the most frequent first. */
function sumText(counts: Counts): string {
  const sums = new Map<string, number>();
  for (const [key, count] of Object.entries(counts)) {
    const { outcome } = outcomeOfKey(key);
    sums.set(outcome, (sums.get(outcome) ?? 0) + count);
  }
  if (sums.size === 0) return "nobody settled";
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, count]) => `${groupDigits(count)} ${printable(outcome)}`)
    .join(", ");
}
