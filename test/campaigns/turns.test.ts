import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Outcome, Turn, TurnRecipient } from "../../src/campaigns/campaign.ts";
import { openCampaigns, type Campaigns } from "../../src/campaigns/campaigns.ts";
import { openTurns, type Turns } from "../../src/campaigns/turns.ts";
import type { Database } from "../../src/store/postgres/database.ts";
import { hasPostgres, openTestDatabase } from "../support/postgres.ts";
import { samplePair } from "../support/samples.ts";
import { samplePlan } from "../support/sample-plan.ts";
import { storeReaders } from "../support/stored-readers.ts";

const ours = samplePair("ours").publicKey;

const plan = samplePlan();

interface Opened {
  readonly database: Database;
  readonly campaigns: Campaigns;
  /** Two workers. */
  readonly turns: Turns;
  readonly others: Turns;
}

async function open(readers: number, leaseMs = 60_000): Promise<Opened> {
  const { database } = await openTestDatabase();
  await storeReaders(database, { count: readers });
  const campaigns = await openCampaigns(database);
  const [turns, others] = await Promise.all(
    ["one", "two"].map((worker) => openTurns(database, { worker, version: "1", maintenanceSeconds: 1 })),
  );
  if (turns === undefined || others === undefined) throw new Error("unreachable");
  onTestFinished(async () => {
    for (const one of [campaigns, turns, others]) await one[Symbol.asyncDispose]();
  });
  await campaigns.create(plan, { id: "news", dueInMs: 0, leaseMs });
  return { database, campaigns, turns, others };
}

function accepted(recipient: TurnRecipient): Outcome {
  const sent = { status: 201, refusedKey: undefined, madeWith: undefined };
  return { recipient, outcome: "accepted", cause: "ok", sent };
}

function seqs({ recipients }: Turn): readonly number[] {
  return recipients.map(({ seq }) => Number(seq));
}

async function takeOne(turns: Turns): Promise<Turn> {
  const [turn] = await vi.waitUntil(
    async () => {
      const taken = await turns.take(1, [ours]);
      return taken.length > 0 && taken;
    },
    { timeout: 30_000, interval: 100 },
  );
  if (turn === undefined) throw new Error("unreachable");
  return turn;
}

