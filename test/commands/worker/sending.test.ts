import { describe, expect, test, vi } from "vitest";
import { hasPostgres } from "../../support/postgres.ts";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { runMain } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { limit, openStage, ours, startWorker, timesOf } from "./workers.ts";

const older = samplePair("older");

interface ResultRow {
  readonly outcome: string;
  readonly count: number;
}

const selectResults = {
  text: `select outcome, count(*)::int as count from webpush.results group by outcome order by outcome`,
};

describe.skipIf(!hasPostgres)("webpush worker", () => {
  test("sends a campaign to everybody once, remembers what became of each, and ends when nothing is left", async () => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 2500 });
    const { ended, events } = await startWorker(stage.url, { untilIdle: true });
    expect(await ended).toBe(0);
    expect(timesOf(service)).toEqual({ readers: 2500, twice: 0 });
    expect(await stage.progress()).toMatchObject({ state: "done", counts: { "accepted:ok": 2500 } });
    expect(await stage.database.query<ResultRow>(selectResults)).toEqual([
      { outcome: "accepted", count: 2500 },
    ]);
    expect(events().map(({ type }) => type)).toEqual([
      "worker.started",
      ...Array.from({ length: 2 }, () => "chunk.taken"),
      ...Array.from({ length: 4 }, () => expect.stringMatching(/^chunk\.(?:taken|finished)$/) as string),
      "worker.stopped",
    ]);
    expect(events().at(-1)).toMatchObject({ counts: { "accepted:ok": 2500 } });
  });

  test("shares a campaign with another worker, and the counts add up", async () => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 4000 });
    const workers = await Promise.all(
      ["one", "two"].map((name) => startWorker(stage.url, { name, untilIdle: true, chunks: 1 })),
    );
    for (const { ended } of workers) expect(await ended).toBe(0);
    const shares = workers.map(({ events }) => {
      const { counts } = events().at(-1) as { counts?: Readonly<Record<string, number>> };
      return counts?.["accepted:ok"] ?? 0;
    });
    expect(Math.min(...shares)).toBeGreaterThan(0);
    expect(shares.reduce((sum, share) => sum + share)).toBe(4000);
    expect(timesOf(service)).toEqual({ readers: 4000, twice: 0 });
    expect((await stage.progress()).counts).toEqual({ "accepted:ok": 4000 });
  });

  test("marks those who are gone, and leaves them out of the next campaign", async () => {
    await using service = await AcceptingPushService.start(({ path }) => ({
      status: path === "/reader-3" ? 410 : 201,
    }));
    const stage = await openStage({ service, count: 30 });
    await (
      await startWorker(stage.url, { untilIdle: true })
    ).ended;
    expect((await stage.progress()).counts).toEqual({ "accepted:ok": 29, "gone:http.410": 1 });
    const next = await stage.campaigns.create(stage.campaign, { id: "more", dueInMs: 0 });
    expect(next.recipients).toBe(29);
  });

  test("marks nobody gone when a service calls most of its subscriptions gone at once", async () => {
    await using service = await AcceptingPushService.start(() => ({ status: 410 }));
    const stage = await openStage({ service, count: 30 });
    await (
      await startWorker(stage.url, { untilIdle: true })
    ).ended;
    const next = await stage.campaigns.create(stage.campaign, { id: "more", dueInMs: 0 });
    expect(next.recipients).toBe(30);
  });

  test("does not send to those made with a key that it does not have", async () => {
    await using service = await AcceptingPushService.start();
    const over = { applicationServerKey: samplePair("foreign").publicKey };
    const stage = await openStage({ service, count: 3, over });
    await (
      await startWorker(stage.url, { untilIdle: true })
    ).ended;
    expect((await stage.progress()).counts).toEqual({ "skipped:key.unknown": 3 });
    expect(service.paths).toEqual([]);
  });

  test("finds out with which of its pairs a subscription was made, and stores that", async () => {
    await using service = await AcceptingPushService.start(({ headers }) =>
      headers.authorization?.includes(`k=${ours.publicKey}`) === true
        ? {}
        : { status: 403, body: "the VAPID credentials do not correspond to the subscription" },
    );
    const stage = await openStage({ service, count: 3, path: "/fcm/send/" });
    await (
      await startWorker(stage.url, { untilIdle: true, pairs: [older, ours] })
    ).ended;
    expect((await stage.progress()).counts).toEqual({ "accepted:ok": 3 });
    expect(service.paths).toHaveLength(6);
    expect(
      await stage.database.query({
        text: "select distinct encode(application_server_key, 'hex') as key from webpush.subscriptions",
      }),
    ).toEqual([{ key: Buffer.from(ours.publicKey, "base64url").toString("hex") }]);
  });

  test("leaves campaigns of other keys to other workers", async () => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 3, plan: { publicKey: older.publicKey } });
    const without = await startWorker(stage.url, { name: "without" });
    await vi.waitUntil(async () => {
      const [job] = await stage.database.query({
        text: "select from webpush_queue.job where start_after > now() + interval '1 s'",
      });
      return job !== undefined;
    }, limit);
    expect(await without.stop()).toBe(0);
    await (
      await startWorker(stage.url, { name: "with", untilIdle: true, pairs: [older, ours] })
    ).ended;
    expect(without.events().map(({ type }) => type)).not.toContain("chunk.taken");
    expect(await stage.progress()).toMatchObject({ state: "done" });
  });

  test("sends again what a service could not take, as often as the campaign says", async () => {
    await using service = await AcceptingPushService.start(({ times }) => ({
      status: times === 1 ? 503 : 201,
    }));
    const stage = await openStage({ service, count: 5, plan: { retries: 1 } });
    await (
      await startWorker(stage.url, { untilIdle: true })
    ).ended;
    expect(service.paths).toHaveLength(10);
    expect((await stage.progress()).counts).toEqual({ "accepted:ok": 5 });
  });
});

