import { describe, expect, onTestFinished, test } from "vitest";
import { openCampaigns, type Campaigns } from "../../src/campaigns/campaigns.ts";
import { openTurns, type Turns } from "../../src/campaigns/turns.ts";
import type { Database } from "../../src/store/postgres/database.ts";
import type { SubscriptionRecord } from "../../src/store/subscriptions.ts";
import { hasPostgres, openTestDatabase } from "../support/postgres.ts";
import { samplePair, sampleSubscription } from "../support/samples.ts";
import { samplePlan } from "../support/sample-plan.ts";
import { registered, storeReaders } from "../support/stored-readers.ts";

const ours = samplePair("ours").publicKey;

const plan = samplePlan({
  message: { payload: Buffer.from("hello"), ttlSeconds: 600, urgency: undefined, topic: undefined },
});

interface Opened {
  readonly database: Database;
  readonly campaigns: Campaigns;
  readonly turns: Turns;
}

async function open(readers = 0): Promise<Opened> {
  const { database } = await openTestDatabase();
  if (readers > 0)
    await storeReaders(database, { count: readers, tags: (reader) => (reader % 10 === 0 ? ["tenth"] : []) });
  const campaigns = await openCampaigns(database);
  const turns = await openTurns(database, { worker: "here", version: "1" });
  onTestFinished(async () => {
    await campaigns[Symbol.asyncDispose]();
    await turns[Symbol.asyncDispose]();
  });
  return { database, campaigns, turns };
}

describe.skipIf(!hasPostgres)("making a campaign", () => {
  test("writes it with all it was made of, cut into chunks of a thousand", async () => {
    const { campaigns, database } = await open(2500);
    const made = await campaigns.create(
      { ...plan, rate: 500, encoding: "aesgcm", message: { ...plan.message, urgency: "high" } },
      { id: "news", dueInMs: 0 },
    );
    expect(made).toMatchObject({
      id: "news",
      state: "running",
      recipients: 2500,
      chunks: 3,
      chunksDone: 0,
      rate: 500,
      encoding: "aesgcm",
      publicKey: ours,
      message: { payload: Buffer.from("hello"), ttlSeconds: 600, urgency: "high", topic: undefined },
    });
    const chunks = await database.query({
      text: "select number, from_seq, to_seq, size, position from webpush.chunks order by number",
    });
    expect(chunks).toEqual([
      { number: 1, from_seq: "1", to_seq: "1000", size: 1000, position: "0" },
      { number: 2, from_seq: "1001", to_seq: "2000", size: 1000, position: "1000" },
      { number: 3, from_seq: "2001", to_seq: "2500", size: 500, position: "2000" },
    ]);
  });

  test("ends it when its TTL has passed since it was due, an hour at least", async () => {
    const { campaigns } = await open(1);
    const short = await campaigns.create(plan, { id: "short", dueInMs: 60_000 });
    const long = await campaigns.create(
      { ...plan, message: { ...plan.message, ttlSeconds: 86_400 } },
      { id: "long", dueInMs: 0 },
    );
    expect(short.dueAt - short.createdAt).toBe(60_000);
    expect(short.endsAt - short.dueAt).toBe(3_600_000);
    expect(long.endsAt - long.dueAt).toBe(86_400_000);
  });

  test("goes to whom it selects: those with a tag, and those named", async () => {
    const { campaigns, turns } = await open(100);
    await campaigns.create({ ...plan, selection: ["tag:tenth", "reader-7"] }, { id: "tagged", dueInMs: 0 });
    const [turn] = await turns.take(1, [ours]);
    expect(turn?.recipients.map(({ record }) => record.name)).toEqual(
      ["7", "10", "20", "30", "40", "50", "60", "70", "80", "90", "100"].map((number) => `reader-${number}`),
    );
  });

  test("leaves out those who are gone, unless they are named", async () => {
    const { campaigns, database } = await open(3);
    await database.change({
      text: `insert into webpush.results (seq, registered_at, at, outcome, cause, gone_at, gone_cause)
select seq, registered_at, now(), 'gone', 'fcm.gone', now(), 'fcm.gone' from webpush.subscriptions where seq < 3`,
    });
    expect(await campaigns.create(plan, { id: "all", dueInMs: 0 })).toMatchObject({ recipients: 1 });
    const named = { ...plan, selection: ["all", "reader-2"] };
    expect(await campaigns.create(named, { id: "named", dueInMs: 0 })).toMatchObject({ recipients: 2 });
  });

  test("for nobody is refused, and writes nothing", async () => {
    const { campaigns } = await open();
    await expect(campaigns.create(plan, { id: "nobody", dueInMs: 0 })).rejects.toMatchObject({
      code: "recipients-missing",
    });
    expect(await campaigns.list()).toEqual([]);
  });

  test("for somebody who is not stored is refused", async () => {
    const { campaigns } = await open(1);
    await expect(
      campaigns.create({ ...plan, selection: ["phone"] }, { id: "phone", dueInMs: 0 }),
    ).rejects.toMatchObject({ code: "subscription-unknown" });
  });

  test("for the recipients of a query keeps a copy of them", async () => {
    const { campaigns, turns } = await open();
    const record = (name: string): SubscriptionRecord => ({
      id: name,
      name,
      tags: [],
      subscription: sampleSubscription(`reader-${name.length}`, {
        applicationServerKey: ours,
        contentEncoding: "aesgcm",
      }),
      createdAt: registered,
      registeredAt: registered,
      lastResult: undefined,
      gone: undefined,
      wrongKey: undefined,
    });
    async function* recipients() {
      yield* [record("7"), record("tab\tand \\ back\nslash")];
      await Promise.resolve();
    }
    const made = await campaigns.create(plan, { id: "query", dueInMs: 0, recipients: recipients() });
    expect(made).toMatchObject({ recipients: 2, chunks: 1, source: "query" });
    const [turn] = await turns.take(1, [ours]);
    expect(turn?.recipients.map((one) => one.record)).toMatchObject([
      { name: "7", subscription: record("7").subscription, registeredAt: registered },
      { name: "tab\tand \\ back\nslash" },
    ]);
  });
});

