import { describe, expect, test } from "vitest";
import { run } from "../../../src/commands/keys/remove.ts";
import { sampleEndpoint, samplePair, sampleSubscription } from "../../support/samples.ts";
import { testContext, testNow } from "../../support/test-context.ts";

const [own, old] = [samplePair("own"), samplePair("old")];
const beginning = old.publicKey.slice(0, 12);
const options = { key: beginning, yes: false };
const save = `save it first: webpush keys export ${beginning} -o old-keys.json`;

const alice = { subscription: sampleSubscription("alice", { applicationServerKey: old.publicKey }) };
const bob = { subscription: sampleSubscription("bob", { applicationServerKey: own.publicKey }) };

describe("keys remove", () => {
  test("of a pair that nothing hangs on asks nothing", async () => {
    const context = await testContext({ pairs: [old, own], subscriptions: [bob] });
    expect(await run(options, context)).toBe(0);
    expect((await context.config.read()).pairs.map(({ pair }) => pair.publicKey)).toEqual([own.publicKey]);
    expect(context.stderr).toEqual([`removed ${beginning}…`]);
  });

  test("does not count those found gone", async () => {
    const context = await testContext({ pairs: [old, own], subscriptions: [alice] });
    const result = { at: 1, outcome: "gone", cause: "fcm.gone", status: 410 };
    await context.subscriptions.note([
      {
        endpoint: sampleEndpoint("alice"),
        registeredAt: testNow,
        result,
        gone: { at: 1, cause: "fcm.gone" },
        wrongKey: undefined,
      },
    ]);
    expect(await run(options, context)).toBe(0);
  });

  test("asks while subscriptions hang on it, and says how to save it", async () => {
    const asked = `remove ${beginning}…? 1 subscription made with it gets no more pushes`;
    const project = { pairs: [old, own], subscriptions: [alice, bob] };
    const no = await testContext({ ...project, answers: [{ asked, answer: false }] });
    await expect(run(options, no)).rejects.toMatchObject({ code: "declined" });
    expect((await no.config.read()).pairs).toHaveLength(2);
    expect(no.stderr).toEqual([`hint: ${save}`]);
    const yes = await testContext({ ...project, answers: [{ asked, answer: true }] });
    expect(await run(options, yes)).toBe(0);
    expect((await yes.config.read()).pairs).toHaveLength(1);
  });

  test("without anybody to ask needs --yes then", async () => {
    const context = await testContext({ pairs: [old, own], subscriptions: [alice] });
    await expect(run(options, context)).rejects.toMatchObject({
      code: "unconfirmed",
      message: `would remove ${beginning}…: 1 subscription made with it gets no more pushes`,
      hints: [save, "add --yes if that is what you want"],
    });
    expect(await run({ ...options, yes: true }, context)).toBe(0);
  });

  test("of the current pair is refused, with what to do instead", async () => {
    const context = await testContext({ pairs: [old, own] });
    await expect(run({ key: own.publicKey, yes: true }, context)).rejects.toMatchObject({
      code: "key-current",
      message: `${own.publicKey.slice(0, 12)}… is the current key, for new subscriptions`,
      hints: [
        "make another one current first: webpush keys rotate",
        "or throw it away, and all subscriptions made with it: webpush keys --force",
      ],
    });
    expect((await context.config.read()).pairs).toHaveLength(2);
  });

  test("--json says which, and how many subscriptions hung on it", async () => {
    const context = await testContext({ pairs: [old, own], subscriptions: [alice], json: true });
    await run({ ...options, yes: true }, context);
    expect(context.stdout.map((line) => JSON.parse(line) as unknown)).toEqual([
      { publicKey: old.publicKey, subscriptions: 1 },
    ]);
    expect(context.stderr).toEqual([]);
  });
});
