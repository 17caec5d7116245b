/** `webpush subscriptions prune`: who is forgotten for good, who stays, and what is said of it. */
import { describe, expect, test } from "vitest";
import type { PruneOptions } from "../../../src/commands/subscriptions/command.ts";
import { run as prune } from "../../../src/commands/subscriptions/prune.ts";
import { spawnCli } from "../../support/run-cli.ts";
import { sampleJson, samplePair, sampleSubscription } from "../../support/samples.ts";
import {
  testContext,
  testNow,
  type TestContext,
  type TestContextOptions,
} from "../../support/test-context.ts";

const day = 86_400_000;
const nothing: PruneOptions = {
  which: [],
  olderThan: 0,
  expired: false,
  deadHosts: false,
  calledGone: false,
  wrongKey: false,
  dryRun: false,
  yes: false,
};
const yes = { ...nothing, yes: true };
const ours = samplePair("ours");

/**
 * Ten days ago: `alive`, `gone`, `called` (called gone and not marked), `expired`, `dead` at no host, and
 * `stranger`, whose key was refused.
 */
async function project(options: TestContextOptions = {}): Promise<TestContext> {
  const over: Readonly<Record<string, object>> = {
    expired: { expirationTime: testNow + day },
    dead: { endpoint: "https://permanently-removed.invalid/fcm/send/x" },
  };
  const names = ["alive", "gone", "called", "expired", "dead", "stranger"];
  const context = await testContext({
    pairs: [ours],
    subscriptions: names.map((name) => ({
      subscription: sampleSubscription(name, { ...over[name] }),
      name,
      tags: [],
    })),
    ...options,
  });
  for (const { subscription, name } of await context.subscriptions.list()) {
    const result = { at: testNow, outcome: "gone", cause: "fcm.gone", status: 410 };
    const { endpoint } = subscription;
    const about = { endpoint, registeredAt: testNow, gone: undefined, wrongKey: undefined };
    const mark = { at: testNow, cause: "fcm.gone" };
    const mismatch = { at: testNow, cause: "fcm.key-mismatch" };
    if (name === "gone") await context.subscriptions.note([{ ...about, result, gone: mark }]);
    if (name === "called") await context.subscriptions.note([{ ...about, result }]);
    if (name === "stranger") {
      await context.subscriptions.note([
        {
          ...about,
          result: { ...result, outcome: "wrong-key", cause: "fcm.key-mismatch", status: 403 },
          wrongKey: { ...mismatch, publicKey: ours.publicKey },
        },
      ]);
    }
  }
  context.clock.nowMs = testNow + 10 * day;
  return context;
}

async function namesIn({ subscriptions }: TestContext): Promise<readonly (string | undefined)[]> {
  return (await subscriptions.list()).map(({ name }) => name);
}

describe("subscriptions prune forgets", () => {
  test("those marked gone, and nobody else, when it is told nothing", async () => {
    const context = await project();
    expect(await prune(yes, context)).toBe(0);
    expect(await namesIn(context)).toEqual(["alive", "called", "expired", "dead", "stranger"]);
    expect(context.stdout).toEqual([
      expect.stringMatching(/^\w{10} \(gone\) {2}gone 10 d ago$/) as string,
      "    the push service called it gone (fcm.gone)",
    ]);
    expect(context.stderr).toEqual([
      "1 of 6 subscriptions to forget for good:",
      "     1  marked gone by the push service's word",
      "a copy first: webpush subscriptions export --output subscriptions.json",
      "forgot 1 subscription",
    ]);
  });

  test.each<[keyof PruneOptions, string]>([
    ["calledGone", "called"],
    ["expired", "expired"],
    ["deadHosts", "dead"],
    ["wrongKey", "stranger"],
  ])("with %s also %s", async (flag, name) => {
    const context = await project();
    await prune({ ...yes, [flag]: true }, context);
    const left = ["alive", "called", "expired", "dead", "stranger"].filter((other) => other !== name);
    expect(await namesIn(context)).toEqual(left);
  });

  test("only those that have been so for longer", async () => {
    const context = await project();
    await prune({ ...yes, expired: true, olderThan: 9.5 * day }, context);
    expect(await namesIn(context)).toEqual(["alive", "called", "expired", "dead", "stranger"]);
  });

  test("only those that are named", async () => {
    const context = await project();
    expect(await prune({ ...yes, which: ["alive", "called"] }, context)).toBe(0);
    expect(context.stderr).toEqual(["nothing to forget among 2 subscriptions"]);
    expect(await namesIn(context)).toHaveLength(6);
  });
});

describe("before it forgets", () => {
  test("--dry-run only tells", async () => {
    const context = await project();
    expect(await prune({ ...nothing, wrongKey: true, dryRun: true }, context)).toBe(0);
    expect(await namesIn(context)).toHaveLength(6);
    expect(context.stderr).toContain(
      "     1  made with another key: forget these only if the old private key is destroyed",
    );
    expect(context.stderr.join()).not.toContain("forgot");
  });

  test("a person is asked, and a no keeps all", async () => {
    const context = await project({ answers: [{ asked: "forget 1 subscription for good?", answer: false }] });
    await expect(prune(nothing, context)).rejects.toMatchObject({ code: "declined" });
    expect(await namesIn(context)).toHaveLength(6);
  });

  test("a script has to say --yes", async () => {
    const context = await project();
    await expect(prune(nothing, context)).rejects.toMatchObject({
      code: "unconfirmed",
      message: "would forget 1 subscription",
    });
    expect(await namesIn(context)).toHaveLength(6);
  });

  test("nobody is asked about nothing", async () => {
    const context = await testContext({ subscriptions: [{ subscription: sampleSubscription("alice") }] });
    expect(await prune(nothing, context)).toBe(0);
  });
});

test("--json prints a record for each, with the reason, and none of its secrets", async () => {
  const context = await project({ json: true });
  await prune({ ...yes, expired: true }, context);
  expect(context.stdout.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { name: "gone", removed: true, cause: "gone", since: "2026-11-02T12:00:00.000Z" },
    { name: "expired", removed: true, cause: "expired", since: "2026-11-03T12:00:00.000Z" },
  ]);
  expect(context.stdout.join()).not.toContain(sampleJson("gone").keys.auth);
  const trial = await project({ json: true });
  await prune({ ...nothing, dryRun: true }, trial);
  expect(JSON.parse(trial.stdout.join())).toMatchObject({ name: "gone", removed: false });
});

test("whoever comes back while the question stands stays", async () => {
  const context = await project();
  const prompt = {
    ...context.prompt,
    available: true,
    async confirm() {
      // Another process, as the site's server is: the page handed in the same subscription again.
      const json = JSON.stringify(sampleJson("gone"));
      expect(await spawnCli(["subscriptions", "add", json], { cwd: context.cwd })).toMatchObject({
        exitCode: 0,
      });
      return true;
    },
  };
  expect(await prune({ ...nothing, calledGone: true }, { ...context, prompt })).toBe(0);
  expect(await namesIn(context)).toEqual(["alive", "gone", "expired", "dead", "stranger"]);
  expect(context.stderr.slice(-2)).toEqual([
    "forgot 1 subscription",
    "kept 1 subscription: changed or removed by somebody else just now",
  ]);
});
