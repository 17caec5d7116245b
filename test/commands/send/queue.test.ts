/** `send --queue`: a campaign in a real database instead of messages on the wire. */
import { describe, expect, test } from "vitest";
import { openCampaigns } from "../../../src/campaigns/campaigns.ts";
import { openTurns } from "../../../src/campaigns/turns.ts";
import { keyBytes } from "../../../src/store/postgres/rows.ts";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { linesOf, runMain, type CliRun, type MainOptions } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { storeReaders } from "../../support/stored-readers.ts";
import { openProject, ourPair } from "./sending.ts";

interface Queueing {
  readonly options: MainOptions;
  readonly queue: (...argv: string[]) => Promise<CliRun>;
  readonly database: Awaited<ReturnType<typeof openTestDatabase>>["database"];
}

async function open(readers: number): Promise<Queueing> {
  const { url, database } = await openTestDatabase();
  if (readers > 0)
    await storeReaders(database, {
      count: readers,
      tags: (reader) => (reader <= 3 ? ["first"] : []),
      over: { applicationServerKey: ourPair.publicKey },
    });
  const cwd = await openProject();
  const options = { cwd, env: { WEBPUSH_STORE: url }, stdin: "" };
  return { database, options, queue: (...argv) => runMain(["send", "--queue", ...argv], options) };
}

async function campaignsOf({ database }: Queueing) {
  await using campaigns = await openCampaigns(database);
  return await campaigns.list();
}

describe.skipIf(!hasPostgres)("send --queue", () => {
  test("leaves the message to workers, and prints the id alone on stdout", async () => {
    const queueing = await open(1500);
    const { exitCode, stdout, stderr } = await queueing.queue("--ttl", "1h", "--urgency", "high", "Hello");
    expect(exitCode).toBe(0);
    const [campaign] = await campaignsOf(queueing);
    expect(campaign).toMatchObject({
      id: stdout.trim(),
      state: "running",
      source: "subscriptions",
      selection: ["all"],
      publicKey: ourPair.publicKey,
      recipients: 1500,
      chunks: 2,
      prune: true,
      message: { ttlSeconds: 3600, urgency: "high" },
    });
    expect(Buffer.from(campaign?.message.payload ?? []).toString()).toContain('"title":"Hello"');
    expect(linesOf(stderr)).toEqual([
      "queued for 1 500 subscriptions in 2 chunks; begins at once",
      "note: no worker was seen in the last minute; nothing is sent before one runs",
      "hint: start one, or several, on any machine: webpush worker",
      `follow it: webpush campaigns watch ${stdout.trim()}`,
    ]);
  });

  test("says nothing of workers where one runs", async () => {
    const queueing = await open(1);
    await using turns = await openTurns(queueing.database, { worker: "here", version: "1" });
    await turns.tend();
    const { stderr } = await queueing.queue("Hello");
    expect(stderr).not.toContain("no worker");
  });

  test("begins when --at says, by the database's clock", async () => {
    const queueing = await open(1);
    const { stderr } = await queueing.queue("--at", "+2h", "--rate", "50", "--no-prune", "Hello");
    const [campaign] = await campaignsOf(queueing);
    expect(campaign).toMatchObject({ rate: 50, prune: false });
    expect((campaign?.dueAt ?? 0) - (campaign?.createdAt ?? 0)).toBe(7_200_000);
    expect(stderr).toContain("begins in 2 h, ");
  });

  test("goes to those that --to names", async () => {
    const queueing = await open(10);
    await queueing.queue("--to", "tag:first", "--to", "reader-7", "Hello");
    expect(await campaignsOf(queueing)).toMatchObject([
      { selection: ["tag:first", "reader-7"], recipients: 4 },
    ]);
  });

  test("with --dry-run says how many it would go to, and writes nothing", async () => {
    const queueing = await open(1500);
    const { stdout, stderr, exitCode } = await queueing.queue("--dry-run", "Hello");
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 0 });
    expect(stderr).toBe("nothing was queued; it would go to 1 500 subscriptions in 2 chunks\n");
    expect(JSON.parse((await queueing.queue("--dry-run", "--json", "Hello")).stdout)).toMatchObject({
      recipients: 1500,
      chunks: 2,
    });
    expect(await campaignsOf(queueing)).toEqual([]);
  });

  test("of a query copies its recipients into the campaign", async () => {
    const queueing = await open(0);
    const { database } = queueing;
    await database.script(`create table readers (endpoint text, p256dh text, auth text);
insert into readers select 'https://push.example.net/' || n,
  'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4', 'BTBZMqHH6r4Tts7J_aSIgg'
from generate_series(1, 2100) as n`);
    const query = "select endpoint, p256dh, auth from readers";
    expect((await queueing.queue("--query", query, "--dry-run", "Hello")).stderr).toContain(
      "2 100 subscriptions",
    );
    expect(await queueing.queue("--query", query, "Hello")).toMatchObject({ exitCode: 0 });
    expect(await campaignsOf(queueing)).toMatchObject([{ source: "query", recipients: 2100, chunks: 3 }]);
  });

  test("of a query, stopped while it copies, writes nothing", async () => {
    const queueing = await open(10);
    const query = "select endpoint, p256dh, auth from webpush.subscriptions";
    const options = { ...queueing.options, signal: AbortSignal.abort() };
    const { exitCode, stdout, stderr } = await runMain(
      ["send", "--queue", "--query", query, "Hello"],
      options,
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: "" });
    expect(stderr).toContain("interrupted; nothing was queued");
    expect(await campaignsOf(queueing)).toEqual([]);
  });

  test("tells whom workers will leave out, and why", async () => {
    const queueing = await open(2);
    await queueing.database.change({
      text: "update webpush.subscriptions set application_server_key = $1 where seq = 1",
      values: [keyBytes(samplePair("other").publicKey)],
    });
    const { stderr, exitCode } = await queueing.queue("Hello");
    expect(exitCode).toBe(0);
    expect(stderr).toContain("note: 1 will be left out:");
    expect(stderr).toContain("made with a key you do not have");
  });

  test("refuses what cannot be sent as send does, and queues nothing", async () => {
    const queueing = await open(1);
    expect(await queueing.queue("--payload", "x".repeat(5000))).toMatchObject({ exitCode: 2 });
    expect((await queueing.queue("--to", "bob", "Hello")).stderr).toContain(
      'no stored subscription is "bob"',
    );
    expect(await campaignsOf(queueing)).toEqual([]);
  });

  test("to nobody is refused", async () => {
    const { queue } = await open(0);
    const { exitCode, stderr } = await queue("Hello");
    expect({ exitCode, error: linesOf(stderr)[0] }).toEqual({
      exitCode: 2,
      error: "error: there is nobody to send to",
    });
  });

  test.each([
    ["queue-flags", "--journal", "j"],
    ["queue-flags", "--curl"],
    ["queue-flags", "--no-retry-ambiguous"],
    ["queue-flags", "--vapid-pvtkey", "x"],
    ["queue-flags", "--timeout", "5s"],
    ["queue-flags", "--concurrency", "10"],
    ["queue-flags", "--patience", "1m"],
    ["queue-flags", "--proxy", "http://127.0.0.1:3128"],
    ["queue-flags", "--ca", "ca.pem"],
    ["queue-flags", "--allow-host", "push.example.net"],
    ["queue-flags", "--allow-private"],
    ["queue-recipients", "--subscription", "{}"],
    ["queue-recipients", "--endpoint", "https://push.example.net/1"],
    ["queue-recipients", "--to", "-"],
    ["queue-recipients", "--to", "readers.ndjson"],
    ["start-past", "--at", "2020-01-01T00:00Z"],
    ["start-time", "--at", "soon"],
  ])("answers %s to %s", async (code, ...flags) => {
    const { queue } = await open(0);
    const { stdout } = await queue(...flags, "--json", "Hello");
    expect(JSON.parse(stdout)).toMatchObject({ error: { code, exitCode: 2 } });
  });
});

