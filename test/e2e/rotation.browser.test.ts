/**
 * A key rotation proven end to end: a stock browser on the emulator, its page served, and the commands of
 * docs/rotation.md one after the other. No internet, no stand-in but that for the desktop.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { browserNames } from "../../src/browsers/browser.ts";
import { isInstalled } from "../browsers/emulated.ts";
import { sendJson, storedIn } from "../commands/send/sending.ts";
import { linesOf, runJson, runMain } from "../support/run-cli.ts";
import { isIn, openPage, openSite, titleShownBy, turnOn } from "./served-page.ts";

interface KeyRecord {
  readonly publicKey: string | null;
  readonly status: string;
  readonly subscriptions: number;
}

/** `keys list --json`, in short. */
async function keysOf(cwd: string) {
  const { records } = await runJson(["keys", "list"], { cwd });
  return (records as readonly KeyRecord[]).map(({ publicKey, status, subscriptions }) => ({
    publicKey,
    status,
    subscriptions,
  }));
}

/** Runs a command that must succeed, where nobody can be asked; answers its lines of data. */
async function succeed(argv: readonly string[], cwd: string): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await runMain(argv, { cwd, stdin: "" });
  expect(exitCode, stderr).toBe(0);
  return linesOf(stdout);
}

const accepted = [{ outcome: "accepted", attempts: 1 }];

describe.each(browserNames)("a rotation with %s", { timeout: 240_000 }, (name) => {
  test.skipIf(!isInstalled(name))(
    "nobody is lost: the old key sends until the page was opened again, then the new one does",
    async () => {
      const site = await openSite();
      const { cwd, serve } = site;
      const [oldKey] = await succeed(["keys"], cwd);
      const { browser, visitor } = await openPage(name, site);
      await turnOn(visitor, serve);
      await succeed(["subscriptions", "tag", "news", "all"], cwd);
      const [before] = (await storedIn(cwd)).values();
      await succeed(["subscriptions", "rename", before?.id ?? "", "ada"], cwd);
      expect((await sendJson(["Before"], { cwd })).records).toMatchObject(accepted);
      expect(await titleShownBy(browser)).toBe("Before");

      // Nothing has changed for the visitor yet.
      const [newKey] = await succeed(["keys", "rotate"], cwd);
      expect(await keysOf(cwd)).toEqual([
        { publicKey: newKey, status: "current", subscriptions: 0 },
        { publicKey: oldKey, status: "older", subscriptions: 1 },
      ]);
      const refused = await runMain(["keys", "remove", oldKey ?? ""], { cwd, stdin: "" });
      expect(refused).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("1 subscription") as string,
      });
      expect((await sendJson(["With the old key"], { cwd })).records).toMatchObject(accepted);
      expect(await titleShownBy(browser)).toBe("With the old key");

      // The server hands out the new key, and the page moves by itself when it is opened.
      await visitor.goto(`${serve.origin}/`);
      await serve.record({ type: "stored", replaced: before?.id });
      await visitor.until(isIn("on"));
      expect([...(await storedIn(cwd)).values()]).toMatchObject([
        { name: "ada", tags: ["news"], subscription: { applicationServerKey: newKey } },
      ]);
      expect(await keysOf(cwd)).toMatchObject([{ subscriptions: 1 }, { subscriptions: 0 }]);
      expect((await runMain(["keys", "list"], { cwd })).stderr).toContain("all 1 moved to the new key");

      await succeed(["keys", "remove", oldKey?.slice(0, 12) ?? ""], cwd);
      expect((await sendJson(["With the new key"], { cwd })).records).toMatchObject(accepted);
      expect(await titleShownBy(browser)).toBe("With the new key");
      expect((await serve.stop()).exitCode).toBe(0);
    },
  );

  test.skipIf(!isInstalled(name))(
    "whose old key was thrown away: refused, marked and left out, until the page is opened again",
    async () => {
      const site = await openSite();
      const { cwd, serve } = site;
      const { browser, visitor } = await openPage(name, site);
      await turnOn(visitor, serve);
      const oldId = await forgetKeyOfTheOnlyOne(cwd);
      await succeed(["keys", "--force", "--yes"], cwd);

      const cause = name === "firefox" ? "moz.key-mismatch" : "fcm.key-mismatch";
      expect(await sendJson(["Who are you?"], { cwd })).toMatchObject({
        exitCode: 4,
        records: [{ outcome: "wrong-key", cause }],
      });
      expect((await storedIn(cwd)).get("ada")?.wrongKey).toMatchObject({ cause });
      expect((await sendJson(["And now?"], { cwd })).records).toMatchObject([{ cause: "key.refused" }]);

      await visitor.goto(`${serve.origin}/`);
      await serve.record({ type: "stored", replaced: oldId });
      await visitor.until(isIn("on"));
      expect((await storedIn(cwd)).get("ada")?.wrongKey).toBeUndefined();
      expect((await sendJson(["Welcome back"], { cwd })).records).toMatchObject(accepted);
      expect(await titleShownBy(browser)).toBe("Welcome back");
      expect((await serve.stop()).exitCode).toBe(0);
    },
  );
});

/** The only subscription as a store has it that never asked for the key, and under a name; answers its id. */
async function forgetKeyOfTheOnlyOne(cwd: string): Promise<string> {
  const [line = ""] = await succeed(["subscriptions", "export", "--format", "ndjson"], cwd);
  const { endpoint, keys } = JSON.parse(line) as { endpoint: string; keys: object };
  writeFileSync(join(cwd, "ada.json"), JSON.stringify({ endpoint, keys }));
  await succeed(["subscriptions", "remove", "all"], cwd);
  await succeed(["subscriptions", "add", "ada.json", "--name", "ada"], cwd);
  return (await storedIn(cwd)).get("ada")?.id ?? "";
}
