/** What only a process has: pipes that break, full disks, signals. They run the built program. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { binary, linesOf, spawnCli, spawnShell } from "../support/run-cli.ts";
import { sampleJson } from "../support/samples.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** A folder with more subscriptions than a pipe holds. */
async function crowdedProject(): Promise<string> {
  const cwd = tempFolder();
  const rows = Array.from({ length: 600 }, (_, index) => {
    return JSON.stringify(
      sampleJson("alice", { endpoint: `https://push.example.net/send/${index}-${"x".repeat(150)}` }),
    );
  });
  const { exitCode } = await spawnCli(["subscriptions", "import", "-"], { cwd, stdin: rows.join("\n") });
  expect(exitCode).toBe(0);
  return cwd;
}

test("a reader that goes away is no failure, and nothing is said about it", async () => {
  const cwd = await crowdedProject();
  for (const command of [
    "subscriptions list",
    "subscriptions list --json",
    "subscriptions export --format ndjson",
  ]) {
    const script = `webpush ${command} --quiet | head -n 1 > /dev/null; echo "\${PIPESTATUS[0]}"`;
    expect(await spawnShell(script, { cwd }), command).toEqual({ exitCode: 0, stdout: "0\n", stderr: "" });
  }
});

test("output that does not fit the disk is a failure, in one line", async () => {
  const { exitCode, stderr } = await spawnShell("webpush help > /dev/full");
  expect(exitCode).toBe(1);
  expect(linesOf(stderr)).toEqual(["error: cannot write output (ENOSPC)"]);
});

test("a file that cannot be written whole is not left behind, in the way of the next attempt", async () => {
  const cwd = tempFolder();
  const script = "webpush keys --quiet > /dev/null; ulimit -f 0; webpush keys export --output keys.json";
  const { exitCode, stderr } = await spawnShell(script, { cwd });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("error: cannot write keys.json (EFBIG)") as string,
  });
  expect(existsSync(join(cwd, "keys.json"))).toBe(false);
});

test("data and talk keep apart: stdout of keys is the key alone", async () => {
  const cwd = tempFolder();
  const { stdout } = await spawnShell('key=$(webpush keys 2> talk.txt); echo "${#key}"; wc -l < talk.txt', {
    cwd,
  });
  expect(linesOf(stdout).map(Number)).toEqual([87, 8]);
});

test("a run without anything to read ends at once, with stdin closed", async () => {
  const { exitCode, stderr } = await spawnCli(["subscriptions", "add"]);
  expect(exitCode).toBe(2);
  expect(linesOf(stderr)[0]).toBe("error: the subscription is empty");
});

describe("Ctrl-C", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("(%s) ends a wait for stdin with 130", async (signal) => {
    const child = spawn(process.execPath, [binary, "keys", "import", "-"], {
      cwd: tempFolder(),
      env: { PATH: process.env["PATH"] },
      stdio: ["pipe", "ignore", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
      if (stderr === "waiting for stdin to end…\n") child.kill(signal);
    });
    const [exitCode] = (await once(child, "close")) as [number | null];
    expect({ exitCode, stderr }).toEqual({
      exitCode: 130,
      stderr: "waiting for stdin to end…\nerror: interrupted\n",
    });
  });

  test("twice ends even a wait for a named pipe, which is said", async () => {
    const cwd = tempFolder();
    const pipe = join(cwd, "pipe");
    execFileSync("mkfifo", [pipe]);
    const env = { PATH: process.env["PATH"] };
    const child = spawn(process.execPath, [binary, "keys", "import", "pipe"], {
      cwd,
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const said = once(child.stderr, "data");
    const ended = once(child, "close");
    // A pipe can be opened for writing once somebody reads; nothing is ever written.
    const writer = await vi.waitFor(() => openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK), {
      timeout: 60_000,
    });
    onTestFinished(() => {
      closeSync(writer);
    });
    expect(String(await said)).toBe("waiting for pipe…\n");
    // Two of one kind may arrive as one.
    child.kill("SIGINT");
    child.kill("SIGTERM");
    expect(await ended).toEqual([null, expect.stringMatching(/^SIG(?:INT|TERM)$/)]);
  });
});

test("a folder that cannot be written is an error at once, not a wait for a lock", async () => {
  const cwd = tempFolder();
  writeFileSync(join(cwd, ".webpush"), "");
  const { exitCode, stderr } = await spawnCli(["keys"], { cwd });
  expect(exitCode).toBe(1);
  expect(linesOf(stderr)[0]).toMatch(/^error: cannot (?:read|write) .*\.webpush/);
});

test("a project is found from a folder below it", async () => {
  const cwd = tempFolder();
  await spawnCli(["keys"], { cwd });
  const { stdout } = await spawnShell("mkdir -p a/b && cd a/b && webpush keys", { cwd });
  expect(linesOf(stdout)).toHaveLength(1);
  expect(existsSync(join(cwd, "a", "b", ".webpush"))).toBe(false);
});
