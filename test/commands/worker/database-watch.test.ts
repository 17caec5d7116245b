import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/base/errors.ts";
import { DatabaseWatch } from "../../../src/commands/worker/database-watch.ts";
import type { WorkerEvent } from "../../../src/commands/worker/events.ts";

const away = (): Promise<string> => Promise.reject(new UserError("store-unreachable", "it is away"));

function open() {
  const events: WorkerEvent[] = [];
  let time = 0;
  const watch = new DatabaseWatch({ tell: (event) => void events.push(event), now: () => time });
  return { watch, events, pass: (ms: number) => void (time += ms) };
}

describe("a database that is away", () => {
  test("is told of once, and once that it is back, with how long it took", async () => {
    const { watch, events, pass } = open();
    expect(await watch.try(away)).toBeUndefined();
    expect(await watch.try(away)).toBeUndefined();
    expect(watch.isReachable).toBe(false);
    pass(3000);
    expect(await watch.try(() => Promise.resolve("here"))).toBe("here");
    expect(watch.isReachable).toBe(true);
    expect(watch.failures).toBe(2);
    expect(events).toEqual([
      { type: "database.lost", reason: "it is away" },
      { type: "database.back", awayMs: 3000 },
    ]);
  });

  test("is asked again until it answers", async () => {
    const { watch } = open();
    let asked = 0;
    const answer = await watch.insist(() => ((asked += 1) < 3 ? away() : Promise.resolve("here")), 1000);
    expect([answer, asked]).toEqual(["here", 3]);
  });

  test("is given up on when it is too late to matter", async () => {
    const { watch, pass } = open();
    pass(1000);
    expect(await watch.insist(away, 1000)).toBeUndefined();
  });
});

test("a bug is no failure of the database", async () => {
  const { watch, events } = open();
  await expect(watch.try(() => Promise.reject(new TypeError("a bug")))).rejects.toThrow("a bug");
  expect(events).toEqual([]);
});
