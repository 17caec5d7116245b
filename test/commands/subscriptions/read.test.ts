/** The commands that show what is stored. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { run as check } from "../../../src/commands/subscriptions/check.ts";
import type { CheckOptions } from "../../../src/commands/subscriptions/command.ts";
import { run as exportAll } from "../../../src/commands/subscriptions/export.ts";
import { run as list } from "../../../src/commands/subscriptions/list.ts";
import { run as show } from "../../../src/commands/subscriptions/show.ts";
import { readSubscriptions } from "../../../src/formats/subscriptions.ts";
import { sampleEndpoint, samplePair, sampleJson, sampleSubscription } from "../../support/samples.ts";
import {
  testContext,
  testNow,
  type TestContext,
  type TestContextOptions,
} from "../../support/test-context.ts";

const offline: CheckOptions = {
  which: [],
  online: false,
  includeUnproven: false,
  yes: false,
  timeout: 30_000,
  concurrency: 100,
  rate: undefined,
  proxy: undefined,
  ca: undefined,
  allowHost: [],
  allowPrivate: false,
};
const aliceId = "gs6y732mr4";
const minute = 60_000;

/** Alice, accepted an hour after she was stored, and Bob, who is gone; two days later. */
async function project(options: TestContextOptions = {}): Promise<TestContext> {
  const context = await testContext({
    subscriptions: [
      { subscription: sampleSubscription("alice"), name: "phone", tags: ["news", "beta"] },
      { subscription: sampleSubscription("bob"), tags: ["news"] },
    ],
    ...options,
  });
  const at = testNow + 60 * minute;
  await context.subscriptions.note([
    {
      endpoint: sampleEndpoint("alice"),
      registeredAt: testNow,
      result: { at, outcome: "accepted", cause: "ok", status: 201 },
      gone: undefined,
      wrongKey: undefined,
    },
    {
      endpoint: sampleEndpoint("bob"),
      registeredAt: testNow,
      result: { at, outcome: "gone", cause: "fcm.gone", status: 410 },
      gone: { at, cause: "fcm.gone" },
      wrongKey: undefined,
    },
  ]);
  context.clock.nowMs = testNow + 48 * 60 * minute;
  return context;
}

describe("subscriptions list", () => {
  test("shows those that can be sent to, endpoints left out, and counts the gone", async () => {
    const context = await project();
    expect(await list({ tag: [], gone: false }, context)).toBe(0);
    expect(context.stdout).toEqual([
      "id          name   tags       service           added    last result",
      `${aliceId}  phone  news,beta  push.example.net  2 d ago  accepted 1 d ago`,
    ]);
    expect(context.stderr).toEqual(["1 subscription gone, not shown: webpush subscriptions list --gone"]);
  });

  test("--gone shows those instead", async () => {
    const context = await project();
    await list({ tag: [], gone: true }, context);
    expect(context.stdout).toHaveLength(2);
    expect(context.stdout[1]).toMatch(/gone 1 d ago$/);
    expect(context.stderr).toEqual([]);
  });

  test("--tag shows those that have all of the tags", async () => {
    const context = await project();
    await list({ tag: ["news", "beta"], gone: false }, context);
    expect(context.stdout).toHaveLength(2);
    await list({ tag: ["other"], gone: false }, context);
    expect(context.stdout).toHaveLength(2);
    expect(context.stderr).toEqual(["none of them"]);
  });

  test("of an empty project says how to get one", async () => {
    const context = await testContext();
    expect(await list({ tag: [], gone: false }, context)).toBe(0);
    expect(context.stdout).toEqual([]);
    expect(context.stderr).toEqual(["no subscriptions are stored yet: webpush subscriptions add"]);
  });

  test("fits 80 columns whatever is stored", async () => {
    const context = await testContext({
      subscriptions: [
        {
          subscription: sampleSubscription("alice"),
          name: "日本語の長い名前".repeat(4),
          tags: ["a-long-tag", "another-long-tag", "and-one-more"],
        },
        {
          subscription: sampleSubscription("b", {
            endpoint: `https://${"very-long-name.".repeat(6)}push.apple.com/x`,
          }),
          name: "n".repeat(100),
        },
      ],
    });
    await list({ tag: [], gone: false }, context);
    expect(context.stdout.map((line) => stringWidth(line)).filter((width) => width > 80)).toEqual([]);
  });

  test("shows an outcome that somebody wrote into the file harmless", async () => {
    const context = await project();
    const result = { at: testNow, outcome: "\u001b[2J", cause: "ok", status: undefined };
    await context.subscriptions.note([
      {
        endpoint: sampleEndpoint("alice"),
        registeredAt: testNow,
        result,
        gone: undefined,
        wrongKey: undefined,
      },
    ]);
    await list({ tag: [], gone: false }, context);
    expect(context.stdout.join()).toContain("\\u{1b}[2J 2 d ago");
  });

  test("--json prints a record each, without secrets", async () => {
    const context = await project({ json: true });
    await list({ tag: [], gone: false }, context);
    expect(context.stdout.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        id: aliceId,
        name: "phone",
        tags: ["news", "beta"],
        service: "other",
        host: "push.example.net",
        applicationServerKey: null,
        expirationTime: null,
        createdAt: "2026-11-02T12:00:00.000Z",
        registeredAt: "2026-11-02T12:00:00.000Z",
        lastResult: { at: "2026-11-02T13:00:00.000Z", outcome: "accepted", cause: "ok", status: 201 },
        gone: null,
        wrongKey: null,
      },
    ]);
    expect(context.stderr).toEqual([]);
  });
});

