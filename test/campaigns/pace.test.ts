import { describe, expect, test } from "vitest";
import { readHolds, reserve, writeHold, type RateLimit } from "../../src/campaigns/pace.ts";
import { hasPostgres, openTestDatabase } from "../support/postgres.ts";

const origin = "https://push.example.net";

describe.skipIf(!hasPostgres)("origins that are left alone", () => {
  test("are known to everybody, with the reason and for how long", async () => {
    const { database } = await openTestDatabase();
    await writeHold(database, { origin, forMs: 60_000, cause: "http.429", reason: "slow down" });
    const [hold, ...others] = await readHolds(database);
    expect(others).toEqual([]);
    expect(hold).toMatchObject({ origin, cause: "http.429", reason: "slow down" });
    expect(hold?.forMs).toBeGreaterThan(30_000);
    expect(hold?.forMs).toBeLessThanOrEqual(60_000);
  });

  test("are left alone for the longest that anybody learned", async () => {
    const { database } = await openTestDatabase();
    await writeHold(database, { origin, forMs: 60_000, cause: "http.429", reason: undefined });
    await writeHold(database, { origin, forMs: 1000, cause: "http.503", reason: undefined });
    expect(await readHolds(database)).toMatchObject([{ cause: "http.429" }]);
  });

  test("are no longer when the time has passed", async () => {
    const { database } = await openTestDatabase();
    await writeHold(database, { origin, forMs: 0, cause: "http.429", reason: undefined });
    expect(await readHolds(database)).toEqual([]);
  });
});

describe.skipIf(!hasPostgres)("rights to begin", () => {
  const campaign: RateLimit = { key: "campaign:news", perSecond: 10 };

  test("come at once first, and one after the other then", async () => {
    const { database } = await openTestDatabase();
    expect(await reserve(database, [campaign], 600)).toBe(0);
    const second = await reserve(database, [campaign], 600);
    expect(second).toBeGreaterThan(50_000);
    expect(second).toBeLessThanOrEqual(60_000);
    expect(await reserve(database, [campaign], 1)).toBeGreaterThan(110_000);
  });

  test("are given to many at once without giving any twice", async () => {
    const { database } = await openTestDatabase();
    const starts = await Promise.all(Array.from({ length: 8 }, () => reserve(database, [campaign], 600)));
    const minutes = starts.map((ms) => Math.round(ms / 60_000)).sort((a, b) => a - b);
    expect(minutes).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("with two limits wait for the slower one", async () => {
    const { database } = await openTestDatabase();
    const slow = { key: origin, perSecond: 1 };
    await reserve(database, [slow], 60);
    expect(await reserve(database, [campaign, slow], 1)).toBeGreaterThan(50_000);
    expect(await reserve(database, [], 1)).toBe(0);
  });
});
