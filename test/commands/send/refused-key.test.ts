/**
 * A subscription made with another key: refused once, marked, and left out of broadcasts until its page is back.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEmulator, type PushEmulator } from "../../../src/emulator/index.ts";
import { linesOf, runJson, runMain } from "../../support/run-cli.ts";
import { samplePair } from "../../support/samples.ts";
import { createBrowser, openProject, ourPair, sendJson, storedIn } from "./sending.ts";

let emulator: PushEmulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

/** A project with a browser called `phone` that subscribed at `as` with another key than ours, and does not say so. */
async function withStranger(as: "fcm" | "mozilla" | "apple" | "wns" = "fcm", others: readonly string[] = []) {
  const made = emulator.subscribe({ as, applicationServerKey: samplePair("thrown away").publicKey });
  const phone = createBrowser(made.endpoint, { name: "phone", keys: made.keys });
  const own = others.map((name) => {
    const { endpoint, keys } = emulator.subscribe({ applicationServerKey: ourPair.publicKey });
    return createBrowser(endpoint, { name, keys });
  });
  const cwd = await openProject({ browsers: [phone, ...own], tags: { phone: ["news"] } });
  return { cwd, phone };
}

describe("a refused key", () => {
  test.each(["fcm", "mozilla", "apple", "wns"] as const)("is written down as %s says it", async (as) => {
    const { cwd } = await withStranger(as);
    const cause = as === "mozilla" ? "moz.key-mismatch" : `${as}.key-mismatch`;
    expect(await sendJson(["hi"], { cwd })).toMatchObject({
      exitCode: 4,
      records: [{ outcome: "wrong-key", cause }],
    });
    const { wrongKey } = (await storedIn(cwd)).get("phone") ?? {};
    expect(wrongKey).toMatchObject({ cause, publicKey: ourPair.publicKey });
  });

  test("is not tried again on one of a group: exit code 4, and what to do", async () => {
    const { cwd } = await withStranger();
    await sendJson(["hi"], { cwd });
    const { records, exitCode } = await sendJson(["hi", "--to", "tag:news"], { cwd });
    const id = (await storedIn(cwd)).get("phone")?.id;
    expect(exitCode).toBe(4);
    expect(records).toMatchObject([
      {
        outcome: "skipped",
        cause: "key.refused",
        attempts: 0,
        advice: `have its page visited again, which subscribes anew; or try all the same: webpush send --to ${id}`,
      },
    ]);
    expect(records[0]?.reason).toMatch(
      new RegExp(
        `^refused on \\d{4}-\\d\\d-\\d\\d with key ${ourPair.publicKey.slice(0, 12)}… \\(fcm\\.key-mismatch\\)$`,
      ),
    );
  });

  test("spoils the rest of a broadcast as any failure does, and is counted", async () => {
    const { cwd } = await withStranger("fcm", ["laptop"]);
    await sendJson(["hi"], { cwd });
    const { exitCode, stderr } = await runMain(["send", "hi"], { cwd, stdin: "" });
    expect(exitCode).toBe(3);
    expect(linesOf(stderr)).toContain("1 × refused before: made with another key, not sent key.refused");
    expect(linesOf(stderr).at(-1)).toBe("2 in all: 1 accepted, 1 refused credentials");
  });

  test.each([["by name", "phone"] as const, ["though its group is named too", "tag:news", "phone"] as const])(
    "is tried on one that is asked for %s",
    async (_how, ...to) => {
      const { cwd } = await withStranger();
      await sendJson(["hi"], { cwd });
      const { records } = await sendJson(["hi", ...to.flatMap((one) => ["--to", one])], { cwd });
      expect(records).toMatchObject([{ outcome: "wrong-key", attempts: 1 }]);
    },
  );

  test("is forgotten when the page hands in its subscription with another one", async () => {
    const { cwd, phone } = await withStranger();
    await sendJson(["hi"], { cwd });
    const again = JSON.stringify({
      ...(JSON.parse(phone.json) as object),
      applicationServerKey: ourPair.publicKey,
    });
    await runMain(["subscriptions", "add", again], { cwd });
    expect((await storedIn(cwd)).get("phone")).toMatchObject({ wrongKey: undefined, tags: ["news"] });
    expect((await sendJson(["hi"], { cwd })).records).toMatchObject([{ outcome: "wrong-key" }]);
  });

  test("is shown by subscriptions list, show and check", async () => {
    const { cwd } = await withStranger();
    await sendJson(["hi"], { cwd });
    const list = await runMain(["subscriptions", "list"], { cwd });
    expect(linesOf(list.stdout)[1]).toMatch(/^\w+ +phone +news .* key refused just now$/);
    const show = await runMain(["subscriptions", "show", "phone"], { cwd });
    expect(show.stdout).toMatch(
      new RegExp(`^key refused {4}${ourPair.publicKey} at \\S+Z \\(fcm\\.key-mismatch\\)$`, "m"),
    );
    const { records } = await runJson(["subscriptions", "list"], { cwd });
    expect(records).toMatchObject([
      { wrongKey: { cause: "fcm.key-mismatch", publicKey: ourPair.publicKey } },
    ]);
    const check = await runJson(["subscriptions", "check"], { cwd });
    expect(check).toMatchObject({ exitCode: 1, records: [{ name: "phone", finding: "key.refused" }] });
  });
});
