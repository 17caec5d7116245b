import { describe, expect, test, vi } from "vitest";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { hasPostgres, startPostgres } from "../../support/postgres.ts";
import { limit, openStage, startWorker, untilDone } from "./workers.ts";

const health = { host: "127.0.0.1", port: 0 };

describe.skipIf(!hasPostgres)("the health endpoint of a worker", () => {
  test("says that it lives and can work, and gives its figures", async () => {
    await using service = await AcceptingPushService.start(({ path }) => ({
      status: path === "/reader-1" ? 410 : 201,
    }));
    const stage = await openStage({ service, count: 40 });
    const worker = await startWorker(stage.url, { health });
    const origin = String((await worker.saw("worker.started"))["health"]);
    await untilDone(stage);
    await worker.saw("chunk.finished");
    for (const path of ["/livez", "/readyz"]) {
      const answer = await fetch(origin + path);
      expect([answer.status, await answer.text()]).toEqual([200, "ok\n"]);
    }
    const metrics = await fetch(`${origin}/metrics`);
    expect(metrics.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await metrics.text();
    for (const line of [
      'webpush_messages_total{outcome="accepted",cause="ok"} 39',
      'webpush_messages_total{outcome="gone",cause="http.410"} 1',
      'webpush_requests_total{outcome="accepted",cause="ok",service="other"} 39',
      'webpush_delivery_seconds_count{service="other"} 40',
      'webpush_chunks_total{event="finished"} 1',
      'webpush_chunks_total{event="lost"} 0',
      "webpush_in_flight 0",
      "webpush_turns 0",
      "webpush_database_errors_total 0",
    ])
      expect(text.split("\n")).toContain(line);
    expect(text).toMatch(/^webpush_last_record_timestamp_seconds [1-9]/m);
    expect(text).not.toContain("reader-");
    expect((await fetch(`${origin}/other`)).status).toBe(404);
    expect((await fetch(`${origin}/metrics`, { method: "POST" })).status).toBe(404);
  });

  test("says that the database is away, and the campaign goes on when it is back, without losing anybody", async () => {
    const server = await startPostgres({ fsync: "on" });
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 3000, server, leaseMs: 20_000 });
    const worker = await startWorker(stage.url, { health, chunks: 1, concurrency: 20 });
    const origin = String((await worker.saw("worker.started"))["health"]);
    await service.received(1200);
    await server.kill();
    expect(await worker.saw("database.lost")).toMatchObject({ reason: expect.any(String) as string });
    const away = await fetch(`${origin}/readyz`);
    expect([away.status, await away.text()]).toEqual([503, "the database is away\n"]);
    expect((await fetch(`${origin}/livez`)).status).toBe(200);
    await server.start();
    await worker.saw("database.back");
    const { counts } = await untilDone(stage);
    expect(counts).toEqual({ "accepted:ok": 3000 });
    const posted = new Set(service.paths);
    expect(posted.size).toBe(3000);
    // In flight, in the batch that was being written, and in the one that waited.
    expect(service.paths.length - posted.size).toBeLessThanOrEqual(20 + 2 * 100);
    await vi.waitUntil(async () => (await fetch(`${origin}/readyz`)).status === 200, limit);
  });
});