describe.skipIf(!hasPostgres)("two campaigns to the same subscriptions", () => {
  test("are sent at the same time by two workers, and neither waits for ever or loses anybody", async () => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 1200 });
    await stage.campaigns.create(stage.campaign, { id: "offer", dueInMs: 0 });
    const workers = await Promise.all([1, 2].map(() => startWorker(stage.url, { untilIdle: true })));
    for (const { ended } of workers) expect(await ended).toBe(0);
    expect(service.paths).toHaveLength(2400);
    for (const id of ["news", "offer"])
      expect(await stage.campaigns.find(id)).toMatchObject({
        state: "done",
        counts: { "accepted:ok": 1200 },
      });
    const lost = workers.flatMap(({ events }) => events().filter(({ type }) => type.endsWith(".lost")));
    expect(lost).toEqual([]);
  });
});

describe.skipIf(!hasPostgres)("a subscription that says it is on the worker's machine", () => {
  test("is a stranger's: nothing is posted there, and it counts as blocked", async () => {
    await using service = await AcceptingPushService.start();
    const { port } = new URL(service.endpoint("/"));
    const spellings = [
      "127.0.0.1",
      "127.9.9.9",
      "localhost",
      "LOCALHOST.",
      "news.localhost",
      "[::1]",
      "[::0001]",
    ];
    const disguised = [
      "127.1",
      "0x7f000001",
      "2130706433",
      "0177.0.0.1",
      "[::ffff:127.0.0.1]",
      "user@127.0.0.1",
    ];
    const hosts = [...spellings, ...disguised];
    const stage = await openStage({
      service,
      count: hosts.length,
      endpoint: (reader) => `http://${hosts[reader - 1] ?? ""}:${port}/reader-${reader}`,
    });
    expect(await (await startWorker(stage.url, { allowHost: [], untilIdle: true })).ended).toBe(0);
    expect(service.paths).toEqual([]);
    expect((await stage.progress()).counts).toEqual({
      "blocked:endpoint.blocked": spellings.length,
      "skipped:input.malformed": disguised.length,
    });
  });

  test("is sent to when the person running the worker named it", async () => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 3 });
    const { host } = new URL(service.endpoint("/"));
    expect(await (await startWorker(stage.url, { allowHost: [host], untilIdle: true })).ended).toBe(0);
    expect(timesOf(service)).toEqual({ readers: 3, twice: 0 });
  });
});

describe.skipIf(!hasPostgres)("webpush worker cannot begin", () => {
  test("without keys", async () => {
    await using service = await AcceptingPushService.start();
    const { url } = await openStage({ service, count: 1 });
    const { exitCode, stderr } = await runMain(["worker"], { env: { WEBPUSH_STORE: url } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("error: this worker has no VAPID keys to sign with");
  });

  test("where its health port is taken", async () => {
    await using service = await AcceptingPushService.start();
    const { url } = await openStage({ service, count: 1 });
    const port = new URL(service.endpoint("/")).port;
    const { ended } = await startWorker(url, { health: { host: "127.0.0.1", port: Number(port) } });
    await expect(ended).rejects.toMatchObject({ code: "health-port" });
  });
});

test("webpush worker without a database says what it needs", async () => {
  const { exitCode, stderr } = await runMain(["worker"]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^error: this needs a database.*\nhint: name one/);
});
