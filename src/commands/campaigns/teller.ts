/**
 * Tells how a campaign is getting on, each time it was looked at: at a terminal in place, in a pipe with a line every few
 * seconds, with `--json` with a record whenever something has changed.
 */
import type { CampaignProgress } from "../../campaigns/campaign.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { perSecond, withSample, type Sample } from "../send/rate-meter.ts";
import { progressRecord } from "./record.ts";
import { settledCount } from "./outcomes.ts";
import { lineOf, screenOf } from "./watch-render.ts";

export interface Teller extends Disposable {
  tell(campaign: CampaignProgress): void;
}

type Shown = Pick<Io, "out" | "status" | "paint" | "terminal">;

/** A line in a log at most this often, unless the state changes. */
const lineEveryMs = 5000;

export function createTeller(io: Shown, json: boolean): Teller {
  if (json) return recordTeller(io);
  return io.status.isLive && io.terminal.out ? screenTeller(io) : lineTeller(io);
}

function recordTeller({ out }: Pick<Io, "out">): Teller {
  let told = "";
  return {
    tell(campaign) {
      // Holds pass by themselves, which is no change.
      const holds = campaign.holds.map((hold) => ({ ...hold, forMs: 0 }));
      const what = jsonLine(progressRecord({ ...campaign, holds }));
      if (what !== told) out(jsonLine(progressRecord(campaign)));
      told = what;
    },
    [Symbol.dispose]: () => undefined,
  };
}

function screenTeller({ status, paint }: Shown): Teller {
  const meter = createMeter();
  return {
    tell(campaign) {
      const rate = meter(campaign);
      status.show(screenOf(campaign, rate, { columns: status.columns, paint: paint.err }));
    },
    [Symbol.dispose]: () => {
      status.clear();
    },
  };
}

function lineTeller({ out }: Shown): Teller {
  const meter = createMeter();
  let told: { readonly line: string; readonly state: string; readonly at: number } | undefined;
  return {
    tell(campaign) {
      const { state, asOf } = campaign;
      const line = lineOf(campaign, meter(campaign));
      const isDue = told === undefined || asOf - told.at >= lineEveryMs || state !== told.state;
      if (!isDue || line === told?.line) return;
      out(line);
      told = { line, state, at: asOf };
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** How fast it goes just now, by the database's clock; `undefined` while nobody can tell, or nothing is sent. */
export function createMeter(): (campaign: CampaignProgress) => number | undefined {
  let samples: readonly Sample[] = [];
  return ({ state, asOf, dueAt, counts }) => {
    if (state !== "running" || dueAt > asOf) {
      samples = [];
      return undefined;
    }
    samples = withSample(samples, { atMs: asOf, count: settledCount(counts) });
    return perSecond(samples);
  };
}
