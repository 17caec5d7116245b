import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { run } from "../../../src/commands/keys/run.ts";
import type { KeysOptions } from "../../../src/commands/keys/command.ts";
import { parseSubject } from "../../../src/protocol/subject.ts";
import { parseKeyPair } from "../../../src/protocol/vapid.ts";
import { samplePair, sampleSubscription } from "../../support/samples.ts";
import { testContext } from "../../support/test-context.ts";

const defaults: KeysOptions = { subject: undefined, private: false, print: false, force: false, yes: false };
const subject = parseSubject("mailto:ops@shop-online.de");
const pair = samplePair("own");
const [publicKey, privateKey] = [pair.publicKey, pair.privateKey.reveal()];

describe("in a project without keys", () => {
  test("a pair is made and stored; data is the public key alone", async () => {
    const context = await testContext();
    expect(await run(defaults, context)).toBe(0);
    const { current, pairs } = await context.config.read();
    expect(context.stdout).toEqual([current]);
    expect(pairs).toMatchObject([{ createdAt: context.clock.nowMs }]);
    expect(context.stderr).toEqual([
      "Made a VAPID key pair. The public key, for your page:",
      "",
      "",
      "stored   .webpush/config.json",
      "         only you can read it, and git ignores it",
      "contact  none yet; push services want one, and Apple's refuses messages without",
      "next     webpush keys --subject mailto:you@your-domain",
      "         webpush scaffold   a page that subscribes with this key",
    ]);
  });

  test("the contact is stored with it", async () => {
    const context = await testContext();
    await run({ ...defaults, subject }, context);
    expect((await context.config.read()).subject).toBe("mailto:ops@shop-online.de");
    expect(context.stderr.slice(-2)).toEqual([
      "contact  mailto:ops@shop-online.de",
      "next     webpush scaffold   a page that subscribes with this key",
    ]);
  });

  test("a person at the terminal is asked for the contact", async () => {
    const context = await testContext({
      answers: [{ asked: "Contact for push services", answer: "ops@shop-online.de" }],
    });
    await run(defaults, context);
    expect((await context.config.read()).subject).toBe("mailto:ops@shop-online.de");
    expect(context.stderr[0]).toBe("note: added mailto: to the bare mail address");
  });

  test("an empty answer leaves the contact for later", async () => {
    const context = await testContext({ answers: [{ asked: "Contact for push services", answer: "" }] });
    expect(await run(defaults, context)).toBe(0);
    expect(await context.config.read()).toMatchObject({ subject: undefined, pairs: [{}] });
  });

  test("with --quiet only the key is printed", async () => {
    const context = await testContext({ quiet: true });
    await run(defaults, context);
    expect(context.stdout).toHaveLength(1);
    expect(context.stderr).toEqual([]);
  });

  test("--json prints both keys as the web-push tool does, byte for byte", async () => {
    const context = await testContext({ json: true });
    await run(defaults, context);
    const made = (await context.config.read()).pairs[0]?.pair;
    expect(context.stdout).toEqual([
      `{"publicKey":"${made?.publicKey}","privateKey":"${made?.privateKey.reveal()}"}`,
    ]);
    expect(context.stderr).toEqual([]);
  });
});

describe("in a project with keys", () => {
  test("they are shown, and nothing is changed", async () => {
    const context = await testContext({ pairs: [pair], subject: "mailto:ops@shop-online.de" });
    const before = await context.config.read();
    expect(await run(defaults, context)).toBe(0);
    expect(context.stdout).toEqual([publicKey]);
    expect(context.stderr).toEqual([
      "The VAPID public key of this project:",
      "",
      "",
      "stored   .webpush/config.json",
      "contact  mailto:ops@shop-online.de",
      "next     webpush scaffold   a page that subscribes with this key",
    ]);
    expect(await context.config.read()).toEqual(before);
  });

  test("older pairs are counted", async () => {
    const context = await testContext({ pairs: [samplePair("a"), samplePair("b"), pair] });
    await run(defaults, context);
    expect(context.stderr).toContain(
      "also     2 older pairs, signing for what was made with them: webpush keys list",
    );
  });

  test("--private shows the private key too", async () => {
    const context = await testContext({ pairs: [pair] });
    await run({ ...defaults, private: true }, context);
    expect(context.stdout).toEqual([publicKey, privateKey]);
    expect(context.stderr[0]).toBe("The VAPID public key of this project, and the private key:");
  });

  test("--subject stores the contact, the pair stays", async () => {
    const context = await testContext({ pairs: [pair] });
    await run({ ...defaults, subject }, context);
    expect(await context.config.read()).toMatchObject({
      current: publicKey,
      subject: "mailto:ops@shop-online.de",
    });
    expect(context.stderr).toContain("contact  mailto:ops@shop-online.de");
  });
});

