/** `webpush doctor --ask`: at a scripted prompt, where nobody answers, and once at a real terminal. */
import { describe, expect, test } from "vitest";
import { ask, isWorthAsking, recordsOf } from "../../../src/commands/doctor/ask.ts";
import { hasPseudoTerminals, startAtTerminal } from "../../support/pseudo-terminal.ts";
import { runMain } from "../../support/run-cli.ts";
import { sampleJson, sampleSubscription } from "../../support/samples.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { testContext } from "../../support/test-context.ts";
import { readersOf } from "../../../src/store/readers.ts";
import type { SubscriptionRecord } from "../../../src/store/subscriptions.ts";

function record(outcome: string | undefined, endpoint: string): SubscriptionRecord {
  return {
    id: "4f3hq",
    name: undefined,
    tags: [],
    subscription: sampleSubscription("phone", { endpoint }),
    createdAt: 0,
    registeredAt: 0,
    lastResult: outcome === undefined ? undefined : { at: 1, outcome, cause: "ok", status: 201 },
    gone: undefined,
    wrongKey: undefined,
  };
}

const apple = "https://web.push.apple.com/QGuQyavXutnMH";

test("what the project's records tell", async () => {
  const stored = [
    record("accepted", apple),
    record("rejected", "https://updates.push.services.mozilla.com/wpush/v2/a"),
    record(undefined, "https://fcm.googleapis.com/fcm/send/a"),
    { ...record("accepted", "https://wns2.notify.windows.com/w/?token=a"), gone: { at: 1, cause: "x" } },
  ];
  expect(await recordsOf(stored, { ttl: "10m", urgency: "high" })).toEqual({
    stored: 3,
    accepted: 1,
    refused: 1,
    services: ["apple"],
    ttlSeconds: 600,
    urgency: "high",
  });
  expect(await recordsOf([], { ttl: "soon" })).toMatchObject({ ttlSeconds: undefined, urgency: undefined });
});

test("only the open questions are asked, and the verdict is on stdout", async () => {
  const context = await testContext({
    answers: [
      { asked: "Where should it have appeared?", answer: "An iPhone or iPad" },
      { asked: "home screen", answer: "Yes, and it opens without Safari's address bar" },
      { asked: "Settings, Notifications", answer: "Allowed, and no Focus is on" },
      { asked: "first few pushes", answer: "Yes, it stopped" },
    ],
  });
  const subscriptions = {
    ...context.subscriptions,
    ...readersOf(() => Promise.resolve([record("accepted", apple)])),
  };
  await ask({ ...context, subscriptions });
  expect(context.stderr.join("\n")).toContain(
    "1 of 1 stored subscriptions had their last message accepted by Apple",
  );
  expect(context.stdout.join("\n")).toContain("Safari ends the subscription after three pushes");
  expect(context.stdout.join("\n")).toContain("  1. Have the worker show something for every push");
  expect(context.stdout.at(-1)).toContain("docs/nothing-appears.md#silent-pushes");
});

test("the questions are offered where messages are accepted and somebody is there", async () => {
  const offered = [{ asked: "does not appear?", answer: false }] as const;
  const withRecords = async (records: readonly SubscriptionRecord[], answers?: typeof offered) => {
    const context = await testContext(answers === undefined ? {} : { answers });
    const subscriptions = { ...context.subscriptions, ...readersOf(() => Promise.resolve(records)) };
    return { ...context, subscriptions };
  };
  expect(await isWorthAsking(await withRecords([record("accepted", apple)], offered))).toBe(false);
  expect(await isWorthAsking(await withRecords([record("accepted", apple)]))).toBe(false);
  expect(await isWorthAsking(await withRecords([record(undefined, apple)]))).toBe(false);
});

test("where nobody can answer it says so, and where the same is written", async () => {
  const { exitCode, stderr, stdout } = await runMain(["doctor", "--ask"]);
  expect(stderr).toBe(
    "error: --ask wants somebody at a terminal to answer\n" +
      "hint: read the same as a list: docs/nothing-appears.md\n" +
      "hint: or print the questions for a program: webpush doctor --ask --json\n",
  );
  expect(stdout).toBe("");
  expect(exitCode).toBe(2);
});

describe.runIf(hasPseudoTerminals)("at a terminal", () => {
  const [down, enter] = ["\u001b[B", "\r"];

  test("arrows and enter lead to a verdict", async () => {
    const cwd = tempFolder();
    const { shown, type, ended } = startAtTerminal(["doctor", "--ask"], { cwd, columns: 80 });
    await shown("What did the push service answer?");
    type(enter);
    await shown("Where should it have appeared?");
    type(down + enter);
    await shown("brave://settings/privacy");
    type(down + enter);
    const { exitCode, output } = await ended;
    expect(output).toContain("Brave does not talk to the push service until it is told to.");
    expect(output).toContain("docs/nothing-appears.md#brave-switch");
    expect(exitCode).toBe(0);
  });

  test("Ctrl-C ends it in the middle", async () => {
    const { shown, type, ended } = startAtTerminal(["doctor", "--ask"], { cwd: tempFolder(), columns: 40 });
    await shown("What did the push");
    type("\u0003");
    expect((await ended).exitCode).toBe(130);
  });
});

test.runIf(hasPseudoTerminals)(
  "a project with stored subscriptions that were never sent to is told so at once",
  async () => {
    const cwd = tempFolder();
    await runMain(["subscriptions", "add", JSON.stringify(sampleJson("phone"))], { cwd });
    const { exitCode, output } = await startAtTerminal(["doctor", "--ask"], { cwd }).ended;
    expect(output).toContain("No message has been sent to a stored subscription yet.");
    expect(exitCode).toBe(0);
  },
);
