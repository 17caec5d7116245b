import { describe, expect, test } from "vitest";
import type { ReadyRecipient } from "../../../src/commands/send/plan.ts";
import { Memory } from "../../../src/commands/send/remember.ts";
import { UserError } from "../../../src/base/errors.ts";
import { classifyResponse } from "../../../src/protocol/delivery.ts";
import type { ResultNote, SubscriptionRecord } from "../../../src/store/subscriptions.ts";
import { sampleEndpoint, samplePair, sampleSubscription } from "../../support/samples.ts";
import { testContext, testNow } from "../../support/test-context.ts";

/** A memory over a store that holds `mostAtOnce`; `notes` are its batches, as status codes. */
async function openMemory(mostAtOnce: number, note: () => Promise<void> = () => Promise.resolve()) {
  const context = await testContext();
  const notes: (number | undefined)[][] = [];
  const marked: string[] = [];
  const subscriptions = {
    ...context.subscriptions,
    mostAtOnce,
    note: async (batch: readonly ResultNote[]) => {
      notes.push(batch.map(({ result }) => result.status));
      await note();
      marked.push(...batch.flatMap(({ endpoint, gone }) => (gone === undefined ? [] : [endpoint])));
    },
  };
  const memory = new Memory({ ...context, subscriptions });
  let number = 0;
  const add = async (...statuses: readonly number[]): Promise<void> => {
    for (const status of statuses) await memory.add(answered(String(number++), status));
  };
  return { memory, add, notes, marked };
}

/** What became of the message to a stored one. */
function answered(id: string, status: number) {
  const subscription = sampleSubscription(id);
  const record: SubscriptionRecord = {
    id,
    name: undefined,
    tags: [],
    subscription,
    createdAt: 0,
    registeredAt: 0,
    lastResult: undefined,
    gone: undefined,
    wrongKey: undefined,
  };
  const recipient: ReadyRecipient = { id, name: undefined, subscription, record, pair: samplePair("ours") };
  const answer = { status, headers: {}, body: "" };
  return { recipient, delivery: classifyResponse(subscription.endpoint, answer, testNow) };
}

describe("what became of stored subscriptions", () => {
  test("goes into a file at the end, at once", async () => {
    const { memory, add, notes } = await openMemory(Number.POSITIVE_INFINITY);
    await add(201, 410, 201);
    expect(notes).toEqual([]);
    await memory.store({ prune: true });
    expect(notes).toEqual([[201, 410, 201]]);
  });

  test("goes into a database as it comes, and those called gone at the end", async () => {
    const { memory, add, notes, marked } = await openMemory(2);
    await add(201, 410, 201, 410, 201);
    expect(notes).toEqual([[201, 201]]);
    expect(await memory.store({ prune: true })).toMatchObject({ kept: 0, failure: undefined });
    expect(notes).toEqual([[201, 201], [410, 410], [201]]);
    expect(marked).toEqual(["1", "3"].map(sampleEndpoint));
  });

  test("is judged with those whom an earlier run of the broadcast sent to", async () => {
    const { memory, add, marked } = await openMemory(Number.POSITIVE_INFINITY);
    for (let one = 0; one < 30; one += 1) memory.accountFor({ subscription: sampleSubscription("before") });
    await add(...Array.from({ length: 25 }, () => 410));
    expect(await memory.store({ prune: true })).toMatchObject({ kept: 0 });
    expect(marked).toHaveLength(25);
  });

  test("is judged by all results of an origin, stored before or not", async () => {
    const { memory, add, marked } = await openMemory(2);
    await add(...Array.from({ length: 9 }, () => 201), ...Array.from({ length: 11 }, () => 410));
    const { kept, lines } = await memory.store({ prune: true });
    expect(kept).toBe(11);
    expect(lines).toEqual([expect.stringContaining("called 11 of 20 gone at once")]);
    expect(marked).toEqual([]);
  });

  test("that nobody was sent to is nothing to store", async () => {
    const { memory, notes } = await openMemory(2);
    expect(await memory.store({ prune: true })).toEqual({ lines: [], kept: 0, failure: undefined });
    expect(notes).toEqual([]);
  });

  test("is tried again with the next batch, and given up when a store stays away", async () => {
    const away = new UserError("store-unreachable", "the database does not answer");
    const { memory, add, notes } = await openMemory(1, () => Promise.reject(away));
    await add(201, 201, 201, 201, 201);
    expect(notes).toHaveLength(3);
    expect(await memory.store({ prune: true })).toMatchObject({ lines: [], failure: away });
  });

  test("is stored again when the store is back", async () => {
    let isAway = true;
    const { memory, add, notes } = await openMemory(1, () =>
      isAway
        ? Promise.reject(new UserError("store-unreachable", "the database does not answer"))
        : Promise.resolve(),
    );
    await add(201, 201);
    isAway = false;
    await add(201, 201, 201);
    expect(notes).toHaveLength(5);
    expect(await memory.store({ prune: true })).toMatchObject({ failure: { code: "store-unreachable" } });
  });
});
