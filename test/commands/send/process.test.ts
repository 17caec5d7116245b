/** What only a process has: signals, pipes, a command line that others can read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { linesOf, spawnCli, spawnShell } from "../../support/run-cli.ts";
import { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { ScriptedPushService } from "../../support/scripted-push-service.ts";
import { createBrowser, createGate, openProject, ourPair, startCli, storedIn } from "./sending.ts";

const isLinux = process.platform === "linux";

describe("exit codes of the program", () => {
  test.each([
    [0, 201],
    [1, 400],
    [4, 403],
    [5, 410],
    [6, 503],
  ])("%i for an answer of %i", async (code, status) => {
    await using service = await ScriptedPushService.start({ status });
    const cwd = await openProject({ browsers: [createBrowser(service.endpoint(), { name: "phone" })] });
    const { exitCode } = await spawnCli(["send", "hi"], { cwd });
    expect(exitCode).toBe(code);
  });

  test("2 for input that is none, 3 for a part", async () => {
    await using service = await ScriptedPushService.start({}, { status: 503 });
    const browsers = ["/1", "/2"].map((path) => createBrowser(service.endpoint(path)));
    const cwd = await openProject({ browsers });
    expect((await spawnCli(["send", "hi", "--ttl", "x"], { cwd })).exitCode).toBe(2);
    expect((await spawnCli(["send", "hi"], { cwd })).exitCode).toBe(3);
  });
});

describe("Ctrl-C", () => {
  test("lets what is in flight end, begins nothing more, stores what is known, and ends with 130", async () => {
    const answer = createGate();
    await using service = await ScriptedPushService.start({ after: answer.opened });
    const browsers = ["one", "two", "three"].map((name) =>
      createBrowser(service.endpoint(`/${name}`), { name }),
    );
    const cwd = await openProject({ browsers });
    const { child, said, ended } = startCli(["send", "hi", "--concurrency", "1", "--json"], { cwd });
    await service.received(1);
    child.kill("SIGINT");
    await said("stopping");
    answer.open();
    const { exitCode, stdout, stderr } = await ended;
    const records = linesOf(stdout).map(
      (line) => JSON.parse(line) as { name: string; outcome: string; cause: string },
    );
    expect(records.map(({ name, outcome, cause }) => [name, outcome, cause])).toEqual([
      ["two", "skipped", "interrupted"],
      ["three", "skipped", "interrupted"],
      ["one", "accepted", "ok"],
    ]);
    expect(linesOf(stderr).slice(-2)).toEqual([
      "3 in all: 1 accepted, 2 not sent",
      "hint: with --journal FILE the same command would go on where it stopped",
    ]);
    expect((await storedIn(cwd)).get("one")?.lastResult?.outcome).toBe("accepted");
    expect(exitCode).toBe(130);
  });

  test("ends with 130 also when all that was sent was accepted", async () => {
    const answer = createGate();
    await using service = await ScriptedPushService.start({ after: answer.opened });
    const { child, said, ended } = startCli(
      ["send", "hi", "--subscription", createBrowser(service.endpoint()).json],
      { cwd: await openProject() },
    );
    await service.received(1);
    child.kill("SIGTERM");
    await said("stopping");
    answer.open();
    const { exitCode, stderr } = await ended;
    expect(linesOf(stderr).at(-1)).toBe("1 in all: 1 accepted");
    expect(exitCode).toBe(130);
  });

  test("twice gives up what is in flight, and says that it may have arrived", async () => {
    await using service = await ScriptedPushService.start({ fault: "stall-before-headers" });
    const { child, said, ended } = startCli(
      ["send", "hi", "--json", "--subscription", createBrowser(service.endpoint()).json],
      { cwd: await openProject() },
    );
    await service.received(1);
    child.kill("SIGINT");
    await said("stopping");
    child.kill("SIGINT");
    const { exitCode, stdout } = await ended;
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "ambiguous", cause: "net.ambiguous" });
    expect(exitCode).toBe(130);
  });
});

test.runIf(isLinux)("Ctrl-C twice ends a run whose results nobody reads any more", async () => {
  await using service = await AcceptingPushService.start();
  const browsers = Array.from({ length: 600 }, (_, index) => createBrowser(service.endpoint(`/${index}`)));
  const cwd = await openProject({ browsers });
  const { child, said, ended } = startCli(["send", "hi", "--json", "--yes"], { cwd });
  child.stdout.pause(); // 600 records are more than a pipe holds
  await service.received(100);
  child.kill("SIGINT");
  await said("stopping");
  child.kill("SIGINT");
  await new Promise((resolve) => child.once("exit", resolve));
  child.stdout.resume();
  expect((await ended).stderr).toContain("600 in all:");
});

test("Ctrl-C ends the wait for a stdin that never ends, and nothing is sent", async () => {
  const cwd = await openProject({ browsers: [createBrowser("http://127.0.0.1:9/never-asked")] });
  const { child, said, ended } = startCli(["send"], { cwd });
  await said("waiting for stdin to end");
  child.kill("SIGINT");
  expect(await ended).toMatchObject({ exitCode: 130, stdout: "" });
});

describe("in a script", () => {
  test("a loop that reads lines keeps its lines", async () => {
    await using service = await ScriptedPushService.start({}, {}, {});
    const browsers = ["ada", "bob", "carl"].map((name) =>
      createBrowser(service.endpoint(`/${name}`), { name }),
    );
    const cwd = await openProject({ browsers });
    const script = 'while read -r name; do webpush send --to "$name" "Hello $name" --quiet >/dev/null; done';
    const { exitCode } = await spawnShell(script, { cwd, stdin: "ada\nbob\ncarl\n" });
    expect(service.requests.map(({ path }) => path)).toEqual(["/ada", "/bob", "/carl"]);
    expect(exitCode).toBe(0);
  });

  test("a reader that has seen enough spoils neither the sending nor the exit code", async () => {
    const replies = Array.from({ length: 60 }, (_, index) => (index === 59 ? { status: 503 } : {}));
    await using service = await ScriptedPushService.start(...replies);
    const browsers = replies.map((_, index) => createBrowser(service.endpoint(`/${index}`)));
    const cwd = await openProject({ browsers });
    const script = "webpush send hi --json --concurrency 1 --yes | head -n 1; echo ${PIPESTATUS[0]}";
    const { stdout } = await spawnShell(script, { cwd });
    expect(linesOf(stdout).length).toBe(2);
    expect(linesOf(stdout)[1]).toBe("3");
    expect(service.requests.length).toBe(60);
  });

  test.runIf(isLinux)("where results cannot be written, nothing more is begun", async () => {
    const stored = Array.from({ length: 200 }, (_, index) => `/${index}`);
    await using service = await AcceptingPushService.start();
    const cwd = await openProject({ browsers: stored.map((path) => createBrowser(service.endpoint(path))) });
    const script = "webpush send hi --json --concurrency 2 --yes >/dev/full";
    const { exitCode, stderr } = await spawnShell(script, { cwd });
    expect(stderr).toContain("error: cannot write output (ENOSPC)");
    expect(stderr).toMatch(/200 in all: \d accepted, 19\d not sent/);
    expect(service.paths.length).toBeLessThan(10);
    expect(exitCode).toBe(1);
  });

  test("cron's closed streams are no trouble", async () => {
    await using service = await ScriptedPushService.start({}, {});
    const cwd = await openProject({ browsers: [createBrowser(service.endpoint(), { name: "phone" })] });
    const { exitCode } = await spawnShell("webpush send hi <&- >&- 2>&- && webpush send <&-", { cwd });
    expect(exitCode).toBe(0);
  });

  test("a pipe that nobody closes is not waited for when there is a message", async () => {
    await using service = await ScriptedPushService.start({});
    const cwd = await openProject({ browsers: [createBrowser(service.endpoint(), { name: "phone" })] });
    const { ended } = startCli(["send", "hi"], { cwd }); // its stdin stays open
    expect((await ended).exitCode).toBe(0);
  });

  test("bytes go from pipe to browser as they are", async () => {
    await using service = await ScriptedPushService.start({});
    const browser = createBrowser(service.endpoint(), { name: "phone" });
    const cwd = await openProject({ browsers: [browser] });
    await spawnShell("printf 'a\\0b\\377\\n' | webpush send", { cwd });
    expect(browser.read(service.requests[0])).toEqual(Buffer.from([0x61, 0x00, 0x62, 0xff, 0x0a]));
  });
});

test.runIf(isLinux)(
  "the private key is neither on the command line nor in a new environment of the running program",
  async () => {
    const answer = createGate();
    await using service = await ScriptedPushService.start({ after: answer.opened });
    const cwd = await openProject({ browsers: [createBrowser(service.endpoint(), { name: "phone" })] });
    const { pid, ended } = startCli(["send", "hi"], { cwd });
    await service.received(1);
    const shown = ["cmdline", "environ"]
      .map((name) => readFileSync(`/proc/${pid}/${name}`, "latin1"))
      .join("\0");
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    answer.open();
    await ended;
    expect(shown).toContain("send");
    expect(shown).not.toContain(ourPair.privateKey.reveal());
    expect(children).toBe("");
    expect(readFileSync(join(cwd, ".webpush", "config.json"), "utf8")).toContain(ourPair.privateKey.reveal());
  },
);