describe.skipIf(!hasPostgres)("a turn", () => {
  test("is one worker's: two share the chunks of a campaign", async () => {
    const { turns, others } = await open(3000);
    const taken = (await Promise.all([turns.take(2, [ours]), others.take(2, [ours])])).flat();
    expect(taken.map(({ chunk }) => chunk).sort()).toEqual([1, 2, 3]);
    expect(taken.every(({ number, leaseMs }) => number === 1 && leaseMs === 60_000)).toBe(true);
  });

  test("is not for a worker without the campaign's key", async () => {
    const { turns } = await open(10);
    expect(await turns.take(1, [samplePair("other").publicKey])).toEqual([]);
  });

  test("recorded in any order, goes on with those who are left", async () => {
    const { turns, others } = await open(10);
    const turn = await takeOne(turns);
    const [first, second, third, ...rest] = turn.recipients;
    if (first === undefined || second === undefined || third === undefined) throw new Error("unreachable");
    expect(await turns.record(turn, [accepted(first), accepted(third)])).toBe(true);
    await turns.giveBack(turn, 0, []);
    const again = await takeOne(others);
    expect(again).toMatchObject({ chunk: 1, number: 2 });
    expect(again.recipients).toEqual([second, ...rest]);
  });

  test("finished, counts add up and the campaign is done", async () => {
    const { turns, campaigns } = await open(1500);
    for (const turn of await turns.take(2, [ours])) {
      const [last, ...others] = turn.recipients.toReversed();
      await turns.record(turn, others.map(accepted));
      const { outcome, cause, sent } = {
        outcome: "gone",
        cause: "fcm.gone",
        sent: { ...accepted(turn.recipients[0] as TurnRecipient).sent, status: 410 } as Outcome["sent"],
      };
      await turns.record(turn, last === undefined ? [] : [{ recipient: last, outcome, cause, sent }]);
      expect(await turns.finish(turn, last === undefined ? [] : [{ recipient: last, cause }])).toBe(true);
    }
    const done = await campaigns.find("news");
    expect(done).toMatchObject({
      state: "done",
      chunksDone: 2,
      counts: { "accepted:ok": 1498, "gone:fcm.gone": 2 },
    });
    expect(done.finishedAt).toBeGreaterThanOrEqual(done.createdAt);
  });

  test("counts what is settled while chunks are open, and names who is at work", async () => {
    const { turns, campaigns } = await open(10);
    const turn = await takeOne(turns);
    await turns.record(turn, turn.recipients.slice(0, 4).map(accepted));
    expect(await campaigns.find("news")).toMatchObject({ counts: { "accepted:ok": 4 }, workers: ["one"] });
    await turns.giveBack(turn, 0, []);
    expect(await campaigns.find("news")).toMatchObject({ counts: { "accepted:ok": 4 }, workers: [] });
  });

  test("counts those who were removed meanwhile", async () => {
    const { turns, campaigns, database } = await open(10);
    await database.change({ text: "delete from webpush.subscriptions where seq in (3, 4)" });
    const turn = await takeOne(turns);
    expect(seqs(turn)).toEqual([1, 2, 5, 6, 7, 8, 9, 10]);
    await turns.record(turn, turn.recipients.map(accepted));
    await turns.finish(turn, []);
    expect((await campaigns.find("news")).counts).toEqual({
      "accepted:ok": 8,
      "skipped:recipient.removed": 2,
    });
  });

  test("counts rows that cannot be read as malformed, and goes on without them", async () => {
    const { turns, campaigns, database } = await open(3);
    await database.change({ text: "update webpush.subscriptions set endpoint = 'nonsense' where seq = 2" });
    const turn = await takeOne(turns);
    expect(seqs(turn)).toEqual([1, 3]);
    await turns.record(turn, turn.recipients.map(accepted));
    await turns.finish(turn, []);
    expect(await campaigns.find("news")).toMatchObject({
      state: "done",
      counts: { "accepted:ok": 2, "skipped:input.malformed": 1 },
    });
  });

  test("of a worker that died goes to another after its lease, without what was recorded", async () => {
    const { turns, others } = await open(10, 1000);
    const turn = await takeOne(turns);
    await turns.record(turn, turn.recipients.slice(0, 6).map(accepted));
    const taken = await takeOne(others);
    expect(taken).toMatchObject({ chunk: 1, number: 2 });
    expect(seqs(taken)).toEqual([7, 8, 9, 10]);
    // It was not dead, only asleep: it can change nothing any more.
    expect(await turns.record(turn, turn.recipients.slice(6).map(accepted))).toBe(false);
    await turns.giveBack(turn, 0, []);
    expect(await others.record(taken, taken.recipients.map(accepted))).toBe(true);
    expect(await others.finish(taken, [])).toBe(true);
  });

  test("given back for later is not taken before", async () => {
    const { turns } = await open(10);
    await turns.giveBack(await takeOne(turns), 3_600_000, []);
    await turns.tend();
    expect(await turns.take(1, [ours])).toEqual([]);
  });

  test("whose job was lost is mended", async () => {
    const { turns, database } = await open(10);
    await database.change({ text: "delete from webpush_queue.job" });
    expect(await turns.take(1, [ours])).toEqual([]);
    await turns.tend();
    expect(await turns.take(1, [ours])).toHaveLength(1);
  });

  test("is one of a window: finishing one lets the next be taken", async () => {
    const { turns, database } = await open(3000);
    await database.change({ text: "update webpush.campaigns set chunks_fed = 1" });
    await database.change({ text: "delete from webpush_queue.job where data->>'chunk' <> '1'" });
    const [first, ...none] = await turns.take(10, [ours]);
    expect(none).toEqual([]);
    if (first === undefined) throw new Error("unreachable");
    await turns.record(first, first.recipients.map(accepted));
    await turns.finish(first, []);
    expect((await turns.take(10, [ours])).map(({ chunk }) => chunk)).toEqual([2]);
  });

  test("knows the state of its campaign", async () => {
    const { turns, campaigns } = await open(10);
    await takeOne(turns);
    expect(await turns.states(["news", "unknown"])).toEqual(new Map([["news", "running"]]));
    expect(await turns.isIdle()).toBe(false);
    await campaigns.pause("news");
    expect(await turns.states(["news"])).toEqual(new Map([["news", "paused"]]));
    expect(await turns.isIdle()).toBe(true);
  });
});

