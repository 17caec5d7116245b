/** `webpush serve --open`: the scaffolded page in each browser, from the subscription to the notification. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isInstalled } from "../../browsers/emulated.ts";
import { parseCommand } from "../../support/parse-command.ts";
import { runMain } from "../../support/run-cli.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { storedIn } from "../send/sending.ts";
import { startServeCli } from "./serve-cli.ts";

test("flags", async () => {
  const argv = ["serve", "--open", "firefox", "--headless", "--browser", "/opt/firefox"];
  expect(await parseCommand(argv)).toMatchObject({
    open: "firefox",
    headless: true,
    browser: "/opt/firefox",
  });
});

test("a machine without that browser is told before anything is started or made", async () => {
  const cwd = tempFolder();
  const { exitCode, stderr } = await runMain(["serve", "--port", "0", "--open", "firefox"], { cwd });
  expect(stderr).toMatch(/^error: no Firefox is installed here\nhint: /);
  expect(exitCode).toBe(1);
  expect(readdirSync(cwd)).toEqual([]);
});

/** The scaffolded page, which presses its own button: nobody sits before the browser. */
async function scaffoldEager(cwd: string): Promise<void> {
  await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
  await runMain(["scaffold", "--yes"], { cwd });
  const index = join(cwd, "public/index.html");
  const script = '<script type="module" src="app.js"></script>';
  const eager = '<script type="module" src="eager.js"></script>';
  writeFileSync(index, readFileSync(index, "utf8").replace(script, `${script}${eager}`));
  const press = `
    import { open, turnOn } from "./push-client.js";
    import { config } from "./webpush-config.js";
    await turnOn(await open(config));
  `;
  writeFileSync(join(cwd, "public/eager.js"), press);
}

describe.each(["chromium", "firefox"] as const)("%s", (name) => {
  test.skipIf(!isInstalled(name))(
    "subscribes, is stored where send reaches it, shows what is sent, and leaves nothing behind",
    { timeout: 120_000 },
    async () => {
      const [cwd, temp] = [tempFolder(), tempFolder()];
      await scaffoldEager(cwd);
      const argv = ["--open", name, "--headless", "--emulator-port", "0", "--json"];
      const serve = await startServeCli(argv, cwd, { TMPDIR: temp, HOME: temp });
      const { host, id } = await serve.record({ type: "stored" });
      const { emulator } = await serve.record({ type: "ready" });
      expect(host).toBe(new URL(String(emulator)).host);

      const text = ["--title", "Order shipped", "--body", "It is on its way", "--data", '{"id":"order-7"}'];
      const sent = await runMain(["send", ...text], { cwd, stdin: "" });
      expect(sent.exitCode, sent.stderr).toBe(0);
      await serve.record({ type: "beacon", what: "shown", messageId: "order-7" });
      await serve.record({ type: "acknowledged", code: 100 });
      await serve.record({ type: "notification", title: "Order shipped", body: "It is on its way" });

      expect([...(await storedIn(cwd)).keys()]).toEqual([id]);
      const { exitCode, stderr } = await serve.stop();
      expect(exitCode, stderr).toBe(0);
      expect(stderr).toContain("removed 1 subscription of the browser, which is gone with its profile");
      expect(await storedIn(cwd)).toEqual(new Map());
      expect(readdirSync(temp).filter((left) => left.startsWith("webpush-"))).toEqual([]);
    },
  );
});
