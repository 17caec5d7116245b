/**
 * The scaffolded page served in a process of its own, with the emulator beside it, and a stock browser in front of it.
 */
import { createHash } from "node:crypto";
import { connect } from "node:tls";
import { expect, onTestFinished } from "vitest";
import type { BrowserName, RunningBrowser } from "../../src/browsers/browser.ts";
import { openBrowser } from "../../src/browsers/open.ts";
import { nextNotification } from "../browsers/emulated.ts";
import { startServeCli, type ServeCli } from "../commands/serve/serve-cli.ts";
import { runMain } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { visit, type Visitor } from "../support/visitor.ts";

/** A project with keys, the scaffolded page in `public/`, and both served. */
export async function openSite() {
  const cwd = tempFolder();
  await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
  expect((await runMain(["scaffold", "--name", "Harbour"], { cwd })).exitCode).toBe(0);
  const serve = await startServeCli(["--emulator", "--emulator-port", "0", "--json"], cwd);
  const { emulator } = await serve.record({ type: "ready" });
  const port = Number(new URL(String(emulator)).port);
  return { cwd, serve, wiring: { port, spkiSha256: await publicKeyHash(port) } };
}

type Site = Awaited<ReturnType<typeof openSite>>;

/** The hash by which Chromium is told whom to trust, taken from the certificate that is shown. */
function publicKeyHash(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
      socket.destroy();
      resolve(
        createHash("sha256")
          .update(key ?? "")
          .digest("base64"),
      );
    });
    socket.once("error", reject);
  });
}

/** Opens the page in a browser, and takes a seat before it. */
export async function openPage(name: BrowserName, site: Site, profileDir?: string) {
  const browser = await openSiteIn(name, site, profileDir);
  const visitor = await visit(browser);
  onTestFinished(() => visitor[Symbol.asyncDispose]());
  return { browser, visitor };
}

/** Opens the page in a browser; with a folder for its profile it can be closed and opened again. */
export async function openSiteIn(name: BrowserName, { serve, wiring }: Site, profileDir?: string) {
  const before = serve.records().length;
  const heard = () =>
    serve.printed(() =>
      serve
        .records()
        .slice(before)
        .some(({ type }) => type === "user-agent-connected"),
    );
  const browser = await openBrowser({
    name,
    executable: undefined,
    env: process.env,
    wiring,
    url: `${serve.origin}/`,
    headless: true,
    signal: new AbortController().signal,
    isRoot: process.getuid?.() === 0,
    remoteDebugging: true,
    ...(name === "firefox" ? { ready: heard() } : {}),
    ...(profileDir === undefined ? {} : { profileDir }),
  });
  onTestFinished(() => browser.close());
  return browser;
}

/** Whether the page says so of itself, as an expression in it. */
export const isIn = (state: string) =>
  `document.getElementById("main")?.dataset.state === ${JSON.stringify(state)}`;

/** Presses "Turn on notifications", and waits until the server has the subscription. */
export async function turnOn(visitor: Visitor, serve: ServeCli): Promise<void> {
  await visitor.until(isIn("off"));
  await visitor.click("#action");
  await visitor.until(isIn("on"));
  await serve.record({ type: "stored", outcome: "added" });
}

/** The title of the next notification. */
export async function titleShownBy(browser: RunningBrowser): Promise<string> {
  return (await nextNotification(browser)).title;
}
