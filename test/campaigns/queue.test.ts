import { describe, expect, onTestFinished, test, vi } from "vitest";
import { installQueue, openQueue, type ChunkQueue, type QueueOptions } from "../../src/campaigns/queue.ts";
import type { Database } from "../../src/store/postgres/database.ts";
import { hasPostgres, openTestDatabase } from "../support/postgres.ts";

const now = { afterMs: 0, leaseMs: 60_000 };

async function open(database: Database, options: QueueOptions = { maintains: false }): Promise<ChunkQueue> {
  const queue = await openQueue(database, options);
  onTestFinished(() => queue[Symbol.asyncDispose]());
  return queue;
}

async function openInstalled(): Promise<{ database: Database; queue: ChunkQueue }> {
  const { database } = await openTestDatabase({ migrated: false });
  await installQueue(database);
  return { database, queue: await open(database) };
}

describe.skipIf(!hasPostgres)("the queue of chunks", () => {
  test("is missed where nobody installed it", async () => {
    const { database } = await openTestDatabase({ migrated: false });
    await expect(open(database)).rejects.toMatchObject({ code: "store-not-migrated" });
  });

  test("can be installed again", async () => {
    const { database, queue } = await openInstalled();
    await queue.add(database, [{ campaign: "a", chunk: 1, ...now }]);
    await installQueue(database);
    expect(await queue.take(10)).toMatchObject([{ campaign: "a", chunk: 1, leaseMs: 60_000 }]);
  });

  test("gives each chunk to one taker, oldest first", async () => {
    const { database, queue } = await openInstalled();
    await queue.add(
      database,
      [1, 2, 3].map((chunk) => ({ campaign: "a", chunk, ...now })),
    );
    const other = await open(database);
    const [first, second] = await Promise.all([queue.take(2), other.take(2)]);
    expect([...first, ...second].map(({ chunk }) => chunk).sort()).toEqual([1, 2, 3]);
  });

  test("keeps one waiting job for each chunk", async () => {
    const { database, queue } = await openInstalled();
    await queue.add(database, [{ campaign: "a", chunk: 1, ...now }]);
    await queue.add(database, [{ campaign: "a", chunk: 1, ...now }]);
    expect(await queue.take(10)).toHaveLength(1);
  });

  test("holds back what is not due", async () => {
    const { database, queue } = await openInstalled();
    await queue.add(database, [{ campaign: "a", chunk: 1, afterMs: 3_600_000, leaseMs: 60_000 }]);
    expect(await queue.take(10)).toEqual([]);
  });

  test("forgets what is added or ended by a transaction that fails", async () => {
    const { database, queue } = await openInstalled();
    await queue.add(database, [{ campaign: "a", chunk: 1, ...now }]);
    const [job] = await queue.take(1);
    const failing = database.transaction(async (transaction) => {
      await queue.end(transaction, [job?.id ?? ""]);
      await queue.add(transaction, [{ campaign: "a", chunk: 2, ...now }]);
      throw new Error("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    expect(await queue.take(10)).toEqual([]);
  });

  test("gives a job out again when its lease has passed", async () => {
    const { database, queue } = await openInstalled();
    await queue.add(database, [{ campaign: "a", chunk: 1, afterMs: 0, leaseMs: 1000 }]);
    const [taken] = await queue.take(1);
    const keeper = await open(database, { maintains: true, maintenanceSeconds: 1 });
    const again = await vi.waitUntil(async () => (await keeper.take(1))[0], {
      timeout: 30_000,
      interval: 100,
    });
    expect(again).toEqual(taken);
  });

  test("says when the database fails, rather than that there is nothing to do", async () => {
    const { database, queue } = await openInstalled();
    await database.script("drop schema webpush_queue cascade");
    await expect(queue.take(1)).rejects.toMatchObject({ code: "store-not-migrated" });
  });
});
