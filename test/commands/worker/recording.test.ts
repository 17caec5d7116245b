import { describe, expect, test, vi } from "vitest";
import type { Outcome } from "../../../src/campaigns/campaign.ts";
import { Recording } from "../../../src/commands/worker/recording.ts";
import { createGate } from "../send/sending.ts";

function outcome(number: number): Outcome {
  return {
    recipient: { seq: BigInt(number) } as Outcome["recipient"],
    outcome: "accepted",
    cause: "ok",
    sent: undefined,
  };
}

const outcomes = (count: number): readonly Outcome[] =>
  Array.from({ length: count }, (_, index) => outcome(index));

describe("recording", () => {
  test("writes in batches, in order, and counts what was written", async () => {
    const batches: number[] = [];
    const seen: bigint[] = [];
    const recording = new Recording(
      (batch) => {
        batches.push(batch.length);
        seen.push(...batch.map(({ recipient }) => recipient.seq));
        return Promise.resolve(true);
      },
      () => undefined,
    );
    for (const one of outcomes(250)) await recording.add(one);
    expect(await recording.end()).toBe(true);
    expect(batches).toEqual([100, 100, 50]);
    expect(seen).toEqual(outcomes(250).map(({ recipient }) => recipient.seq));
    expect(recording.counts).toEqual({ "accepted:ok": 250 });
  });

  test("writes a few too, soon", async () => {
    const write = vi.fn(() => Promise.resolve(true));
    const recording = new Recording(write, () => undefined);
    await recording.add(outcome(1));
    await vi.waitUntil(() => write.mock.calls.length > 0, { timeout: 10_000 });
    expect(await recording.end()).toBe(true);
    expect(write).toHaveBeenCalledTimes(1);
  });

  test("lets nobody bring more than a batch while one is being written", async () => {
    const gate = createGate();
    const recording = new Recording(
      async () => {
        await gate.opened;
        return true;
      },
      () => undefined,
    );
    let brought = 0;
    const bringing = (async () => {
      for (const one of outcomes(500)) {
        await recording.add(one);
        brought += 1;
      }
    })();
    await new Promise((resolve) => setImmediate(resolve));
    expect(brought).toBe(199);
    gate.open();
    await bringing;
    expect(await recording.end()).toBe(true);
    expect(recording.counts).toEqual({ "accepted:ok": 500 });
  });

  test("says at once that the chunk is in other hands, and writes no more", async () => {
    const write = vi.fn(() => Promise.resolve(false));
    const onLost = vi.fn();
    const recording = new Recording(write, onLost);
    for (const one of outcomes(350)) await recording.add(one);
    expect(await recording.end()).toBe(false);
    expect(write).toHaveBeenCalledTimes(1);
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(recording.counts).toEqual({});
  });

  test("throws a bug of writing at the end", async () => {
    const recording = new Recording(
      () => Promise.reject(new TypeError("a bug")),
      () => undefined,
    );
    await recording.add(outcome(1));
    await expect(recording.end()).rejects.toThrow("a bug");
  });
});
