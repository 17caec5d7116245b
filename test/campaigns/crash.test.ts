import { expect, onTestFinished, test, vi } from "vitest";
import { openCampaigns } from "../../src/campaigns/campaigns.ts";
import { openTurns } from "../../src/campaigns/turns.ts";
import { hasPostgres, openTestDatabase, startPostgres } from "../support/postgres.ts";
import { samplePair } from "../support/samples.ts";
import { samplePlan } from "../support/sample-plan.ts";
import { storeReaders } from "../support/stored-readers.ts";

const ours = samplePair("ours").publicKey;
const limit = { timeout: 30_000, interval: 100 };

test.skipIf(!hasPostgres)(
  "a database that crashes in mid-campaign forgets nothing that was recorded",
  async () => {
    const server = await startPostgres({ fsync: "on" });
    const { database } = await openTestDatabase({ server });
    await storeReaders(database, { count: 10 });
    const campaigns = await openCampaigns(database);
    const turns = await openTurns(database, { worker: "one", version: "1", maintenanceSeconds: 1 });
    onTestFinished(async () => {
      await campaigns[Symbol.asyncDispose]();
      await turns[Symbol.asyncDispose]();
    });
    await campaigns.create(samplePlan(), { id: "news", dueInMs: 0, leaseMs: 1000 });
    const [turn] = await turns.take(1, [ours]);
    if (turn === undefined) throw new Error("unreachable");
    const sent = { status: 201, refusedKey: undefined, madeWith: undefined };
    const outcomes = turn.recipients.map((recipient) => ({
      recipient,
      outcome: "accepted",
      cause: "ok",
      sent,
    }));
    expect(await turns.record(turn, outcomes.slice(0, 6))).toBe(true);
    await server.kill();
    await expect(turns.record(turn, outcomes.slice(6))).rejects.toMatchObject({ code: "store-unreachable" });
    await server.start();
    const again = await vi.waitUntil(async () => (await turns.take(1, [ours]))[0], limit);
    expect(again.recipients.map(({ seq }) => Number(seq))).toEqual([7, 8, 9, 10]);
    expect(await turns.record(again, outcomes.slice(6))).toBe(true);
    expect(await turns.finish(again, [])).toBe(true);
    expect(await campaigns.find("news")).toMatchObject({ state: "done", counts: { "accepted:ok": 10 } });
  },
);