test("--queue needs a database, and --at and --lease need --queue", async () => {
  const cwd = await openProject();
  for (const [code, ...flags] of [
    ["store-required", "--queue"],
    ["queue-flags", "--at", "+2h"],
    ["queue-flags", "--lease", "30s"],
  ]) {
    const { stdout } = await runMain(["send", ...flags, "--json", "Hello"], { cwd, stdin: "" });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code, exitCode: 2 } });
  }
});

describe.skipIf(!hasPostgres)("a queued message, sent by a worker", () => {
  test("comes to everyone, and watch exits as send would", async () => {
    await using service = await AcceptingPushService.start();
    const queueing = await open(0);
    const { database, options } = queueing;
    await storeReaders(database, {
      count: 1200,
      endpoint: (reader) => service.endpoint(`/${reader}`),
      over: { applicationServerKey: ourPair.publicKey },
    });
    const id = (await queueing.queue("Hello")).stdout.trim();
    const watching = runMain(["campaigns", "watch", id, "--json"], options);
    expect(await runMain(["worker", "--allow-host", "127.0.0.1", "--until-idle"], options)).toMatchObject({
      exitCode: 0,
    });
    const watched = await watching;
    expect(watched.exitCode).toBe(0);
    expect(JSON.parse(linesOf(watched.stdout).at(-1) ?? "")).toMatchObject({ state: "done", accepted: 1200 });
    expect(new Set(service.paths).size).toBe(1200);
  });
});
