import { describe, expect, test } from "vitest";
import type { CampaignProgress } from "../../../src/campaigns/campaign.ts";
import { exitCodeOfCampaign, settledIn } from "../../../src/commands/campaigns/outcomes.ts";

function campaign(
  counts: CampaignProgress["counts"],
  over: Partial<CampaignProgress> = {},
): CampaignProgress {
  const recipients = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return {
    recipients,
    counts,
    selection: ["all"],
    source: "subscriptions",
    prune: true,
    ...over,
  } as CampaignProgress;
}

test("counts are told as send tells them", () => {
  const counts = {
    "accepted:ok": 10,
    "gone:fcm.gone": 2,
    "throttled:http.429": 3,
    "skipped:key.unknown": 4,
    "skipped:input.malformed": 5,
    "skipped:recipient.removed": 6,
  };
  expect(settledIn(counts)).toEqual({ accepted: 10, gone: 2, failed: 7, skipped: 11 });
});

test("a cause that only a newer worker knows counts as a failure", () => {
  expect(settledIn({ "rejected:moon.phase": 2 })).toEqual({ accepted: 0, gone: 0, failed: 2, skipped: 0 });
});

describe("the exit code of a campaign that is over", () => {
  test.each([
    [0, { "accepted:ok": 9, "gone:fcm.gone": 1 }],
    [0, { "accepted:ok": 9, "skipped:recipient.removed": 1 }],
    [3, { "accepted:ok": 9, "throttled:http.429": 1 }],
    [4, { "skipped:key.unknown": 2 }],
    [5, { "gone:fcm.gone": 2 }],
    [6, { "throttled:http.429": 2 }],
  ] as const)("is %i for %j", (exitCode, counts) => {
    expect(exitCodeOfCampaign(campaign(counts))).toBe(exitCode);
  });

  test("counts those gone as failures where they were named, or are not marked", () => {
    const counts = { "accepted:ok": 1, "gone:fcm.gone": 1 };
    expect(exitCodeOfCampaign(campaign(counts, { selection: ["phone", "tablet"] }))).toBe(3);
    expect(exitCodeOfCampaign(campaign(counts, { prune: false }))).toBe(3);
    expect(exitCodeOfCampaign(campaign(counts, { selection: ["phone"], source: "query" }))).toBe(0);
  });

  test("is 1 when it ended before everyone was sent to", () => {
    expect(exitCodeOfCampaign(campaign({ "accepted:ok": 9 }, { recipients: 10 }))).toBe(1);
  });
});
