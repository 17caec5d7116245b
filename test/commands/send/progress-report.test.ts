import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startProgress } from "../../../src/commands/send/progress-report.ts";
import type { Snapshot } from "../../../src/commands/send/progress.ts";
import { plainPaint } from "../../../src/terminal/paint.ts";
import { absentStatusArea, createStatusArea, type StatusArea } from "../../../src/terminal/status-area.ts";
import { FakeTerminal } from "../../support/fake-terminal.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A run that gets 100 messages a second accepted, of 10 000; those of an earlier run were skipped in no time. */
function startRun(status: StatusArea, { skipAtOnce = 0 } = {}) {
  const startedAtMs = Date.now();
  const said: string[] = [];
  const snapshot = (): Snapshot => {
    const accepted = (Date.now() - startedAtMs) / 10;
    const settled = { accepted, gone: 0, failed: 0, skipped: accepted === 0 ? 0 : skipAtOnce };
    return { total: 10_000, settled, startedAtMs, nowMs: Date.now(), origins: [] };
  };
  const io = {
    say: (line: string) => void said.push(line),
    status,
    paint: { out: plainPaint, err: plainPaint },
  };
  return { progress: startProgress(io, snapshot), said };
}

describe("at a terminal", () => {
  test("nothing is shown of a run that is soon over", () => {
    const terminal = new FakeTerminal();
    const { progress } = startRun(createStatusArea(terminal));
    vi.advanceTimersByTime(1400);
    progress.end();
    expect(terminal.writes).toEqual([]);
  });

  test("a longer one is drawn, and drawn again, at most ten times a second", () => {
    const terminal = new FakeTerminal();
    const { progress, said } = startRun(createStatusArea(terminal));
    vi.advanceTimersByTime(2000);
    expect(terminal.lines).toEqual([
      "░░░░░░░░░░░░░░░░░░░░   2 %  200 of 10 000, 100/s, about 2 min left",
      "200 accepted",
    ]);
    const before = terminal.writes.length;
    vi.advanceTimersByTime(48_000);
    expect(terminal.lines).toEqual([
      "██████████░░░░░░░░░░  50 %  5 000 of 10 000, 100/s, about 50 s left",
      "5 000 accepted",
    ]);
    expect(terminal.writes.length - before).toBeLessThanOrEqual(480);
    expect(said).toEqual([]);
    progress.end();
  });

  test("follows the width of the window", () => {
    const terminal = new FakeTerminal();
    const { progress } = startRun(createStatusArea(terminal));
    vi.advanceTimersByTime(2000);
    terminal.resize(40);
    vi.advanceTimersByTime(200);
    expect(terminal.lines).toEqual([
      "░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   2 %",
      "220 of 10 000, 100/s, about 2 min left",
      "220 accepted",
    ]);
    progress.end();
  });

  test("says how fast it sends, whatever was skipped", () => {
    const terminal = new FakeTerminal();
    const { progress } = startRun(createStatusArea(terminal), { skipAtOnce: 8000 });
    vi.advanceTimersByTime(4000);
    expect(terminal.lines).toEqual([
      "████████████████░░░░  84 %  8 400 of 10 000, 100/s, about 20 s left",
      "400 accepted, 8 000 skipped",
    ]);
    progress.end();
  });

  test("leaves an empty screen, and does not come back", () => {
    const terminal = new FakeTerminal();
    const { progress } = startRun(createStatusArea(terminal));
    vi.advanceTimersByTime(3000);
    progress.end();
    progress.end();
    vi.advanceTimersByTime(3000);
    expect(terminal.lines).toEqual([""]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("in a log", () => {
  test("there is a line every five seconds", () => {
    const { progress, said } = startRun(absentStatusArea);
    vi.advanceTimersByTime(4900);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(6000);
    progress.end();
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual([
      "500 of 10 000 sent, 100/s, about 2 min left",
      "1 000 of 10 000 sent, 100/s, about 90 s left",
    ]);
  });
});