describe("subscriptions show", () => {
  test("shows the whole endpoint, which was asked for, and no key", async () => {
    const context = await project();
    expect(await show({ which: "phone" }, context)).toBe(0);
    expect(context.stdout).toEqual([
      `id             ${aliceId}`,
      "name           phone",
      "tags           news, beta",
      "service        push.example.net",
      "endpoint       https://push.example.net/send/alice",
      "made with key  not known",
      "first stored   2026-11-02T12:00:00.000Z",
      "last result    accepted (ok, 201) at 2026-11-02T13:00:00.000Z",
    ]);
    expect(context.stdout.join()).not.toContain(sampleJson("alice").keys.auth);
  });

  test("--json adds the endpoint to the record", async () => {
    const context = await project({ json: true });
    await show({ which: aliceId.slice(0, 5) }, context);
    expect(JSON.parse(context.stdout[0] ?? "")).toMatchObject({
      id: aliceId,
      endpoint: "https://push.example.net/send/alice",
    });
  });
});

async function* linesIn(text: string): AsyncGenerator<string> {
  yield* text.split("\n");
  await Promise.resolve();
}

describe("subscriptions export", () => {
  test.each(["json", "ndjson", "csv"] as const)(
    "%s reads back as the same subscriptions, the gone left out",
    async (format) => {
      const context = await project();
      expect(await exportAll({ which: [], format, output: undefined }, context)).toBe(0);
      const read: unknown[] = [];
      for await (const entry of readSubscriptions(linesIn(context.stdout.join("\n")))) read.push(entry);
      expect(read).toMatchObject([
        { ok: true, name: "phone", tags: ["news", "beta"], subscription: sampleSubscription("alice") },
      ]);
      expect(context.stderr).toEqual(["exported 1 subscription"]);
    },
  );

  test("of chosen ones takes the gone too", async () => {
    const context = await project();
    await exportAll({ which: ["tag:news"], format: "ndjson", output: undefined }, context);
    expect(context.stdout).toHaveLength(2);
  });

  test("writes a file that only its owner can read", async () => {
    const context = await project();
    await exportAll({ which: [], format: "csv", output: "s.csv" }, context);
    const path = join(context.cwd, "s.csv");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "utf8")).toContain(sampleJson("alice").keys.auth);
    expect(context.stdout).toEqual([]);
    expect(context.stderr).toEqual(["exported 1 subscription to s.csv; only you can read it"]);
  });

  test("of nothing is an empty list", async () => {
    const context = await testContext();
    await exportAll({ which: [], format: "json", output: undefined }, context);
    expect(context.stdout).toEqual(["[]"]);
  });
});

describe("subscriptions check", () => {
  test("of good ones says so and ends with 0", async () => {
    const context = await testContext({ subscriptions: [{ subscription: sampleSubscription("alice") }] });
    expect(await check(offline, context)).toBe(0);
    expect(context.stdout).toEqual([]);
    expect(context.stderr).toEqual(["1 subscription checked, all good"]);
  });

  test("names each finding and what to do, and ends with 1", async () => {
    const context = await testContext({
      pairs: [samplePair("own")],
      subscriptions: [
        {
          subscription: sampleSubscription("alice", { applicationServerKey: samplePair("other").publicKey }),
          name: "phone",
        },
        { subscription: sampleSubscription("bob") },
      ],
    });
    expect(await check(offline, context)).toBe(1);
    expect(context.stdout).toEqual([
      `${aliceId} (phone)  made with key ${samplePair("other").publicKey.slice(0, 12)}…, which is not among yours`,
      "    do: let the page subscribe again, or import that pair: webpush keys import FILE --add",
    ]);
    expect(context.stderr).toEqual(["2 subscriptions checked, 1 with findings"]);
  });

  test("takes the environment's key for one of ours", async () => {
    const other = samplePair("other");
    const context = await testContext({
      pairs: [samplePair("own")],
      env: { VAPID_PRIVATE_KEY: other.privateKey.reveal() },
      subscriptions: [
        { subscription: sampleSubscription("alice", { applicationServerKey: other.publicKey }) },
      ],
    });
    expect(await check(offline, context)).toBe(0);
  });

  test("--json prints a record per finding", async () => {
    const context = await project({ json: true });
    expect(await check(offline, context)).toBe(1);
    const [record] = context.stdout.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(Object.keys(record ?? {})).toEqual(["id", "name", "finding", "what", "advice"]);
    expect(record).toMatchObject({
      name: null,
      finding: "gone",
      advice: "forget it for good: webpush subscriptions prune",
    });
  });
});
