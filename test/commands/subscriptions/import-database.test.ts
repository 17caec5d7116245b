import { describe, expect, test } from "vitest";
import { run as importMany } from "../../../src/commands/subscriptions/import.ts";
import { createPostgresSubscriptionStore } from "../../../src/store/postgres/subscription-store.ts";
import type { Addition } from "../../../src/store/subscriptions.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { sampleJson, sampleSubscription } from "../../support/samples.ts";
import { testContext } from "../../support/test-context.ts";

const options = { file: "-", tag: [], dryRun: false };

/** A context whose subscriptions are in a database, and the sizes of the batches that came there. */
async function openImport(lines: readonly string[]) {
  const { database } = await openTestDatabase();
  const store = createPostgresSubscriptionStore(database);
  const batches: number[] = [];
  const add = (additions: readonly Addition[], now: number) => {
    batches.push(additions.length);
    return store.add(additions, now);
  };
  const context = await testContext({ stdin: lines.join("\n") });
  return { context: { ...context, subscriptions: { ...store, add } }, store, batches };
}

/** Lines of as many readers, with one key for all. */
function crowd(count: number): readonly string[] {
  const one = sampleJson("crowd");
  return Array.from({ length: count }, (_, index) =>
    JSON.stringify({ ...one, endpoint: `https://push.example.net/send/${index}` }),
  );
}

describe.skipIf(!hasPostgres)("subscriptions import into a database", () => {
  test("goes in batches, as the file is read", async () => {
    const { context, store, batches } = await openImport([...crowd(20_001), "nonsense"]);
    expect(await importMany(options, context)).toBe(3);
    expect(batches).toEqual([10_000, 10_000, 1]);
    expect(await store.count()).toEqual({ total: 20_001, gone: 0 });
    expect(context.stderr.at(-1)).toBe("20001 added, 0 updated, 0 unchanged, 1 refused");
  });

  test("refuses alone those whose name another has", async () => {
    const names = ["alice", "bob", "carol", "bob"];
    const lines = names.map((name, index) => JSON.stringify({ ...sampleJson(`reader-${index}`), name }));
    const { context, store } = await openImport(lines);
    const [first] = await store.add(
      [{ subscription: sampleSubscription("somebody"), name: "carol", tags: [] }],
      0,
    );
    expect(await importMany(options, context)).toBe(3);
    expect((await store.list()).map(({ name }) => name)).toEqual(["carol", "alice", "bob"]);
    expect(context.stderr.slice(0, 2)).toEqual([
      expect.stringContaining(`refused line 3: the name "carol" belongs to subscription ${first?.record.id}`),
      expect.stringContaining('refused line 4: the name "bob" belongs to'),
    ]);
  });

  test("--dry-run stores nothing", async () => {
    const { context, store, batches } = await openImport(crowd(3));
    expect(await importMany({ ...options, dryRun: true }, context)).toBe(0);
    expect([batches, await store.count()]).toEqual([[], { total: 0, gone: 0 }]);
  });

  test("stops between two batches, and keeps what was stored", async () => {
    const { context, store } = await openImport(crowd(20_000));
    const add = async (additions: readonly Addition[], now: number) => {
      const added = await store.add(additions, now);
      context.interrupts.stop();
      return added;
    };
    const stopping = { ...context, subscriptions: { ...store, add } };
    await expect(importMany(options, stopping)).rejects.toMatchObject({ code: "interrupted" });
    expect((await store.count()).total).toBe(10_000);
  });
});
