/** The guards of PROTOCOL.md §4.8 against forgetting living subscriptions. */
import { describe, expect, test } from "vitest";
import { judgeGone, type GoneReport } from "../../src/store/prune.ts";
import { sampleSubscription } from "../support/samples.ts";

const now = Date.parse("2026-11-02T12:00:00.000Z");
const minute = 60_000;
const origin = "https://push.example.net";

function report(who: string, ageMs: number, over: Partial<GoneReport> = {}): GoneReport {
  const registeredAt = now - ageMs;
  const subscription = sampleSubscription("alice");
  const record = {
    id: who,
    name: undefined,
    tags: [],
    subscription,
    lastResult: undefined,
    gone: undefined,
    wrongKey: undefined,
  };
  return {
    record: { ...record, createdAt: registeredAt, registeredAt },
    answered: true,
    isLocal: false,
    goneSince: undefined,
    origin,
    ...over,
  };
}

function judge(reports: readonly GoneReport[], results = reports.length) {
  const { gone, spared, doubtful } = judgeGone(reports, new Map([[origin, results]]), now);
  return { gone: gone.map(({ id }) => id), spared: spared.map(({ id }) => id), doubtful };
}

test("one that a service calls gone is to be marked", () => {
  expect(judge([report("old", 60 * minute)])).toEqual({ gone: ["old"], spared: [], doubtful: [] });
});

test("one that was registered within the last minute is spared: FCM calls brand-new ones gone", () => {
  expect(judge([report("young", minute - 1), report("older", minute)])).toEqual({
    gone: ["older"],
    spared: ["young"],
    doubtful: [],
  });
});

test("one that was registered again after the time Apple gives is spared", () => {
  const reports = [
    report("renewed", 60 * minute, { goneSince: now - 61 * minute }),
    report("left", 60 * minute, { goneSince: now - 59 * minute }),
  ];
  expect(judge(reports)).toEqual({ gone: ["left"], spared: ["renewed"], doubtful: [] });
});

test("one whose address alone says so needs no guard, however young", () => {
  expect(judge([report("emulated", 0, { isLocal: true })]).gone).toEqual(["emulated"]);
  expect(judge([report("dead-host", 0, { answered: false })]).gone).toEqual(["dead-host"]);
});

describe("a service that calls more than half of twenty or more gone", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => report(`s${index}`, 60 * minute));

  test("is doubted, and nothing is marked", () => {
    expect(judge(many(11), 20)).toEqual({ gone: [], spared: [], doubtful: [{ origin, gone: 11, of: 20 }] });
  });

  test.each([
    ["half of twenty", 10, 20],
    ["all of nineteen", 19, 19],
  ])("%s is believed", (_name, gone, results) => {
    expect(judge(many(gone), results)).toMatchObject({ doubtful: [] });
    expect(judge(many(gone), results).gone).toHaveLength(gone);
  });

  test("is doubted alone: another service's word still counts", () => {
    const elsewhere = report("elsewhere", 60 * minute, { origin: "https://other.example.net" });
    expect(judge([...many(20), elsewhere]).gone).toEqual(["elsewhere"]);
  });
});
