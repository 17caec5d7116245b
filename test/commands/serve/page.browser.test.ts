/**
 * A person at the page that `webpush serve` serves, in a stock Chromium on the emulator beside it: every button
 * pressed, under the policy that the server sends.
 */
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { openBrowser } from "../../../src/browsers/open.ts";
import { isInstalled } from "../../browsers/emulated.ts";
import { runMain } from "../../support/run-cli.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { storedIn } from "../send/sending.ts";
import { startServeCli, type ServeCli } from "./serve-cli.ts";

/** A Chromium wired to the emulator beside the server, with the page open. */
async function visit(serve: ServeCli, emulator: string) {
  const identity = readFileSync(join(serve.cwd, ".webpush/emulator/identity.json"), "utf8");
  const { certificate } = JSON.parse(identity) as { certificate: string };
  const browser = await openBrowser({
    name: "chromium",
    executable: undefined,
    env: process.env,
    wiring: { port: Number(new URL(emulator).port), spkiSha256: spkiOf(certificate) },
    url: "about:blank",
    headless: true,
    signal: new AbortController().signal,
    remoteDebugging: true,
  });
  onTestFinished(() => browser.close());
  const [port = ""] = readFileSync(join(browser.profileDir, "DevToolsActivePort"), "utf8").split("\n");
  const driver = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const [context] = driver.contexts();
  const page = await (context ?? (await driver.newContext())).newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { page, complaints };
}

function spkiOf(certificatePem: string): string {
  const key = new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name }).click();
  await page.locator("#main[aria-busy=false]").waitFor();
}

const state = (page: Page) => page.locator("#main").getAttribute("data-state");

test.skipIf(!isInstalled("chromium"))(
  "turn on, test, send, turn off: stored, shown, taken back, and no complaint of the browser",
  { timeout: 120_000 },
  async () => {
    const cwd = tempFolder();
    await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
    const serve = await startServeCli(["--emulator", "--emulator-port", "0", "--json"], cwd);
    const { emulator } = await serve.record({ type: "ready" });
    const { page, complaints } = await visit(serve, String(emulator));

    const answer = await page.goto(serve.origin);
    expect(answer?.headers()["content-security-policy"]).toContain("default-src 'none'");
    await page.locator("#main[aria-busy=false]").waitFor();
    expect(await state(page)).toBe("off");

    await press(page, "Turn on notifications");
    expect(await state(page)).toBe("on");
    expect(await page.locator("#handover").isHidden()).toBe(true);
    const { id } = await serve.record({ type: "stored", outcome: "added" });

    await press(page, "Send me a test");
    await serve.record({ type: "tested", id, outcome: "accepted" });
    await serve.record({ type: "beacon", what: "shown" });
    await page.getByText("Received: Test push.").waitFor();

    const sent = await runMain(["send", "--title", "Order shipped", "--body", "On its way"], {
      cwd,
      stdin: "",
    });
    expect(sent.exitCode, sent.stderr).toBe(0);
    await page.getByText("Received: Order shipped. On its way").waitFor();

    await page.reload();
    await page.locator("#main[aria-busy=false]").waitFor();
    expect(await state(page)).toBe("on");
    await serve.record({ type: "stored", id, outcome: "unchanged" });

    await press(page, "Turn off");
    await serve.record({ type: "removed", id });
    expect(await state(page)).toBe("off");
    expect(await storedIn(cwd)).toEqual(new Map());
    expect(complaints).toEqual([]);
    expect((await serve.stop()).exitCode).toBe(0);
  },
);
