import { describe, expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../../src/store/postgres/database.ts";
import { createPostgresSubscriptionStore } from "../../../src/store/postgres/subscription-store.ts";
import { selectNext } from "../../../src/store/postgres/subscription-sql.ts";
import type { Addition } from "../../../src/store/subscriptions.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { sampleSubscription } from "../../support/samples.ts";
import { describeSubscriptionStore } from "../subscription-store-contract.ts";

async function openTwice() {
  const { database, url } = await openTestDatabase();
  const second = openDatabase(url);
  onTestFinished(() => second[Symbol.asyncDispose]());
  const store = createPostgresSubscriptionStore(database);
  return { database, store, other: createPostgresSubscriptionStore(second) };
}

/** Readers with an endpoint each, and one key for all: making keys takes time. */
function crowd(count: number, labels: Partial<Addition> = {}): readonly Addition[] {
  const one = sampleSubscription("crowd");
  return Array.from({ length: count }, (_, index) => ({
    subscription: { ...one, endpoint: sampleSubscription(`reader-${index}`).endpoint },
    name: undefined,
    tags: [],
    ...labels,
  }));
}

const now = Date.parse("2026-11-02T08:00:00.000Z");

describe.skipIf(!hasPostgres)("in PostgreSQL", () => {
  describeSubscriptionStore("webpush.subscriptions", openTwice);

  test("many at once go in by COPY, and come back in their order, whole", async () => {
    const { store, other } = await openTwice();
    const additions = crowd(1_501, { tags: ["a\\b", 'say "hi"', "tab\there", "Zoë, 山"] });
    const added = await store.add(additions, now);
    expect(added.every(({ outcome }) => outcome === "added")).toBe(true);
    expect(await other.list()).toEqual(added.map(({ record }) => record));
  });

  test("a stream of the living goes on behind a batch of those gone", async () => {
    const { store } = await openTwice();
    const added = await store.add(crowd(1_001), now);
    const gone = { at: now, cause: "fcm.gone" };
    const result = { at: now, outcome: "gone", cause: "fcm.gone", status: 410 };
    const first = added.slice(0, 1_000).map(({ record }) => record);
    await store.note(
      first.map(({ subscription: { endpoint }, registeredAt }) => ({
        endpoint,
        registeredAt,
        result,
        gone,
        wrongKey: undefined,
      })),
    );
    const living: string[] = [];
    for await (const { id } of store.stream({ living: true })) living.push(id);
    expect(living).toEqual([added.at(-1)?.record.id]);
  });

  test("a batch reads no more results than it has records, wherever it begins", async () => {
    const { database, store } = await openTwice();
    const added = await store.add(crowd(3_000), now);
    const result = { at: now, outcome: "accepted", cause: "ok", status: 201 };
    await store.note(
      added.map(({ record: { subscription, registeredAt } }) => ({
        endpoint: subscription.endpoint,
        registeredAt,
        result,
        gone: undefined,
        wrongKey: undefined,
      })),
    );
    const { text, values = [] } = selectNext("2000", 500, {});
    const plan = await database.query<Record<string, string>>({ text: `explain analyze ${text}`, values });
    const lines = plan.flatMap((row) => Object.values(row));
    const ofResults = lines.filter((line) => / on results\b/.test(line));
    expect(ofResults).toEqual([expect.stringMatching(/Index Scan .*rows=1(?:\.00)? loops=500\)/)]);
  });

  test("two that import the same at once store each once", async () => {
    const { store, other } = await openTwice();
    const additions = crowd(300);
    const outcomes = await Promise.all([store.add(additions, now), other.add([...additions].reverse(), now)]);
    const counted = outcomes.flat().map(({ outcome }) => outcome);
    expect(counted.filter((outcome) => outcome === "added")).toHaveLength(300);
    expect(counted.filter((outcome) => outcome === "unchanged")).toHaveLength(300);
    expect(await store.count()).toEqual({ total: 300, gone: 0 });
  });

  test("names may be swapped", async () => {
    const { store } = await openTwice();
    const [one, two] = ["one", "two"];
    const added = await store.add(
      [one, two].map((name) => ({ subscription: sampleSubscription(name), name, tags: [] })),
      now,
    );
    const swapped = await store.relabel(
      added.map(({ record }) => record.subscription.endpoint),
      ({ name, tags }) => ({ name: name === one ? two : one, tags }),
    );
    expect(swapped.map(({ name }) => name)).toEqual([two, one]);
  });

  test("what nobody could have subscribed is refused with its row", async () => {
    const { database, store } = await openTwice();
    await store.add(crowd(1), now);
    await database.change({ text: "update webpush.subscriptions set auth = '\\x00'" });
    await expect(store.list()).rejects.toMatchObject({
      code: "store-damaged",
      message: "row 1 of webpush.subscriptions: auth is 1 bytes, expected 16",
    });
  });

  test("an end beyond the year 9999, or between two milliseconds, is kept as far as it goes", async () => {
    const { store } = await openTwice();
    const times = [1e300, 12.7];
    const additions = times.map((expirationTime, index) => ({
      subscription: sampleSubscription(`reader-${index}`, { expirationTime }),
      name: undefined,
      tags: [],
    }));
    await store.add(additions, now);
    expect((await store.list()).map(({ subscription }) => subscription.expirationTime)).toEqual([
      Date.parse("9999-12-31T23:59:59.999Z"),
      12,
    ]);
    expect((await store.add(additions, now)).map(({ outcome }) => outcome)).toEqual([
      "unchanged",
      "unchanged",
    ]);
  });
});
