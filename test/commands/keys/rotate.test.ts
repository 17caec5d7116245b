import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { run } from "../../../src/commands/keys/rotate.ts";
import { parseSubject } from "../../../src/protocol/subject.ts";
import { samplePair, sampleSubscription } from "../../support/samples.ts";
import { testContext, testNow } from "../../support/test-context.ts";

const own = samplePair("own");
const old = own.publicKey.slice(0, 12);
const defaults = { subject: undefined, yes: false };

/** Two subscriptions made with our pair, one of which does not say so, and one made with another. */
const subscriptions = [
  { subscription: sampleSubscription("alice", { applicationServerKey: own.publicKey }) },
  { subscription: sampleSubscription("bob") },
  { subscription: sampleSubscription("carol", { applicationServerKey: samplePair("other").publicKey }) },
];

describe("keys rotate", () => {
  test("makes a pair that is current from now on, and keeps the old one", async () => {
    const context = await testContext({ pairs: [own], subscriptions });
    context.clock.nowMs += 60_000;
    expect(await run(defaults, context)).toBe(0);
    const { current, pairs } = await context.config.read();
    expect(current).not.toBe(own.publicKey);
    expect(pairs).toMatchObject([
      { pair: { publicKey: own.publicKey }, currentSince: testNow },
      { pair: { publicKey: current }, createdAt: testNow + 60_000, currentSince: testNow + 60_000 },
    ]);
    expect(context.stdout).toEqual([current]);
    expect(context.stderr).toEqual([
      "Made a new VAPID key pair. The public key, for your page:",
      "",
      "",
      "stored   .webpush/config.json",
      "         only you can read it, and git ignores it",
      `old key  ${old}…, signing for 2 subscriptions made with it`,
      "next     1. give the page the new key: `publicKey` in its webpush-config.js,",
      "            or at your server; webpush serve hands it out already",
      "         2. subscriptions move when their page is visited, in no other way",
      "         3. webpush keys list shows how far that has come",
      `         4. when all have moved: webpush keys remove ${old}`,
    ]);
  });

  test("names the file of the project's page that has the old key", async () => {
    const context = await testContext({ pairs: [own] });
    mkdirSync(join(context.cwd, "public"));
    writeFileSync(join(context.cwd, "public/webpush-config.js"), `publicKey: "${own.publicKey}",`);
    await run(defaults, context);
    expect(context.stderr).toContain(
      "next     1. write the new key into public/webpush-config.js, as `publicKey`;",
    );
  });

  test("--json prints both public keys, and no private one", async () => {
    const context = await testContext({ pairs: [own], subscriptions, json: true });
    await run(defaults, context);
    const { current, pairs } = await context.config.read();
    expect(context.stdout.map((line) => JSON.parse(line) as unknown)).toEqual([
      { publicKey: current, previousPublicKey: own.publicKey, subscriptions: 2 },
    ]);
    for (const { pair } of pairs) expect(context.stdout[0]).not.toContain(pair.privateKey.reveal());
  });

  test("asks a person first, and says what hangs on the old pair", async () => {
    const asked = "make a new pair? The old one stays for 2 subscriptions made with it";
    const context = await testContext({ pairs: [own], subscriptions, answers: [{ asked, answer: false }] });
    await expect(run(defaults, context)).rejects.toMatchObject({ code: "declined" });
    expect((await context.config.read()).pairs).toHaveLength(1);
    expect(await run({ ...defaults, yes: true }, context)).toBe(0);
  });

  test("stores a contact that is given, and keeps the one there is", async () => {
    const context = await testContext({ pairs: [own], subject: "mailto:ops@shop-online.de" });
    await run(defaults, context);
    expect((await context.config.read()).subject).toBe("mailto:ops@shop-online.de");
    await run({ ...defaults, subject: parseSubject("mailto:new@shop-online.de") }, context);
    expect(await context.config.read()).toMatchObject({ subject: "mailto:new@shop-online.de" });
    expect((await context.config.read()).pairs).toHaveLength(3);
  });

  test("of two at once loses neither pair", async () => {
    const context = await testContext({ pairs: [own] });
    await Promise.all([run(defaults, context), run(defaults, context)]);
    expect((await context.config.read()).pairs).toHaveLength(3);
  });

  test("without a pair says how to make one", async () => {
    await expect(run(defaults, await testContext())).rejects.toMatchObject({
      code: "keys-missing",
      kind: "failed",
      hints: ["make a pair: webpush keys"],
    });
  });

  test("is refused where the environment's key signs: the new pair would not be used", async () => {
    const env = { VAPID_PRIVATE_KEY: samplePair("ci").privateKey.reveal() };
    const context = await testContext({ pairs: [own], env });
    await expect(run(defaults, context)).rejects.toMatchObject({
      code: "keys-environment",
      message: "VAPID_PRIVATE_KEY is set and signs; the project's keys would not be used",
    });
    expect((await context.config.read()).pairs).toHaveLength(1);
  });
});
