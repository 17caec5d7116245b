/** Workers as processes: killed, told to stop, and taken over from. */
import { describe, expect, test } from "vitest";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { hasPostgres, startPostgres } from "../../support/postgres.ts";
import { startCli } from "../send/sending.ts";
import { openStage, ours, timesOf, untilDone, type Stage } from "./workers.ts";

const concurrency = 20;
/** What may be sent twice when a worker dies: in flight, in the batch being written, and in the one that waits. */
const mostTwice = concurrency + 2 * 100;

function startWorkerProcess({ url }: Pick<Stage, "url">, ...flags: readonly string[]) {
  const env = {
    WEBPUSH_STORE: url,
    VAPID_PUBLIC_KEY: ours.publicKey,
    VAPID_PRIVATE_KEY: ours.privateKey.reveal(),
    VAPID_SUBJECT: "mailto:ops@harbour.shop",
  };
  return startCli(
    ["worker", "--allow-host", "127.0.0.1", "--chunks", "1", "--concurrency", String(concurrency), ...flags],
    { env },
  );
}

describe.skipIf(!hasPostgres)("a worker process", () => {
  test("killed in mid-campaign is taken over from after its lease: everybody at least once, few twice", async () => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 3000, leaseMs: 3000 });
    const killed = startWorkerProcess(stage);
    await service.received(1500);
    killed.child.kill("SIGKILL");
    expect((await killed.ended).exitCode).toBe(null);
    const { recipients, counts } = await stage.progress();
    expect(counts["accepted:ok"]).toBeLessThan(recipients);
    const next = startWorkerProcess(stage, "--until-idle");
    expect((await next.ended).exitCode).toBe(0);
    expect(await stage.progress()).toMatchObject({ state: "done", counts: { "accepted:ok": 3000 } });
    const { readers, twice } = timesOf(service);
    expect(readers).toBe(3000);
    expect(twice).toBeLessThanOrEqual(mostTwice);
  });

  test("told to stop gives its chunk back and ends with 0; the next one repeats nothing", async () => {
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 3000, leaseMs: 600_000 });
    const stopped = startWorkerProcess(stage);
    await service.received(1200);
    stopped.child.kill("SIGTERM");
    const { exitCode, stderr } = await stopped.ended;
    expect(exitCode).toBe(0);
    expect(stderr).toContain("given back");
    const next = startWorkerProcess(stage, "--until-idle");
    expect((await next.ended).exitCode).toBe(0);
    expect(timesOf(service)).toEqual({ readers: 3000, twice: 0 });
    expect((await stage.progress()).counts).toEqual({ "accepted:ok": 3000 });
  });

  test("of several, killed together with the database: all go on when it is back, and no chunk is stuck", async () => {
    const server = await startPostgres({ fsync: "on" });
    await using service = await AcceptingPushService.start();
    const stage = await openStage({ service, count: 4000, leaseMs: 5000, server });
    const one = startWorkerProcess(stage);
    const two = startWorkerProcess(stage);
    await service.received(1500);
    one.child.kill("SIGKILL");
    await server.kill();
    await two.said("the database is away");
    await server.start();
    await two.said("the database is back");
    expect((await untilDone(stage)).counts).toEqual({ "accepted:ok": 4000 });
    two.child.kill("SIGTERM");
    expect((await two.ended).exitCode).toBe(0);
    await one.ended;
    const { readers, twice } = timesOf(service);
    expect(readers).toBe(4000);
    expect(twice).toBeLessThanOrEqual(2 * mostTwice);
  });
});
