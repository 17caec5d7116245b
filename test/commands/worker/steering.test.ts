/** What happens to a worker under way: pauses, holds, rates, the end of its turn, being told to stop. */
import { describe, expect, test, vi } from "vitest";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { hasPostgres } from "../../support/postgres.ts";
import { createGate } from "../send/sending.ts";
import { limit, openStage, startWorker, timesOf, untilDone } from "./workers.ts";

describe.skipIf(!hasPostgres)("a campaign under way", () => {
  test("that is paused stops within seconds, and goes on with the others when it is resumed", async () => {
    const gate = createGate();
    await using service = await AcceptingPushService.start(async ({ path }) => {
      if (path !== "/reader-1") await gate.opened;
      return {};
    });
    const stage = await openStage({ service, count: 300 });
    const worker = await startWorker(stage.url, { concurrency: 20 });
    await service.received(1);
    await stage.campaigns.pause("news");
    await vi.waitUntil(async () => (await stage.progress()).state === "paused", limit);
    // Only what is in flight ends; a worker learns of the pause within its second.
    const returning = worker.saw("chunk.returned");
    setTimeout(gate.open, 1500);
    expect(await returning).toMatchObject({ why: "campaign", chunk: 1 });
    const { length: before } = service.paths;
    expect(before).toBeLessThan(300);
    await stage.campaigns.resume("news");
    expect((await untilDone(stage)).counts).toEqual({ "accepted:ok": 300 });
    expect(timesOf(service)).toEqual({ readers: 300, twice: 0 });
  });

  test("that is cancelled is sent to nobody else", async () => {
    const gate = createGate();
    await using service = await AcceptingPushService.start(async () => {
      await gate.opened;
      return {};
    });
    const stage = await openStage({ service, count: 300 });
    const worker = await startWorker(stage.url, { concurrency: 20 });
    await service.received(1);
    await stage.campaigns.cancel("news");
    const returning = worker.saw("chunk.returned");
    setTimeout(gate.open, 1500);
    const { counts } = await returning;
    expect(await stage.progress()).toMatchObject({ state: "cancelled", counts });
    expect(service.paths.length).toBeLessThan(300);
    expect(await worker.stop()).toBe(0);
    expect(timesOf(service).twice).toBe(0);
  });

  test("waits in the database for a service that wants to be left alone, also for other workers", async () => {
    await using service = await AcceptingPushService.start(() => ({
      status: 429,
      headers: { "retry-after": "3000" },
    }));
    const stage = await openStage({ service, count: 200, plan: { retries: 4 } });
    const one = await startWorker(stage.url, { name: "one", concurrency: 2 });
    const returned = await one.saw("chunk.returned");
    expect(returned).toMatchObject({ why: "held", left: 200 });
    expect(returned["afterMs"]).toBeGreaterThan(2_900_000);
    const asked = service.paths.length;
    expect(asked).toBeLessThan(20);
    const [hold] = (await stage.progress()).holds;
    expect(hold).toMatchObject({ cause: "http.429", origin: new URL(service.endpoint("/")).origin });
    await stage.campaigns.create(stage.campaign, { id: "other", dueInMs: 0 });
    const two = await startWorker(stage.url, { name: "two" });
    await Promise.any([
      one.saw("chunk.returned", { campaign: "other" }),
      two.saw("chunk.returned", { campaign: "other" }),
    ]);
    expect(service.paths).toHaveLength(asked);
  });

  test("begins no more messages in a second than it may, over all workers", async () => {
    const times: number[] = [];
    await using service = await AcceptingPushService.start(() => {
      times.push(performance.now());
      return {};
    });
    const stage = await openStage({ service, count: 2000, plan: { rate: 200 } });
    const workers = await Promise.all(
      ["one", "two"].map((name) => startWorker(stage.url, { name, chunks: 1, concurrency: 50 })),
    );
    await service.received(600);
    await Promise.all(workers.map((worker) => worker.stop()));
    expect(workers.every(({ events }) => events().some(({ type }) => type === "chunk.returned"))).toBe(true);
    const [first = 0, last = 0] = [times[0], times[599]];
    expect((last - first) / 1000).toBeGreaterThan((600 / 200) * 0.7);
  });

  test("goes on in another turn when its own is over", async () => {
    const gate = createGate();
    await using service = await AcceptingPushService.start(async ({ path }) => {
      if (path === "/reader-1") await gate.opened;
      return {};
    });
    const stage = await openStage({ service, count: 100, leaseMs: 4000, plan: { retries: 4 } });
    const worker = await startWorker(stage.url, { concurrency: 10 });
    await worker.saw("chunk.returned", { why: "time" });
    gate.open();
    // Who was given up in flight may have it, so only that one is sent to again.
    expect((await untilDone(stage)).counts).toEqual({ "accepted:ok": 100 });
    expect(timesOf(service)).toEqual({ readers: 100, twice: 1 });
  });

  test("is given back by a worker that is told to stop, and another goes on at once", async () => {
    const gate = createGate();
    await using service = await AcceptingPushService.start(async ({ path }) => {
      if (path === "/reader-1") await gate.opened;
      return {};
    });
    const stage = await openStage({ service, count: 500, leaseMs: 600_000 });
    const one = await startWorker(stage.url, { name: "one", concurrency: 10 });
    await service.received(100);
    const stopping = one.stop();
    await one.saw("worker.stopping");
    gate.open();
    expect(await stopping).toBe(0);
    const returned = await one.saw("chunk.returned");
    expect(returned).toMatchObject({ why: "stopped", afterMs: 0 });
    await (
      await startWorker(stage.url, { name: "two", untilIdle: true })
    ).ended;
    expect(timesOf(service)).toEqual({ readers: 500, twice: 0 });
    expect(await stage.progress()).toMatchObject({ state: "done", counts: { "accepted:ok": 500 } });
  });
});
