/** The commands that change what is stored. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { run as add } from "../../../src/commands/subscriptions/add.ts";
import { run as importMany } from "../../../src/commands/subscriptions/import.ts";
import { run as remove } from "../../../src/commands/subscriptions/remove.ts";
import { run as rename } from "../../../src/commands/subscriptions/rename.ts";
import { run as tag } from "../../../src/commands/subscriptions/tag.ts";
import { sampleJson, samplePair, sampleSubscription } from "../../support/samples.ts";
import { testContext, testNow } from "../../support/test-context.ts";

const alice = JSON.stringify(sampleJson("alice"));
const nothing = {
  source: undefined,
  endpoint: undefined,
  p256dh: undefined,
  auth: undefined,
  name: undefined,
  tag: [],
};
const aliceId = "gs6y732mr4";

describe("subscriptions add", () => {
  test("stores what JSON.stringify(subscription) printed, and shows its endpoint cut short", async () => {
    const context = await testContext();
    expect(await add({ ...nothing, source: alice, name: "phone", tag: ["news"] }, context)).toBe(0);
    expect(context.stdout).toEqual([]);
    expect(context.stderr).toEqual([
      `added  ${aliceId} (phone)  push.example.net/…/alice`,
      "stored   .webpush/subscriptions.json",
    ]);
    expect(await context.subscriptions.list()).toMatchObject([
      { id: aliceId, name: "phone", tags: ["news"] },
    ]);
  });

  test.each([
    ["from a file", { source: "s.json" }],
    ["from a pipe named -", { source: "-" }],
    ["from a pipe without being told", {}],
    ["part by part", { endpoint: sampleJson("alice").endpoint, ...sampleJson("alice").keys }],
  ])("takes it %s", async (_name, options) => {
    const context = await testContext({ stdin: `\ufeff${alice}\n` });
    writeFileSync(join(context.cwd, "s.json"), alice);
    expect(await add({ ...nothing, ...options }, context)).toBe(0);
    expect(await context.subscriptions.list()).toMatchObject([{ id: aliceId }]);
  });

  test("asks a person at the terminal", async () => {
    const context = await testContext({
      answers: [{ asked: "Paste the subscription as JSON", answer: alice }],
    });
    expect(await add(nothing, context)).toBe(0);
    expect(await context.subscriptions.list()).toHaveLength(1);
  });

  test("of the same again is unchanged, with a new name updated", async () => {
    const context = await testContext({ subscriptions: [{ subscription: sampleSubscription("alice") }] });
    await add({ ...nothing, source: alice }, context);
    await add({ ...nothing, source: alice, name: "phone" }, context);
    expect(context.stderr.filter((line) => line.includes(aliceId))).toEqual([
      `unchanged  ${aliceId}  push.example.net/…/alice`,
      `updated  ${aliceId} (phone)  push.example.net/…/alice`,
    ]);
  });

  test("made with a key that the project does not have is stored with a warning", async () => {
    const context = await testContext({ pairs: [samplePair("own")] });
    const source = JSON.stringify(
      sampleJson("alice", { applicationServerKey: samplePair("other").publicKey }),
    );
    expect(await add({ ...nothing, source }, context)).toBe(0);
    expect(context.stderr.slice(2)).toEqual([
      "warning: it was made with a key this project does not have; push services will refuse",
      "hint: let the page subscribe again, or import that pair: webpush keys import FILE --add",
    ]);
  });

  test("--json prints the record without its secrets", async () => {
    const context = await testContext({ json: true });
    await add({ ...nothing, source: alice }, context);
    expect(context.stdout.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        outcome: "added",
        id: aliceId,
        name: null,
        tags: [],
        service: "other",
        host: "push.example.net",
        applicationServerKey: null,
        expirationTime: null,
        createdAt: "2026-11-02T12:00:00.000Z",
        registeredAt: "2026-11-02T12:00:00.000Z",
        lastResult: null,
        gone: null,
        wrongKey: null,
      },
    ]);
    expect(context.stdout.join("")).not.toContain(sampleJson("alice").keys.auth);
  });

  test.each([
    ["nothing", "", "subscription-malformed", "the subscription is empty"],
    [
      "an endpoint alone",
      "https://push.example.net/send/x",
      "subscription-malformed",
      "an endpoint alone is not enough: the keys p256dh and auth are missing",
    ],
    ["text", "hello", "subscription-malformed", "the subscription is not JSON"],
  ])("of %s is refused", async (_name, stdin, code, message) => {
    const context = await testContext({ stdin });
    await expect(add({ ...nothing, source: "-" }, context)).rejects.toMatchObject({
      code,
      message,
      kind: "input",
    });
    expect(existsSync(context.location.root)).toBe(false);
  });

  test("of two at once is refused", async () => {
    const context = await testContext();
    const options = { ...nothing, source: alice, endpoint: "https://push.example.net/send/x" };
    await expect(add(options, context)).rejects.toMatchObject({ code: "subscription-twice" });
  });

  test("of none where nobody can be asked is refused", async () => {
    await expect(add(nothing, await testContext())).rejects.toMatchObject({
      code: "subscription-missing",
      hints: ["give its JSON, a file, or - to read stdin"],
    });
  });
});

describe("subscriptions remove", () => {
  const three = ["alice", "bob", "carol"].map((name) => ({
    subscription: sampleSubscription(name),
    name,
    tags: ["t"],
  }));

  test("forgets one without a question", async () => {
    const context = await testContext({ subscriptions: three });
    expect(await remove({ which: ["bob"], yes: false }, context)).toBe(0);
    expect(context.stderr).toEqual(["removed 1 subscription"]);
    expect((await context.subscriptions.list()).map(({ name }) => name)).toEqual(["alice", "carol"]);
  });

  test("asks before it forgets several", async () => {
    const yes = await testContext({
      subscriptions: three,
      answers: [{ asked: "remove 3 subscriptions?", answer: true }],
    });
    expect(await remove({ which: ["tag:t"], yes: false }, yes)).toBe(0);
    expect(await yes.subscriptions.list()).toEqual([]);
    const no = await testContext({
      subscriptions: three,
      answers: [{ asked: "remove 2 subscriptions?", answer: false }],
    });
    await expect(remove({ which: ["alice", "bob"], yes: false }, no)).rejects.toMatchObject({
      code: "declined",
    });
    expect(await no.subscriptions.list()).toHaveLength(3);
  });

  test("leaves what is stored while the question is open", async () => {
    const context = await testContext({ subscriptions: three });
    const prompt = {
      ...context.prompt,
      available: true,
      confirm: async () => {
        const late = { subscription: sampleSubscription("dave"), name: "dave", tags: ["t"] };
        await context.subscriptions.add([late], testNow + 1);
        return true;
      },
    };
    expect(await remove({ which: ["tag:t"], yes: false }, { ...context, prompt })).toBe(0);
    expect((await context.subscriptions.list()).map(({ name }) => name)).toEqual(["dave"]);
  });

  test("of several where nobody can be asked needs --yes", async () => {
    const context = await testContext({ subscriptions: three });
    await expect(remove({ which: ["all"], yes: false }, context)).rejects.toMatchObject({
      code: "unconfirmed",
      kind: "input",
      message: "would remove 3 subscriptions",
    });
    expect(await remove({ which: ["all"], yes: true }, context)).toBe(0);
    expect(context.stderr).toEqual(["removed 3 subscriptions"]);
  });

  test("of one that is not there is refused with the nearest", async () => {
    const context = await testContext({ subscriptions: three });
    await expect(remove({ which: ["alcie"], yes: false }, context)).rejects.toMatchObject({
      code: "subscription-unknown",
      hints: ["did you mean alice?"],
    });
  });
});

describe("subscriptions rename and tag", () => {
  const two = ["alice", "bob"].map((name) => ({ subscription: sampleSubscription(name), name, tags: [] }));

  test("a name is changed", async () => {
    const context = await testContext({ subscriptions: two });
    await rename({ which: "alice", name: "phone" }, context);
    expect(context.stderr).toEqual([`${aliceId} is phone from now on`]);
    expect((await context.subscriptions.list()).map(({ name }) => name)).toEqual(["phone", "bob"]);
  });

  test("a name that another has is refused", async () => {
    const context = await testContext({ subscriptions: two });
    await expect(rename({ which: "alice", name: "bob" }, context)).rejects.toMatchObject({
      code: "name-taken",
    });
  });

  test("one name cannot be given to several", async () => {
    const context = await testContext({ subscriptions: two });
    await expect(rename({ which: "all", name: "x" }, context)).rejects.toMatchObject({
      code: "subscription-ambiguous",
      message: "all names 2 subscriptions",
    });
  });

  test("a tag is put on, once, and taken off", async () => {
    const context = await testContext({ subscriptions: two });
    await tag({ tag: "news", which: ["all"], remove: false }, context);
    await tag({ tag: "news", which: ["alice"], remove: false }, context);
    expect((await context.subscriptions.list()).map(({ tags }) => tags)).toEqual([["news"], ["news"]]);
    await tag({ tag: "news", which: ["alice"], remove: true }, context);
    expect((await context.subscriptions.list()).map(({ tags }) => tags)).toEqual([[], ["news"]]);
    expect(context.stderr).toEqual([
      "2 subscriptions in tag:news",
      "1 subscription in tag:news",
      "1 subscription out of tag:news",
    ]);
  });
});

describe("subscriptions import", () => {
  const options = { file: "-", tag: [], dryRun: false };
  const lines = (...names: string[]) =>
    names.map((name) => `${JSON.stringify({ name, ...sampleJson(name) })}\n`).join("");

  test("stores many in one go", async () => {
    const context = await testContext({ stdin: lines("alice", "bob") });
    expect(await importMany({ ...options, tag: ["old"] }, context)).toBe(0);
    expect(context.stderr).toEqual(["2 added, 0 updated, 0 unchanged, 0 refused"]);
    expect(await context.subscriptions.list()).toMatchObject([
      { name: "alice", tags: ["old"] },
      { name: "bob", tags: ["old"] },
    ]);
  });

  test("reports what it cannot read entry by entry and stores the rest: exit code 3", async () => {
    const context = await testContext({
      stdin: `${lines("alice")}{"endpoint":"https://push.example.net/x"}\n`,
    });
    expect(await importMany(options, context)).toBe(3);
    expect(context.stderr[0]).toMatch(/^refused line 2: /);
    expect(context.stderr.at(-1)).toBe("1 added, 0 updated, 0 unchanged, 1 refused");
    expect(await context.subscriptions.list()).toHaveLength(1);
  });

  test("of nothing but bad entries ends with 2 and makes no state", async () => {
    const context = await testContext({ stdin: '{"endpoint":"https://push.example.net/x"}\n' });
    expect(await importMany(options, context)).toBe(2);
    expect(existsSync(context.location.root)).toBe(false);
  });

  test("refuses a name that stands for two, in the file or in the store", async () => {
    const subscriptions = [{ subscription: sampleSubscription("carol"), name: "bob" }];
    const stdin = `${lines("alice")}${JSON.stringify({ name: "alice", ...sampleJson("dave") })}\n${lines("bob")}`;
    const context = await testContext({ subscriptions, stdin });
    expect(await importMany(options, context)).toBe(3);
    expect(context.stderr.filter((line) => line.startsWith("refused"))).toEqual([
      expect.stringContaining('line 2: the name "alice" belongs to subscription'),
      expect.stringContaining('line 3: the name "bob" belongs to subscription'),
    ]);
  });

  test("--dry-run changes nothing", async () => {
    const context = await testContext({ stdin: lines("alice", "bob") });
    expect(await importMany({ ...options, dryRun: true }, context)).toBe(0);
    expect(context.stderr).toEqual(["would store 2 subscriptions, 0 refused; nothing was changed"]);
    expect(existsSync(context.location.root)).toBe(false);
  });

  test("--json prints refused entries and then the counts", async () => {
    const context = await testContext({ json: true, stdin: `${lines("alice")}{"x":1}\n` });
    await importMany(options, context);
    const [refused, counts] = context.stdout.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(Object.keys(refused ?? {})).toEqual(["at", "code", "message", "hints"]);
    expect(refused).toMatchObject({ at: "line 2", code: "subscription-malformed" });
    expect(counts).toEqual({ added: 1, updated: 0, unchanged: 0, refused: 1, wouldAdd: 0 });
    expect(context.stderr).toEqual([]);
  });

  test("of an empty file is refused", async () => {
    await expect(importMany(options, await testContext({ stdin: "\n" }))).rejects.toMatchObject({
      code: "subscriptions-unreadable",
      message: "stdin holds no subscription",
    });
  });

  test("what stands in a file cannot drive the terminal", async () => {
    const stdin = `${JSON.stringify({ name: "\u009b2J\u202e", ...sampleJson("alice") })}\n`;
    const context = await testContext({ stdin });
    await importMany(options, context);
    expect(context.stderr.join("\n")).not.toMatch(/[\u009b\u202e]/);
  });
});
