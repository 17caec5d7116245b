/**
 * Tells of a run while it goes on: at a terminal in place, in a log with a line now and then, with `--quiet` not at all.
 */
import type { Io } from "../../terminal/io.ts";
import { progressLines, progressText, type Snapshot } from "./progress.ts";
import { perSecond, withSample, type Sample } from "./rate-meter.ts";

/** A run is being told of; whoever began it ends it, with `using` or by hand. */
export interface ProgressReport extends Disposable {
  /** Leaves the terminal as it was; once or more often. */
  end(): void;
}

/** Quick enough to look alive, slow enough to be read. */
const redrawEveryMs = 200;
/** What is over sooner needs no progress. */
const worthTellingMs = 1500;
const lineEveryMs = 5000;

/** Begins to tell of what `snapshot` says, which is asked a few times a second. */
export function startProgress(
  io: Pick<Io, "say" | "status" | "paint">,
  snapshot: () => Snapshot,
): ProgressReport {
  const { status } = io;
  let samples: readonly Sample[] = [sampleOf(snapshot())];
  const look = (): void => {
    const now = snapshot();
    samples = withSample(samples, sampleOf(now));
    const rate = perSecond(samples);
    if (!status.isLive) io.say(progressText(now, rate));
    else if (now.nowMs - now.startedAtMs >= worthTellingMs)
      status.show(progressLines(now, rate, { columns: status.columns, paint: io.paint.err }));
  };
  const timer = setInterval(look, status.isLive ? redrawEveryMs : lineEveryMs);
  timer.unref();
  const end = (): void => {
    clearInterval(timer);
    status.clear();
  };
  return { end, [Symbol.dispose]: end };
}

/** Skipping costs no time, so it says nothing about what the rest will take. */
function sampleOf({ nowMs, settled: { accepted, gone, failed } }: Snapshot): Sample {
  return { atMs: nowMs, count: accepted + gone + failed };
}