describe("--force", () => {
  const options = { ...defaults, force: true };

  test("makes a pair where there is none without a question", async () => {
    const context = await testContext();
    expect(await run(options, context)).toBe(0);
    expect((await context.config.read()).pairs).toHaveLength(1);
  });

  test("says what it costs and is refused where nobody can be asked", async () => {
    const made = { applicationServerKey: publicKey };
    const context = await testContext({
      pairs: [pair],
      subscriptions: [
        { subscription: sampleSubscription("alice", made) },
        { subscription: sampleSubscription("bob") },
        {
          subscription: sampleSubscription("carol", { applicationServerKey: samplePair("other").publicKey }),
        },
      ],
    });
    await expect(run(options, context)).rejects.toMatchObject({
      code: "keys-exist",
      kind: "input",
      message: `would replace ${publicKey.slice(0, 12)}…: 2 stored subscriptions made with it will stop working`,
      hints: [
        "add --yes if that is what you want",
        `save it first: webpush keys export ${publicKey.slice(0, 12)} -o old-keys.json`,
        "or keep both: webpush keys rotate, or webpush keys import FILE --add",
      ],
    });
    expect((await context.config.read()).current).toBe(publicKey);
  });

  test("asks, and a no changes nothing", async () => {
    const context = await testContext({
      pairs: [pair],
      answers: [{ asked: "every subscription made with it stops working", answer: false }],
    });
    await expect(run(options, context)).rejects.toMatchObject({ code: "declined", kind: "failed" });
    expect((await context.config.read()).current).toBe(publicKey);
  });

  test("with --yes replaces the pair, the contact stays", async () => {
    const context = await testContext({ pairs: [pair], subject: "mailto:ops@shop-online.de" });
    expect(await run({ ...options, yes: true }, context)).toBe(0);
    const { current, pairs, subject: contact } = await context.config.read();
    expect(current).not.toBe(publicKey);
    expect(pairs).toHaveLength(1);
    expect(contact).toBe("mailto:ops@shop-online.de");
  });
});

describe("with VAPID_PRIVATE_KEY in the environment", () => {
  const ci = samplePair("ci");
  const env = { VAPID_PRIVATE_KEY: ci.privateKey.reveal() };

  test("that pair is shown, and that it goes before the project's; none is made", async () => {
    const context = await testContext({ env });
    expect(await run(defaults, context)).toBe(0);
    expect(context.stdout).toEqual([ci.publicKey]);
    expect(context.stderr.slice(0, 5)).toEqual([
      "The VAPID public key of the environment:",
      "",
      "",
      "source   VAPID_PRIVATE_KEY, which goes before the project's keys;",
      "         unset it to use those",
    ]);
    expect(existsSync(context.location.root)).toBe(false);
  });

  test("--subject is stored all the same", async () => {
    const context = await testContext({ env });
    await run({ ...defaults, subject }, context);
    expect((await context.config.read()).subject).toBe("mailto:ops@shop-online.de");
    expect(context.stderr).toContain("contact  mailto:ops@shop-online.de");
  });

  test("VAPID_SUBJECT is the contact shown", async () => {
    const context = await testContext({
      pairs: [pair],
      subject: "mailto:ops@shop-online.de",
      env: { VAPID_SUBJECT: "mailto:ci@shop-online.de" },
    });
    await run(defaults, context);
    expect(context.stdout).toEqual([publicKey]);
    expect(context.stderr).toContain("contact  mailto:ci@shop-online.de");
  });
});

describe("--print", () => {
  const options = { ...defaults, print: true };

  test("makes a pair as lines of a .env file and stores nothing", async () => {
    const context = await testContext();
    expect(await run(options, context)).toBe(0);
    const [first = "", second = ""] = context.stdout;
    expect(context.stdout).toHaveLength(2);
    const values = [
      first.replace("VAPID_PUBLIC_KEY=", ""),
      second.replace("VAPID_PRIVATE_KEY=", ""),
    ] as const;
    expect(() => parseKeyPair(...values)).not.toThrow();
    expect(existsSync(context.location.root)).toBe(false);
  });

  test("writes the contact given along", async () => {
    const context = await testContext();
    await run({ ...options, subject }, context);
    expect(context.stdout[2]).toBe("VAPID_SUBJECT=mailto:ops@shop-online.de");
  });

  test("makes another pair than the project's", async () => {
    const context = await testContext({ pairs: [pair] });
    await run(options, context);
    expect(context.stdout.join()).not.toContain(publicKey);
  });
});
