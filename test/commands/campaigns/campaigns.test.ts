/** `webpush campaigns` on a real database, with chunks that the test itself works off. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Outcome, TurnRecipient } from "../../../src/campaigns/campaign.ts";
import { openCampaigns, type Campaigns } from "../../../src/campaigns/campaigns.ts";
import { writeHold } from "../../../src/campaigns/pace.ts";
import { openTurns, type Turns } from "../../../src/campaigns/turns.ts";
import { run as steer } from "../../../src/commands/campaigns/steer.ts";
import { createPayload } from "../../../src/protocol/payload.ts";
import type { Database } from "../../../src/store/postgres/database.ts";
import { hasPostgres, openTestDatabase } from "../../support/postgres.ts";
import { linesOf, runMain, type CliRun, type MainOptions } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { samplePlan } from "../../support/sample-plan.ts";
import { storeReaders } from "../../support/stored-readers.ts";
import { testContext } from "../../support/test-context.ts";

const ours = samplePair("ours").publicKey;

const plan = samplePlan({
  message: {
    payload: createPayload({ title: "Three new articles" }),
    ttlSeconds: 86_400,
    urgency: "high",
    topic: undefined,
  },
});

interface Opened {
  readonly database: Database;
  readonly campaigns: Campaigns;
  readonly turns: Turns;
  readonly url: string;
  /** Runs `webpush campaigns …argv`. */
  readonly run: (argv: readonly string[], options?: MainOptions) => Promise<CliRun>;
}

async function open(readers = 2000): Promise<Opened> {
  const { url, database } = await openTestDatabase();
  await storeReaders(database, { count: readers });
  const campaigns = await openCampaigns(database);
  const turns = await openTurns(database, { worker: "here", version: "1" });
  onTestFinished(async () => {
    await campaigns[Symbol.asyncDispose]();
    await turns[Symbol.asyncDispose]();
  });
  const env = { WEBPUSH_STORE: url, NO_COLOR: "1" };
  return {
    database,
    campaigns,
    turns,
    url,
    run: (argv, options) => runMain(["campaigns", ...argv], { env, stdin: "", ...options }),
  };
}

function accepted(recipient: TurnRecipient): Outcome {
  const sent = { status: 201, refusedKey: undefined, madeWith: undefined };
  return { recipient, outcome: "accepted", cause: "ok", sent };
}

type Fate = Pick<Outcome, "outcome" | "cause">;

/** Takes one chunk and settles it: all accepted, but for the first where something else is said of it. */
async function workOff(
  turns: Turns,
  fateOfFirst: Fate = { outcome: "accepted", cause: "ok" },
): Promise<void> {
  const [turn] = await turns.take(1, [ours]);
  if (turn === undefined) throw new Error("there is no chunk to take");
  await turns.record(
    turn,
    turn.recipients.map((one, index) => ({ ...accepted(one), ...(index === 0 ? fateOfFirst : {}) })),
  );
  await turns.finish(turn, []);
}

