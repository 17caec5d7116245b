/** `webpush demo --browser`: the whole round trip in stock browsers, nobody at the screen. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { browserNames } from "../../src/browsers/browser.ts";
import { isInstalled } from "../browsers/emulated.ts";
import { linesOf, spawnCli } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";

/**
 * The machine's own environment, since browsers need more than PATH, with a folder of its own for what is thrown away;
 * Node 22 would keep its compile cache there.
 */
function environment(): Record<string, string | undefined> {
  const ours = { TMPDIR: tempFolder(), NODE_DISABLE_COMPILE_CACHE: "1", NO_COLOR: "1" };
  return { ...process.env, ...ours, CI: undefined };
}

describe.each(browserNames)("in %s", { timeout: 180_000 }, (name) => {
  test.skipIf(!isInstalled(name))(
    "a notification is shown, told step by step, and nothing is left",
    async () => {
      const env = environment();
      const { exitCode, stdout, stderr } = await spawnCli(
        ["demo", "--browser", name, "--headless", "It works"],
        {
          env,
        },
      );
      expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 0, stdout: "It works\n" });
      const title = name === "firefox" ? "Firefox" : "Chromium";
      expect(linesOf(stderr).filter((line) => /^\d/.test(line))).toEqual([
        "1  A key pair says who is sending (VAPID, RFC 8292)",
        "2  A push service waits between sender and receiver (RFC 8030)",
        `3  ${title} opens the page, with this push service instead of its own`,
        "4  The page subscribes: an address and keys to encrypt for",
        "5  The message is encrypted, signed and posted (RFC 8291)",
        `6  ${title} decrypts it, and its service worker shows:`,
      ]);
      expect(linesOf(stderr).filter((line) => line.length > 80)).toEqual([]);
      expect(readdirSync(env["TMPDIR"] ?? "")).toEqual([]);
    },
  );

  test.skipIf(!isInstalled(name))("--json is one record", async () => {
    const { exitCode, stdout } = await spawnCli(["demo", "--browser", name, "--headless", "--json", "-q"], {
      env: environment(),
    });
    expect({ exitCode, record: JSON.parse(stdout) as unknown }).toEqual({
      exitCode: 0,
      record: {
        publicKey: expect.stringMatching(/^B[\w-]{86}$/) as string,
        service: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
        browser: name,
        outcome: "accepted",
        status: 201,
        sendMs: expect.any(Number) as number,
        acknowledgedMs: expect.any(Number) as number,
        shownMs: expect.any(Number) as number,
        title: "Hello from your terminal",
        encryptedBytes: expect.any(Number) as number,
      },
    });
  });
});

test("a browser that is not there is named, with what to do", async () => {
  const { exitCode, stderr } = await spawnCli(
    ["demo", "--browser", "chromium", "--executable", "/nowhere/chromium"],
    {
      env: environment(),
    },
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain('no program is at "/nowhere/chromium"');
});