describe.skipIf(!hasPostgres)("what is remembered of recipients", () => {
  interface ResultRow {
    readonly outcome: string;
    readonly cause: string;
    readonly gone_cause: string | null;
    readonly wrong_key: Buffer | null;
  }
  const results = (database: Database): Promise<readonly ResultRow[]> =>
    database.query<ResultRow>({
      text: "select outcome, cause, gone_cause, wrong_key from webpush.results order by seq",
    });

  test("is the last result, and the mark of a refused key until one is accepted", async () => {
    const { turns, database, campaigns } = await open(1);
    const refused = samplePair("refused").publicKey;
    const turn = await takeOne(turns);
    const [recipient] = turn.recipients;
    if (recipient === undefined) throw new Error("unreachable");
    const wrong = { status: 403, refusedKey: refused, madeWith: undefined };
    await turns.record(turn, [{ recipient, outcome: "wrong-key", cause: "fcm.key-mismatch", sent: wrong }]);
    await turns.finish(turn, []);
    expect(await results(database)).toMatchObject([
      { outcome: "wrong-key", wrong_key: expect.any(Buffer) as Buffer },
    ]);
    await campaigns.create(plan, { id: "again", dueInMs: 0 });
    const next = await takeOne(turns);
    expect(next.recipients[0]?.record).toMatchObject({
      wrongKey: { publicKey: refused, cause: "fcm.key-mismatch" },
    });
    const madeWith = samplePair("own").publicKey;
    await turns.record(next, [
      { recipient, outcome: "accepted", cause: "ok", sent: { status: 201, refusedKey: undefined, madeWith } },
    ]);
    await turns.finish(next, []);
    expect(await results(database)).toMatchObject([{ outcome: "accepted", wrong_key: null }]);
    await campaigns.create(plan, { id: "third", dueInMs: 0 });
    const third = await takeOne(turns);
    expect(third.recipients[0]?.record.subscription.applicationServerKey).toBe(madeWith);
  });

  test("marks those gone who are to be marked, and no others", async () => {
    const { turns, database } = await open(2);
    const turn = await takeOne(turns);
    const sent = { status: 410, refusedKey: undefined, madeWith: undefined };
    await turns.record(
      turn,
      turn.recipients.map((recipient) => ({ recipient, outcome: "gone", cause: "fcm.gone", sent })),
    );
    await turns.finish(
      turn,
      turn.recipients.slice(1).map((recipient) => ({ recipient, cause: "fcm.gone" })),
    );
    expect(await results(database)).toMatchObject([{ gone_cause: null }, { gone_cause: "fcm.gone" }]);
  });

  test("is nothing for a registration that was renewed since", async () => {
    const { turns, database } = await open(1);
    const turn = await takeOne(turns);
    await database.change({ text: "update webpush.subscriptions set registered_at = now()" });
    await turns.record(turn, turn.recipients.map(accepted));
    expect(await results(database)).toEqual([]);
    expect(await turns.finish(turn, [])).toBe(true);
  });

  test("is nothing where nothing was sent", async () => {
    const { turns, database, campaigns } = await open(1);
    const turn = await takeOne(turns);
    await turns.record(
      turn,
      turn.recipients.map((recipient) => ({
        recipient,
        outcome: "skipped",
        cause: "key.unknown",
        sent: undefined,
      })),
    );
    expect(await turns.finish(turn, [])).toBe(true);
    expect(await results(database)).toEqual([]);
    expect(await campaigns.find("news")).toMatchObject({ counts: { "skipped:key.unknown": 1 } });
  });
});
