/** Opening and closing, with a program that only acts as a browser: it asks for its page and waits. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { LaunchOptions, RunningBrowser } from "../../src/browsers/browser.ts";
import { openBrowser } from "../../src/browsers/open.ts";
import { startStaticServer } from "../support/static-server.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** Asks for the last of its arguments, as a browser does, writes what it was given beside itself, then does `then`. */
function actor(then: string): string {
  const path = join(tempFolder(), "browser");
  const script = `#!${process.execPath}
    const { writeFileSync } = require("node:fs");
    writeFileSync(__filename + ".json", JSON.stringify({ args: process.argv.slice(2), env: process.env }));
    fetch(process.argv.at(-1)).then(() => { ${then} });
    setInterval(() => {}, 1000);`;
  writeFileSync(path, script, { mode: 0o700 });
  return path;
}

async function open(executable: string, over: Partial<LaunchOptions> = {}): Promise<RunningBrowser> {
  const browser = await openBrowser({
    name: "firefox",
    executable,
    env: { TMPDIR: tempFolder() },
    wiring: { port: 8030, spkiSha256: "c3BraQ==" },
    url: "about:blank",
    headless: true,
    signal: new AbortController().signal,
    ...over,
  });
  onTestFinished(() => browser.close());
  return browser;
}

describe.skipIf(process.platform === "win32")("a browser", () => {
  test("is opened with a wired profile, and closed without a trace", async () => {
    const env = { TMPDIR: tempFolder() };
    const browser = await open(actor(""), { env });
    const preferences = readFileSync(join(browser.profileDir, "user.js"), "utf8");
    expect(preferences).toContain('user_pref("dom.push.serverURL", "ws://127.0.0.1:8030/");');
    expect(browser.profileDir.startsWith(join(env.TMPDIR, "webpush-firefox-"))).toBe(true);
    await browser.close();
    expect(await browser.exited).toMatchObject({ why: "closed" });
    expect(readdirSync(env.TMPDIR)).toEqual([]);
  });

  test("gets its page only when the push service has heard from it", async () => {
    await using site = await startStaticServer(tempFolder(), { answer: () => ({ status: 200 }) });
    let hear: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (hear = resolve));
    let isOpen = false;
    const executable = actor("");
    const opening = open(executable, { url: `${site.origin}/page`, ready }).then(() => (isOpen = true));
    await expect.poll(() => existsSync(`${executable}.json`)).toBe(true);
    expect([isOpen, site.requests.length]).toEqual([false, 0]);
    hear();
    await opening;
    await expect.poll(() => site.requests.map(({ path }) => path)).toEqual(["/page"]);
  });

  test("keeps a profile that was given, and what is in it", async () => {
    const profileDir = join(tempFolder(), "mine");
    const browser = await open(actor(""), { name: "chromium", profileDir });
    await browser.close();
    expect(existsSync(join(profileDir, "Default/Preferences"))).toBe(true);
  });

  test("is not told the secrets that are ours", async () => {
    const executable = actor("");
    const env = { TMPDIR: tempFolder(), VAPID_PRIVATE_KEY: "k", WEBPUSH_DATABASE_URL: "u", LANG: "C" };
    await open(executable, { env });
    const given = JSON.parse(readFileSync(`${executable}.json`, "utf8")) as { env: object };
    expect(Object.keys(given.env)).toEqual(expect.arrayContaining(["LANG", "TMPDIR"]));
    expect(Object.keys(given.env).filter((name) => /^(VAPID|WEBPUSH)/.test(name))).toEqual([]);
  });

  test("that a person closes, or that crashes, is told; its profile goes all the same", async () => {
    const closed = await open(actor("process.exit(0)"));
    expect(await closed.exited).toMatchObject({ why: "closed", code: 0 });
    for await (const notification of closed.notifications) expect(notification).toBeUndefined();
    await closed.close();
    expect(existsSync(closed.profileDir)).toBe(false);

    const crashed = await open(actor("console.error('out of memory'); process.exit(9)"));
    expect(await crashed.exited).toEqual({ why: "crashed", code: 9, lastWords: ["out of memory"] });
  });

  test("is closed by the signal, and closing it again is no error", async () => {
    const stop = new AbortController();
    const browser = await open(actor(""), { signal: stop.signal });
    stop.abort();
    expect(await browser.exited).toMatchObject({ why: "closed" });
    await browser.close();
    expect(existsSync(browser.profileDir)).toBe(false);
  });

  test("that is stopped while it comes up leaves nothing behind", async () => {
    const env = { TMPDIR: tempFolder() };
    const stop = new AbortController();
    const never = new Promise<void>(() => undefined);
    const opening = open(actor(""), { env, signal: stop.signal, ready: never });
    await expect.poll(() => readdirSync(env.TMPDIR).length).toBeGreaterThan(0);
    stop.abort(new Error("stopped"));
    await expect(opening).rejects.toThrow("stopped");
    expect(readdirSync(env.TMPDIR)).toEqual([]);
  });

  test("whose folder for temporary files has a long path still gets a bus: a socket's path is short", async () => {
    const folder = join(tempFolder(), "x".repeat(120));
    mkdirSync(folder);
    const executable = actor("");
    const browser = await open(executable, { name: "chromium", env: { TMPDIR: folder } });
    expect(browser.seesNotifications).toBe(process.platform === "linux");
    const given = JSON.parse(readFileSync(`${executable}.json`, "utf8")) as { env: Record<string, string> };
    if (browser.seesNotifications)
      expect(given.env["DBUS_SESSION_BUS_ADDRESS"]).toMatch(/^unix:path=\/tmp\/webpush-\w+\/bus$/);
  });

  test("with a window, on a desktop that is there, is left to that desktop", async () => {
    const executable = actor("");
    const env = {
      TMPDIR: tempFolder(),
      DISPLAY: ":0",
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/1/bus",
    };
    const browser = await open(executable, { name: "chromium", headless: false, env });
    expect(browser.seesNotifications).toBe(false);
    const given = JSON.parse(readFileSync(`${executable}.json`, "utf8")) as { env: Record<string, string> };
    expect(given.env["DBUS_SESSION_BUS_ADDRESS"]).toBe("unix:path=/run/user/1/bus");
  });
});
