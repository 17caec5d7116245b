import { describe, expect, test } from "vitest";
import { run } from "../../../src/commands/keys/list.ts";
import type { VapidKeyPair } from "../../../src/protocol/vapid.ts";
import { withPairBeside } from "../../../src/store/config.ts";
import { sampleEndpoint, samplePair, sampleSubscription } from "../../support/samples.ts";
import { testContext, testNow, type TestContextOptions } from "../../support/test-context.ts";

const [old, own, foreign] = [samplePair("old"), samplePair("own"), samplePair("foreign")];
const short = ({ publicKey }: VapidKeyPair): string => `${publicKey.slice(0, 12)}…`;

const madeWith = (pair: VapidKeyPair | undefined, ...names: readonly string[]) =>
  names.map((name) => ({
    subscription: sampleSubscription(name, { applicationServerKey: pair?.publicKey }),
  }));

/** A project in the middle of a rotation. */
const rotating = {
  pairs: [old, own],
  subscriptions: [
    ...madeWith(old, "a", "b", "c"),
    ...madeWith(own, "d", "e"),
    ...madeWith(foreign, "f"),
    ...madeWith(undefined, "g"),
  ],
};

async function listed(options: TestContextOptions) {
  const context = await testContext(options);
  context.clock.nowMs += 2 * 3_600_000;
  expect(await run({}, context)).toBe(0);
  return context;
}

describe("keys list", () => {
  test("shows every key, what hangs on it, and how far a rotation has come", async () => {
    const { stdout, stderr } = await listed(rotating);
    expect(stdout).toEqual([
      "key            status    made        subscriptions  gone  last seen",
      `${short(own)}  current   2026-11-02              2     0  2 h ago`,
      `${short(old)}  older     2026-11-02              3     0  2 h ago`,
      `${short(foreign)}  not here  -                       1     0  2 h ago`,
      "-              not said  -                       1     0  2 h ago",
    ]);
    expect(stderr).toEqual([
      "",
      "2 of 7 moved to the new key; the others do on their next visit",
      "1 without a word of their key: signed with the one of the day they came",
      "1 made with a key that is not here; to send to them: webpush keys import FILE --add",
    ]);
  });

  test("at a narrow terminal shows what fits", async () => {
    const { stdout } = await listed({ ...rotating, columns: 40 });
    expect(stdout.slice(0, 2)).toEqual([
      "key            status    subscriptions",
      `${short(own)}  current               2`,
    ]);
  });

  test("says when all have moved, and which pair is not needed any more", async () => {
    const { stderr } = await listed({ pairs: [old, own], subscriptions: madeWith(own, "a", "b") });
    expect(stderr).toEqual([
      "",
      "all 2 moved to the new key",
      "no subscription stored here was made with one pair; if none elsewhere was:",
      `  webpush keys remove ${old.publicKey.slice(0, 12)}`,
    ]);
  });

  test("calls no pair unneeded while somebody does not say its key", async () => {
    const subscriptions = [...madeWith(own, "a"), ...madeWith(undefined, "b")];
    const { stderr } = await listed({ pairs: [old, own], subscriptions });
    expect(stderr.join("\n")).not.toContain("keys remove");
  });

  test("of a project that never rotated counts", async () => {
    const { stdout, stderr } = await listed({ pairs: [own], subscriptions: madeWith(own, "a") });
    expect(stdout).toHaveLength(2);
    expect(stderr).toEqual(["", "1 subscription made with the current key"]);
  });

  test("shows the environment's pair as such, which signs before the project's", async () => {
    const env = { VAPID_PRIVATE_KEY: foreign.privateKey.reveal() };
    const { stdout, stderr } = await listed({ ...rotating, env });
    expect(stdout[1]).toBe(`${short(foreign)}  environment  -                       1     0  2 h ago`);
    expect(stdout[2]).toMatch(/ current /);
    expect(stderr).toContain("1 without a word of their key: signed with the environment's");
    expect(stderr.at(-1)).toBe(
      "VAPID_PRIVATE_KEY signs for new subscriptions; unset it to use the project's current pair",
    );
  });

  test("counts those whose push service refused the key", async () => {
    const context = await testContext({ pairs: [own], subscriptions: madeWith(undefined, "a") });
    await context.subscriptions.note([
      {
        endpoint: sampleEndpoint("a"),
        registeredAt: testNow,
        result: { at: testNow, outcome: "wrong-key", cause: "fcm.key-mismatch", status: 403 },
        gone: undefined,
        wrongKey: { at: testNow, cause: "fcm.key-mismatch", publicKey: own.publicKey },
      },
    ]);
    await run({}, context);
    expect(context.stderr).toContain("1 whose push service refused the key: webpush subscriptions check");
  });

  test("of a project without keys says how to make some", async () => {
    const { stdout, stderr } = await listed({});
    expect({ stdout, stderr }).toEqual({
      stdout: [],
      stderr: ["this project has no VAPID keys yet: webpush keys"],
    });
  });

  test("--json prints a record a key, without private keys", async () => {
    const context = await testContext({ ...rotating, json: true });
    await context.config.update((config) =>
      withPairBeside(config, { pair: samplePair("added"), createdAt: testNow - 1 }),
    );
    await run({}, context);
    const at = "2026-11-02T12:00:00.000Z";
    const none = { gone: 0, refused: 0 };
    const seen = { ...none, lastSeenAt: at };
    expect(context.stdout.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        publicKey: own.publicKey,
        status: "current",
        signing: true,
        createdAt: at,
        subscriptions: 2,
        ...seen,
      },
      { publicKey: old.publicKey, status: "older", signing: false, createdAt: at, subscriptions: 3, ...seen },
      {
        ...{ publicKey: samplePair("added").publicKey, status: "older", signing: false },
        ...{ createdAt: "2026-11-02T11:59:59.999Z", subscriptions: 0, ...none, lastSeenAt: null },
      },
      {
        ...{ publicKey: foreign.publicKey, status: "missing", signing: false },
        ...{ createdAt: null, subscriptions: 1, ...seen },
      },
      { publicKey: null, status: "unknown", signing: false, createdAt: null, subscriptions: 1, ...seen },
    ]);
    expect(context.stderr).toEqual([]);
  });
});