describe.skipIf(!hasPostgres)("steering a campaign", () => {
  test("paused, nothing of it is taken; resumed, all of it is", async () => {
    const { campaigns, turns } = await open(1500);
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    expect(await campaigns.pause("news")).toMatchObject({ state: "paused" });
    expect(await turns.take(10, [ours])).toEqual([]);
    expect(await campaigns.resume("news")).toMatchObject({ state: "running" });
    expect((await turns.take(10, [ours])).map(({ chunk }) => chunk).sort()).toEqual([1, 2]);
  });

  test("cancelled, it is over for good", async () => {
    const { campaigns, turns } = await open(10);
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    expect(await campaigns.cancel("news")).toMatchObject({ state: "cancelled" });
    expect(await turns.take(10, [ours])).toEqual([]);
    await expect(campaigns.resume("news")).rejects.toMatchObject({ code: "campaign-ended" });
  });

  test("is by the beginning of its id too, unless several begin so", async () => {
    const { campaigns } = await open(1);
    await campaigns.create(plan, { id: "abc1", dueInMs: 0 });
    await campaigns.create(plan, { id: "abd2", dueInMs: 0 });
    expect(await campaigns.find("abc")).toMatchObject({ id: "abc1" });
    await expect(campaigns.find("ab")).rejects.toMatchObject({ code: "campaign-ambiguous" });
    await expect(campaigns.find("%")).rejects.toMatchObject({ code: "campaign-unknown" });
    await expect(campaigns.find("ab_1")).rejects.toMatchObject({ code: "campaign-unknown" });
  });

  test("the list is newest first, and by state", async () => {
    const { campaigns } = await open(1);
    for (const id of ["one", "two", "three"]) await campaigns.create(plan, { id, dueInMs: 0 });
    await campaigns.cancel("two");
    expect((await campaigns.list()).map(({ id }) => id)).toEqual(["three", "two", "one"]);
    expect((await campaigns.list({ state: "cancelled" })).map(({ id }) => id)).toEqual(["two"]);
    expect(await campaigns.list({ limit: 1 })).toHaveLength(1);
  });

  test("one whose time has passed is expired, and nothing of it is taken", async () => {
    const { campaigns, turns, database } = await open(10);
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    await database.change({ text: "update webpush.campaigns set ends_at = now()" });
    expect(await campaigns.find("news")).toMatchObject({ state: "expired", finishedAt: undefined });
    expect(await turns.take(10, [ours])).toEqual([]);
    await turns.tend();
    expect((await campaigns.find("news")).finishedAt).toBeDefined();
  });

  test("one for later is not taken before its time", async () => {
    const { campaigns, turns } = await open(10);
    await campaigns.create(plan, { id: "later", dueInMs: 3_600_000 });
    expect(await turns.take(10, [ours])).toEqual([]);
    await turns.tend();
    expect(await turns.take(10, [ours])).toEqual([]);
    expect(await turns.isIdle()).toBe(true);
  });
});
