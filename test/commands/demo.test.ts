import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { linesOf, runJson, runMain, spawnCli } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { startCli } from "./send/sending.ts";

/** Makes the demo keep its throw-away projects where a test can look. */
function watchTemporaryFolder() {
  const folder = tempFolder();
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });
  const left = (): readonly string[] => readdirSync(folder).filter((name) => name.startsWith("webpush-demo"));
  return { folder, left };
}

describe("the round trip", () => {
  test("is told step by step on stderr; what arrived is on stdout", async () => {
    const { left } = watchTemporaryFolder();
    const { exitCode, stdout, stderr } = await runMain(["demo", "It works"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "It works\n" });
    expect(linesOf(stderr).filter((line) => /^\d/.test(line))).toEqual([
      "1  A key pair says who is sending (VAPID, RFC 8292)",
      "2  A push service waits between sender and receiver (RFC 8030)",
      "3  A receiver subscribes: an address and keys to encrypt for",
      "4  The message is encrypted, signed and posted (RFC 8291)",
      "5  The receiver decrypts it, and shows:",
    ]);
    expect(stderr).toContain("   $ webpush send --to demo --ttl 600 'It works'\n");
    expect(left()).toEqual([]);
  });

  test("fits 80 columns", async () => {
    const { stderr } = await runMain(["demo"]);
    expect(linesOf(stderr).filter((line) => line.length > 80)).toEqual([]);
  });

  test("is a record with --json", async () => {
    const { exitCode, records } = await runJson(["demo", "It works", "--quiet"]);
    expect(records).toEqual([
      {
        publicKey: expect.stringMatching(/^B[\w-]{86}$/) as string,
        service: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
        browser: null,
        outcome: "accepted",
        status: 201,
        sendMs: expect.any(Number) as number,
        acknowledgedMs: null,
        shownMs: null,
        title: "It works",
        encryptedBytes: 171,
      },
    ]);
    expect(exitCode).toBe(0);
  });

  test("says nothing but the message with --quiet", async () => {
    expect(await runMain(["demo", "--quiet"])).toEqual({
      exitCode: 0,
      stdout: "Hello from your terminal\n",
      stderr: "",
    });
  });

  test("shows the wire with --verbose, without secrets", async () => {
    const { stderr } = await runMain(["demo", "--verbose"]);
    expect(stderr).toMatch(/^--> POST 127\.0\.0\.1:\d+\/….*authorization: \[secret\]$/m);
    expect(stderr).not.toMatch(/eyJ/);
  });

  test("touches no project of the person's", async () => {
    const cwd = tempFolder();
    await runMain(["demo", "--quiet"], { cwd });
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("can be told ten at a time", async () => {
    const runs = await Promise.all(
      Array.from({ length: 10 }, (_, index) => runMain(["demo", `no. ${index}`, "-q"])),
    );
    expect(runs.map(({ stdout }) => stdout)).toEqual(runs.map((_, index) => `no. ${index}\n`));
  });
});

describe("any message", () => {
  const hostile = "\u001b[2J\u001b]0;pwned\u0007\r\u009b31m\u202eend'; rm -rf / '";
  const driving = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

  test.each([[], ["--verbose"], ["--json"], ["--quiet"]].map((argv) => [argv]))(
    "cannot drive the terminal: %j",
    async (argv) => {
      const { exitCode, stdout, stderr } = await runMain(["demo", hostile, ...argv]);
      expect(exitCode).toBe(0);
      expect(stdout).not.toMatch(driving);
      expect(stderr).not.toMatch(driving);
    },
  );

  test("arrives as it was", async () => {
    const { records } = await runJson(["demo", hostile, "-q"]);
    expect(records).toMatchObject([{ title: hostile }]);
  });

  test.each([
    ["an empty one", "", "the message is empty"],
    ["one of blanks", "  ", "the message is empty"],
    ["one too long", "x".repeat(4000), "the most is 3 993"],
  ])("%s is refused before the story begins", async (_name, message, error) => {
    const { exitCode, stdout, stderr } = await runMain(["demo", message]);
    expect(linesOf(stderr)[0]).toContain(error);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });
});

describe("any surroundings", () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    [
      "a proxy",
      {
        HTTPS_PROXY: "http://127.0.0.1:9",
        HTTP_PROXY: "http://127.0.0.1:9",
        ALL_PROXY: "http://127.0.0.1:9",
      },
    ],
    ["a proxy of another kind", { ALL_PROXY: "socks5://127.0.0.1:9" }],
    ["half a key pair", { VAPID_PUBLIC_KEY: "BA" }],
    ["settings of send", { WEBPUSH_TTL: "0", WEBPUSH_TO: "nobody", WEBPUSH_ENCODING: "aesgcm" }],
  ])("%s in the environment", async (_name, env) => {
    expect(await runMain(["demo", "hi", "-q"], { env })).toMatchObject({ exitCode: 0, stdout: "hi\n" });
  });

  test("a folder with a damaged project in it", async () => {
    const cwd = tempFolder();
    mkdirSync(join(cwd, ".webpush"));
    writeFileSync(join(cwd, ".webpush", "config.json"), "{ damaged");
    expect(await runMain(["demo", "hi", "-q"], { cwd })).toMatchObject({ exitCode: 0, stdout: "hi\n" });
  });

  test("no HOME, and a folder that is the system's", async () => {
    expect(await spawnCli(["demo", "hi", "-q"], { cwd: "/proc" })).toEqual({
      exitCode: 0,
      stdout: "hi\n",
      stderr: "",
    });
  });

  test("no place for temporary files is said, with what to do", async () => {
    // Below a file no folder can be made, not even by root, for whom Node's compile cache makes whole paths.
    const env = { TMPDIR: "/dev/null" };
    const { exitCode, stderr } = await spawnCli(["demo"], { env });
    expect(linesOf(stderr)).toEqual([
      "error: cannot make a folder in /dev/null (ENOTDIR)",
      "hint: set TMPDIR to a folder you may write to",
    ]);
    expect(exitCode).toBe(1);
  });
});

describe("stopped in the middle", () => {
  test.each(["1  A key pair", "2  A push service", "3  A receiver", "4  The message"])(
    "after step %s it ends with 130, says so in a word, and leaves nothing behind",
    async (step) => {
      const { folder, left } = watchTemporaryFolder();
      const { child, said, ended } = startCli(["demo"], { env: { TMPDIR: folder } });
      await said(step);
      child.kill("SIGINT");
      const { exitCode, stderr } = await ended;
      // It may have been faster than the signal; it must not have been anything else.
      expect([0, 130]).toContain(exitCode);
      if (exitCode === 130) expect(linesOf(stderr).at(-1)).toBe("error: interrupted");
      expect(stderr).not.toContain("    at ");
      expect(left()).toEqual([]);
    },
  );

  test("before it begins, likewise", async () => {
    const { left } = watchTemporaryFolder();
    const { exitCode, stdout, stderr } = await runMain(["demo"], { signal: AbortSignal.abort() });
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: "" });
    expect(linesOf(stderr).at(-1)).toBe("error: interrupted");
    expect(left()).toEqual([]);
  });
});
