import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import {
  progressLines,
  progressText,
  type OriginState,
  type Settled,
  type Snapshot,
} from "../../../src/commands/send/progress.ts";
import { plainPaint, type Paint } from "../../../src/terminal/paint.ts";

const startedAtMs = Date.parse("2026-11-02T12:00:00.000Z");
const none: Settled = { accepted: 0, gone: 0, failed: 0, skipped: 0 };

/** A run of 20 seconds, for 100 000 unless said otherwise. */
function snapshotOf(over: Partial<Snapshot>): Snapshot {
  const nowMs = startedAtMs + 20_000;
  return { total: 100_000, settled: none, startedAtMs, nowMs, origins: [], ...over };
}

function originOf(host: string, over: Partial<OriginState> = {}): OriginState {
  return { host, inFlight: 0, waiting: 0, limit: 10, ...over };
}

const nowMs = startedAtMs + 20_000;
const fcm = originOf("fcm.googleapis.com", { inFlight: 64, limit: 64, waiting: 1200, protocol: "h2" });
const mozilla = originOf("updates.push.services.mozilla.com", {
  waiting: 800,
  pausedUntilMs: nowMs + 41_200,
});
const apple = originOf("web.push.apple.com", { inFlight: 3, protocol: "h2" });
const wns = originOf("wns2-par02p.notify.windows.com", { inFlight: 2, protocol: "http/1.1" });

const midway = snapshotOf({
  settled: { accepted: 47_900, gone: 210, failed: 120, skipped: 0 },
  origins: [fcm, mozilla, apple, wns],
});

function linesAt(columns: number, snapshot: Snapshot, rate?: number): readonly string[] {
  return progressLines(snapshot, rate, { columns, paint: plainPaint });
}

describe("at a terminal", () => {
  test("of 80 columns", () => {
    expect(linesAt(79, midway, 2483)).toEqual([
      "█████████░░░░░░░░░░░  48 %  48 230 of 100 000, 2 480/s, about 25 s left",
      "47 900 accepted, 210 gone, 120 failed",
      "fcm.googleapis.com                 64 of 64 in flight, 1 200 waiting, HTTP/2",
      "updates.push.services.mozilla.com  paused for 42 s, 800 waiting",
      "web.push.apple.com                 3 of 10 in flight, HTTP/2",
      "and 1 more",
    ]);
  });

  test("of 40 columns", () => {
    expect(linesAt(39, midway, 2483)).toEqual([
      "███████████████░░░░░░░░░░░░░░░░░░  48 %",
      "48 230 of 100 000, 2 480/s,",
      "about 25 s left",
      "47 900 accepted, 210 gone, 120 failed",
      "fcm.googleapis.com   64 of 64 in flight",
      "updates.push.servi…  paused for 42 s",
      "web.push.apple.com   3 of 10 in flight",
      "and 1 more",
    ]);
  });

  test("of a million, an hour from its end, in 80 columns", () => {
    const settled = { ...none, accepted: 512_000, skipped: 4000 };
    expect(linesAt(79, snapshotOf({ total: 1_000_000, settled }), 61.4)).toEqual([
      "██████████░░░░░░░░░░  51 %  516 000 of 1 000 000, 61/s, about 2 h 10 min left",
      "512 000 accepted, 4 000 skipped",
    ]);
  });

  test("a stream, whose end nobody knows", () => {
    expect(
      linesAt(79, snapshotOf({ total: undefined, settled: { ...none, accepted: 48_230 } }), 2483),
    ).toEqual(["48 230 sent in 20 s, 2 480/s", "48 230 accepted"]);
  });

  test("the colours say no more than the words", () => {
    const mark = (name: string) => (text: string) => `<${name}>${text}</>`;
    const paint = Object.fromEntries(
      ["bold", "dim", "good", "bad", "caution", "hint"].map((name) => [name, mark(name)]),
    ) as unknown as Paint;
    const [bar, outcomes, , paused] = progressLines(midway, 2483, { columns: 79, paint });
    expect(bar).toMatch(/^<good>█+<\/><dim>░+<\/> {2}48 % /);
    expect(outcomes).toBe("<good>47 900 accepted</>, <caution>210 gone</>, <bad>120 failed</>");
    expect(paused).toBe("updates.push.services.mozilla.com  <caution>paused for 42 s</>, 800 waiting");
  });

  test("no line is wider than there is room for", () => {
    const count = fc.nat({ max: 20_000_000 });
    const origin = fc.record({
      host: fc.oneof(fc.domain(), fc.string({ maxLength: 80 })),
      inFlight: fc.nat({ max: 500 }),
      waiting: count,
      limit: fc.integer({ min: 1, max: 500 }),
      pausedUntilMs: fc.option(fc.integer({ min: nowMs - 1000, max: nowMs + 86_400_000 }), {
        nil: undefined,
      }),
      protocol: fc.constantFrom("h2" as const, "http/1.1" as const, undefined),
    });
    const snapshot = fc.record({
      total: fc.option(count, { nil: undefined }),
      settled: fc.record({ accepted: count, gone: count, failed: count, skipped: count }),
      startedAtMs: fc.constant(startedAtMs),
      nowMs: fc.constant(nowMs),
      origins: fc.array(origin, { maxLength: 8 }),
    });
    const rate = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(snapshot, rate, fc.integer({ min: 39, max: 200 }), (state, speed, columns) => {
        const lines = linesAt(columns, state, speed);
        expect(lines.filter((line) => stringWidth(line) > columns)).toEqual([]);
        expect(lines.length).toBeLessThanOrEqual(10);
      }),
    );
  });
});

