/**
 * Remakes docs/images/two-terminals.png out of the real thing: `webpush serve --emulator` and `webpush send` in two
 * terminals, the page in a stock Chromium, and what that asked the desktop to show. Only the frames are drawn.
 *
 *   node scripts/picture.mjs [file]
 *
 * Needs tmux, Chromium and the built program; no network.
 */
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { openBrowser } from "../dist/browsers/open.js";
import { findBrowser } from "../dist/browsers/find.js";
import { compose, width } from "./picture/compose.mjs";
import { openTerminal } from "./picture/terminal.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const output = process.argv[2] ?? join(root, "docs/images/two-terminals.png");
const project = join(mkdtempSync(join(tmpdir(), "picture-")), "harbour");
mkdirSync(join(project, "node_modules/.bin"), { recursive: true });
writeFileSync(
  join(project, "node_modules/.bin/webpush"),
  `#!/bin/sh\nexec ${process.execPath} ${root}bin/webpush.js "$@"\n`,
  { mode: 0o755 },
);
const env = {
  PATH: `${project}/node_modules/.bin:${process.env.PATH}`,
  HOME: project,
  LANG: "C.UTF-8",
  TERM: "tmux-256color",
};

const bin = join(root, "bin/webpush.js");
execFileSync(process.execPath, [bin, "keys", "--subject", "mailto:ops@harbour.shop", "--quiet"], {
  cwd: project,
  env,
});

/** Looks again and again, for a minute at most; nothing here is timed. */
async function until(look) {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = look();
    if (found) return found;
    await delay(100);
  }
  throw new Error(`waited a minute for ${look}`);
}

const serve = openTerminal({ columns: 86, rows: 28, cwd: project, env });
const send = openTerminal({ columns: 62, rows: 7, cwd: project, env });
let browser;
try {
  serve.type("webpush serve --emulator");
  const address = await until(() => /http:\/\/127\.0\.0\.1:8030/.exec(serve.text())?.[0]);
  const identity = await until(() => {
    const file = join(project, ".webpush/emulator/identity.json");
    return existsSync(file) && JSON.parse(readFileSync(file, "utf8"));
  });
  const key = new X509Certificate(identity.certificate).publicKey.export({ type: "spki", format: "der" });
  browser = await openBrowser({
    name: "chromium",
    executable: undefined,
    env: process.env,
    wiring: {
      port: Number(new URL(address).port),
      spkiSha256: createHash("sha256").update(key).digest("base64"),
    },
    url: "http://localhost:8040/",
    headless: true,
    remoteDebugging: true,
    signal: AbortSignal.timeout(120_000),
  });
  const port = await until(() => {
    const file = join(browser.profileDir, "DevToolsActivePort");
    return existsSync(file) && readFileSync(file, "utf8").split("\n")[0];
  });
  const connection = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const page = connection.contexts()[0].pages()[0];
  await page.setViewportSize({ width: 460, height: 506 });
  await page.getByRole("button", { name: "Turn on notifications" }).click();
  await page.getByText("Turn off").waitFor();
  send.type('webpush send --title "New reply" --body "Ada answered you"');
  const { value: notification } = await browser.notifications[Symbol.asyncIterator]().next();
  await until(() => serve.text().includes("acknowledged") && serve.text().includes("showed notification"));
  await until(() => /accepted/.test(send.text()));
  await page.evaluate(() => scrollTo(0, 0));
  const parts = {
    serve: serve.html(),
    send: send.html(),
    page: await page.screenshot(),
    icon: readFileSync(join(root, "templates/client/icons/icon-192.png")),
    notification: { title: notification.title, body: notification.body, origin: "localhost:8040" },
  };
  await connection.close();

  const painter = await chromium.launch({
    executablePath: findBrowser("chromium", { env: process.env, executable: undefined }),
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  const canvas = await painter.newPage({ viewport: { width, height: 100 }, deviceScaleFactor: 2 });
  await canvas.setContent(compose(parts));
  mkdirSync(dirname(output), { recursive: true });
  await canvas.screenshot({ path: output, fullPage: true, omitBackground: true });
  await painter.close();
  console.log(`wrote ${output}`);
} finally {
  await browser?.close();
  serve.press("C-c");
  // The prompt is back: the server writes its state down until the end.
  await until(() => serve.text().trimEnd().endsWith("\n$")).catch(() => console.error(serve.text()));
  serve.close();
  send.close();
  rmSync(dirname(project), { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
}