describe.skipIf(!hasPostgres)("campaigns list", () => {
  test("shows the newest first: how far each is, when it begins, what it says", async () => {
    const { campaigns, turns, run } = await open();
    await campaigns.create(plan, { id: "older", dueInMs: 0 });
    await workOff(turns);
    await campaigns.create(
      { ...plan, message: { ...plan.message, payload: undefined } },
      { id: "newer", dueInMs: 7_200_000 },
    );
    expect(linesOf((await run(["list"], { tty: true, columns: 80 })).stdout)).toEqual([
      "campaign  state    done     of  begins    message",
      "newer     waiting   0 %  2 000  in 2 h    (empty push)",
      "older     running  50 %  2 000  just now  Three new articles",
    ]);
    expect(linesOf((await run([], { tty: true, columns: 40 })).stdout)[2]).toBe("older     running  50 %");
  });

  test("filters by state, and says when there are none", async () => {
    const { campaigns, run } = await open(1);
    expect((await run(["list"])).stderr).toBe("no campaigns yet; make one: webpush send --queue\n");
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    expect((await run(["list", "--state", "paused"])).stderr).toBe("no campaign is paused\n");
    await campaigns.pause("news");
    expect((await run(["list", "--state", "paused"])).stdout).toContain("news");
    expect(await run(["list", "--state", "pausd"])).toMatchObject({ exitCode: 2 });
  });

  test("needs a database", async () => {
    const { exitCode, stderr } = await runMain(["campaigns"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("this needs a database");
  });
});

describe.skipIf(!hasPostgres)("campaigns show", () => {
  test("tells who works on it, what is held and what went wrong, with advice", async () => {
    const { campaigns, turns, database, run } = await open();
    await campaigns.create({ ...plan, rate: 500 }, { id: "news", dueInMs: 0 });
    await workOff(turns, { outcome: "gone", cause: "fcm.gone" });
    const [turn] = await turns.take(1, [ours]);
    if (turn === undefined) throw new Error("unreachable");
    const [first, ...others] = turn.recipients.slice(0, 100);
    if (first === undefined) throw new Error("unreachable");
    const unknown = { recipient: first, outcome: "skipped", cause: "key.unknown", sent: undefined };
    await turns.record(turn, [unknown, ...others.map(accepted)]);
    const hold = { forMs: 300_000, cause: "http.429", reason: "slow\u001b[2J down" };
    await writeHold(database, { origin: "https://push.example.net", ...hold });
    const { stdout, stderr, exitCode } = await run(["show", "ne"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("progress   1 100 of 2 000, 55 %\n");
    expect(stdout).toContain(
      "message    Three new articles, 78 bytes, TTL 24 h, urgency high, at most 500/s\n",
    );
    expect(stdout).toContain("speed      0/s just now\n");
    expect(stdout).toContain("workers    1: here\n");
    expect(stdout).toContain("outcomes   1 098 accepted, 1 gone, 1 failed\n");
    expect(stdout).toContain("held       push.example.net for 5 min, http.429: slow\\u{1b}[2J down\n");
    expect(stdout).toMatch(/1 × .*fcm\.gone\n {4}do: /);
    expect(stdout).toContain("1 × made with a key you do not have, not sent key.unknown\n");
    expect(linesOf(stderr).at(-1)).toBe("follow it: webpush campaigns watch news");
  });

  test("fits a narrow terminal", async () => {
    const { campaigns, run } = await open(1);
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    const { stdout } = await run(["show", "news"], { tty: true, columns: 40 });
    expect(Math.max(...linesOf(stdout).map((line) => line.length))).toBeLessThanOrEqual(40);
  });

  test("says how to start a worker where none runs", async () => {
    const { campaigns, run } = await open(1);
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    expect((await run(["show", "news"])).stderr).toContain("webpush worker");
  });

  test("of one that does not exist, or of several, is refused", async () => {
    const { campaigns, run } = await open(1);
    for (const id of ["abc1", "abc2"]) await campaigns.create(plan, { id, dueInMs: 0 });
    expect((await run(["show", "news"])).stderr).toContain('no campaign is "news"');
    expect((await run(["show", "abc"])).stderr).toContain("abc is the beginning of 2 campaigns");
  });
});

describe.skipIf(!hasPostgres)("campaigns pause, resume and cancel", () => {
  test("change the state, and say how far it came and what to do next", async () => {
    const { campaigns, turns, run } = await open();
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    await workOff(turns);
    expect(linesOf((await run(["pause", "news"])).stderr)).toEqual([
      "paused news at 1 000 of 2 000, 50 %; what is in flight is finished",
      "go on: webpush campaigns resume news",
    ]);
    expect(await turns.take(1, [ours])).toEqual([]);
    expect((await run(["resume", "news"])).stderr).toContain("resumed news");
    await workOff(turns);
    expect(await campaigns.find("news")).toMatchObject({ state: "done" });
  });

  test("take several at once, and change none when one of them is over", async () => {
    const { campaigns, run } = await open(1);
    for (const id of ["one", "two", "three"]) await campaigns.create(plan, { id, dueInMs: 60_000 });
    const { stdout } = await run(["pause", "one", "two", "one", "--json"]);
    expect(linesOf(stdout).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { id: "one", state: "paused" },
      { id: "two", state: "paused" },
    ]);
    await campaigns.cancel("two");
    const { exitCode, stderr } = await run(["resume", "one", "two"]);
    expect({ exitCode, error: linesOf(stderr)[0] }).toEqual({
      exitCode: 2,
      error: "error: campaign two is over: cancelled",
    });
    expect(await campaigns.find("one")).toMatchObject({ state: "paused" });
  });

  test("cancel asks at a terminal, and changes nothing without a yes", async () => {
    const { campaigns, url } = await open(10);
    await campaigns.create(plan, { id: "news", dueInMs: 60_000 });
    const env = { WEBPUSH_STORE: url };
    const options = { action: "cancel", ids: ["news"], yes: false } as const;
    const asked = "cancel news? 10 would not be sent to";
    const refusing = await testContext({ env, answers: [{ asked, answer: false }] });
    await expect(steer(options, refusing)).rejects.toMatchObject({ code: "declined" });
    expect(await campaigns.find("news")).toMatchObject({ state: "running" });
    expect(await steer(options, await testContext({ env, answers: [{ asked, answer: true }] }))).toBe(0);
    expect(await campaigns.find("news")).toMatchObject({ state: "cancelled" });
  });

  test("cancel ends it for good, where nobody can be asked too", async () => {
    const { campaigns, turns, run } = await open(10);
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    expect((await run(["cancel", "news"])).exitCode).toBe(0);
    expect(await turns.take(1, [ours])).toEqual([]);
    expect(await campaigns.find("news")).toMatchObject({ state: "cancelled" });
  });
});

describe.skipIf(!hasPostgres)("campaigns watch", () => {
  test("follows it to its end, a line when it changes, and exits as send would", async () => {
    const { campaigns, turns, run } = await open();
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    const watching = run(["watch", "news"]);
    await workOff(turns, { outcome: "gone", cause: "fcm.gone" });
    await workOff(turns);
    const { stdout, stderr, exitCode } = await watching;
    expect(exitCode).toBe(0);
    expect(linesOf(stdout)[0]).toMatch(
      /^news (?:waits for a worker|running on 1 worker|done): .* of 2 000 sent/,
    );
    expect(linesOf(stdout).at(-1)).toBe("news done: 2 000 of 2 000 sent; 1 gone");
    expect(stderr).toContain("fcm.gone");
    expect(stderr).toContain("2000 in all: 1999 accepted, 1 gone\n");
    expect(linesOf(stderr).at(-1)).toMatch(/^campaign news is done after \d+ s$/);
  });

  test.each([
    [3, { outcome: "throttled", cause: "http.429" }],
    [3, { outcome: "rejected", cause: "http.400" }],
    [0, { outcome: "skipped", cause: "recipient.removed" }],
  ])("exits with %i when one of two is %j", async (exitCode, fate) => {
    const { campaigns, turns, run } = await open(2);
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    await workOff(turns, fate);
    expect(await run(["watch", "news"])).toMatchObject({ exitCode });
  });

  test("exits with 1 when it ends before everyone was sent to", async () => {
    const { campaigns, turns, run } = await open();
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    await workOff(turns);
    await campaigns.cancel("news");
    const { exitCode, stderr } = await run(["watch", "news"]);
    expect(exitCode).toBe(1);
    expect(linesOf(stderr).at(-1)).toMatch(
      /^campaign news is cancelled after \d+ s; 1 000 were not sent to$/,
    );
  });

  test("with --json prints a record whenever something has changed", async () => {
    const { campaigns, turns, run } = await open();
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    await workOff(turns);
    const watching = run(["watch", "news", "--json"]);
    await workOff(turns);
    const records = linesOf((await watching).stdout).map((line) => JSON.parse(line) as { accepted: number });
    expect(records.at(-1)).toMatchObject({ state: "done", accepted: 2000, counts: { "accepted:ok": 2000 } });
    expect(new Set(records.map((record) => JSON.stringify(record))).size).toBe(records.length);
  });

  test("stopped, leaves the campaign running and says so", async () => {
    const { campaigns, run } = await open(1);
    await campaigns.create(plan, { id: "news", dueInMs: 60_000 });
    const stop = new AbortController();
    stop.abort();
    const { exitCode, stdout, stderr } = await run(["watch", "news"], { signal: stop.signal });
    expect(exitCode).toBe(130);
    expect(stdout).toMatch(/^news begins in (?:60|59) s: 0 of 1 sent/);
    expect(stderr).toContain("campaign news goes on");
    expect(await campaigns.find("news")).toMatchObject({ state: "running" });
  });

  test("at a terminal redraws a bar in place, and clears it at the end", async () => {
    const { campaigns, turns, run } = await open(10);
    await campaigns.create(plan, { id: "news", dueInMs: 0 });
    const watching = run(["watch", "news"], { tty: true, columns: 80 });
    await workOff(turns);
    const { stdout, stderr } = await watching;
    expect(stdout).toBe("");
    expect(stderr).toMatch(/[█░]{20} +\d+ % {2}\d+ of 10/);
    expect(linesOf(stderr).at(-1)).toContain("campaign news is done");
  });
});