describe("the bar", () => {
  const barAt = (accepted: number, total: number): string =>
    linesAt(79, snapshotOf({ total, settled: { ...none, accepted } }))[0] ?? "";

  test("is full when all is done, and not before", () => {
    expect(barAt(0, 1000)).toBe("░░░░░░░░░░░░░░░░░░░░   0 %  0 of 1 000");
    expect(barAt(999, 1000)).toBe("███████████████████░  99 %  999 of 1 000");
    expect(barAt(1000, 1000)).toBe("████████████████████ 100 %  1 000 of 1 000");
  });

  test("of more than was promised, or of nothing, is full", () => {
    expect(barAt(1200, 1000)).toBe("████████████████████ 100 %  1 200 of 1 000");
    expect(barAt(0, 0)).toBe("████████████████████ 100 %  0 of 0");
  });
});

describe("the time that is left", () => {
  test.each([
    [50_000, "a few seconds left"],
    [2400, "about 25 s left"],
    [700, "about 75 s left"],
    [300, "about 3 min left"],
    [7, "about 2 h left"],
    [0.1, "about 6 days left"],
  ])("at %d a second: %s", (rate, text) => {
    const settled = { ...none, accepted: 48_230 };
    expect(linesAt(79, snapshotOf({ settled }), rate)[0]).toMatch(new RegExp(`, ${text}$`));
  });

  test("cannot be told while nothing moves, and need not when all is done", () => {
    expect(linesAt(79, snapshotOf({}), 0)[0]).toMatch(/ 0 of 100 000, 0\/s$/);
    expect(linesAt(79, snapshotOf({ settled: { ...none, accepted: 100_000 } }), 90)[0]).toMatch(/, 90\/s$/);
  });
});

describe("push services", () => {
  const hostsOf = (origins: readonly OriginState[]): readonly string[] =>
    linesAt(79, snapshotOf({ origins }))
      .slice(2)
      .map((line) => line.split("  ")[0] ?? "");

  test("that have nothing to do are left out, and a pause that is over is none", () => {
    expect(
      hostsOf([originOf("idle.example"), originOf("over.example", { pausedUntilMs: nowMs }), apple]),
    ).toEqual(["web.push.apple.com"]);
  });

  test("that are paused come before those that wait, and all keep their places", () => {
    const paused = originOf("paused.example", { pausedUntilMs: nowMs + 1 });
    const long = originOf("long.example", { waiting: 5000 });
    const busy = originOf("busy.example", { waiting: 50, inFlight: 10 });
    const calm = originOf("calm.example", { inFlight: 1 });
    expect(hostsOf([calm, busy, paused, long])).toEqual([
      "busy.example",
      "paused.example",
      "long.example",
      "and 1 more",
    ]);
  });

  test("with what is still in flight there when they paused", () => {
    const line = linesAt(79, snapshotOf({ origins: [{ ...mozilla, inFlight: 4 }] })).at(-1);
    expect(line).toBe("updates.push.services.mozilla.com  paused for 42 s, 800 waiting, 4 in flight");
  });

  test("cannot drive the terminal with their names", () => {
    const origins = [originOf("evil\u001b[2J.example", { inFlight: 1 })];
    expect(linesAt(79, snapshotOf({ origins })).at(-1)).toBe("evil\\u{1b}[2J.example  1 of 10 in flight");
  });
});

describe("in a log", () => {
  test("a line has all of it, and of the push services those that are paused", () => {
    expect(progressText(midway, 2483)).toBe(
      "48 230 of 100 000 sent, 2 480/s, about 25 s left; 210 gone, 120 failed; updates.push.services.mozilla.com paused for 42 s",
    );
  });

  test("what is as it should be is not said", () => {
    const settled = { ...none, accepted: 12_400 };
    expect(progressText(snapshotOf({ settled, origins: [fcm] }), 2483)).toBe(
      "12 400 of 100 000 sent, 2 480/s, about 40 s left",
    );
    expect(progressText(snapshotOf({ settled, total: undefined }), undefined)).toBe("12 400 sent in 20 s");
  });

  test("three pauses are named, and the others counted", () => {
    const origins = ["a", "b", "c", "d", "e"].map((host) =>
      originOf(host, { pausedUntilMs: nowMs + 60_000 }),
    );
    expect(progressText(snapshotOf({ origins }), 0)).toBe(
      "0 of 100 000 sent, 0/s; a paused for 60 s, b paused for 60 s, c paused for 60 s, 2 more paused",
    );
  });

  test("no name breaks the line", () => {
    const origins = [originOf("evil\nerror: forged", { pausedUntilMs: nowMs + 1000 })];
    expect(progressText(snapshotOf({ origins }), 0)).toContain("evil\\u{a}error: forged paused for 1 s");
  });
});
