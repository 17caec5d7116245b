import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openGate } from "../../src/browsers/gate.ts";
import { startProcess, type BrowserProcess } from "../../src/browsers/process.ts";
import { openProfile } from "../../src/browsers/profile.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** A program that says on stderr when it is ready, and the ids of its child, if it has one. */
async function run(script: string, graceMs = 10_000): Promise<BrowserProcess> {
  const args = ["-e", script];
  const started = await startProcess({ executable: process.execPath, args, env: process.env, graceMs });
  onTestFinished(() => started.end());
  return started;
}

const saidReady = async (started: BrowserProcess): Promise<string> => {
  await expect.poll(() => started.lastWords().at(-1), { timeout: 20_000 }).toMatch(/^ready/);
  return started.lastWords().at(-1) ?? "";
};

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(process.platform === "win32")("a program", () => {
  test("that is ended was closed", async () => {
    const started = await run("setInterval(() => {}, 1000); console.error('ready')");
    await saidReady(started);
    await started.end();
    expect(await started.exited).toMatchObject({ code: null, why: "closed" });
    expect(isRunning(started.pid)).toBe(false);
  });

  test("that ends well by itself was closed, one that does not has crashed, and its last words are kept", async () => {
    expect(await (await run("")).exited).toMatchObject({ code: 0, why: "closed" });
    const failing = await run("console.error('one\\n\\ntwo'); process.exitCode = 3");
    expect(await failing.exited).toEqual({ code: 3, why: "crashed", lastWords: ["one", "two"] });
  });

  test("that does not end when asked is killed, and so are its children", async () => {
    const deaf = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";
    const child = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['-e', ${JSON.stringify(`${deaf} console.log('up')`)}]);
      child.stdout.once('data', () => console.error('ready', child.pid));`;
    const started = await run(`${deaf} ${child}`, 200);
    const childPid = Number((await saidReady(started)).split(" ")[1]);
    expect(isRunning(childPid)).toBe(true);
    await started.end();
    expect(await started.exited).toMatchObject({ code: null, why: "closed" });
    await expect.poll(() => isZombieOrGone(childPid), { timeout: 10_000 }).toBe(true);
  });

  test("that is none is said to be one that cannot be started", async () => {
    const executable = join(tempFolder(), "browser");
    writeFileSync(executable, "#!/missing/interpreter", { mode: 0o700 });
    await expect(startProcess({ executable, args: [], env: {} })).rejects.toMatchObject({
      code: "browser-start",
      message: `${executable} cannot be started: ENOENT`,
    });
  });
});

/** A killed orphan stays in the table until its new parent has looked, which in a container may be never. */
function isZombieOrGone(pid: number): boolean {
  if (!isRunning(pid)) return true;
  const status = `/proc/${pid}/status`;
  return existsSync(status) && /^State:\sZ/m.test(readFileSync(status, "utf8"));
}

describe("a profile", () => {
  test("of its own is a folder that only its owner can enter, gone at the end", async () => {
    const env = { TMPDIR: tempFolder() };
    const profile = await openProfile("firefox", { env, given: undefined });
    expect(profile.path.startsWith(join(env.TMPDIR, "webpush-firefox-"))).toBe(true);
    expect(statSync(profile.path).mode & 0o777).toBe(0o700);
    await mkdir(join(profile.path, "cache"));
    writeFileSync(join(profile.path, "cache", "entry"), "");
    await profile.remove();
    expect(existsSync(profile.path)).toBe(false);
  });

  test("that was given is made when it is missing, and stays", async () => {
    const given = join(tempFolder(), "mine");
    const profile = await openProfile("firefox", { env: {}, given });
    await profile.remove();
    expect(existsSync(given)).toBe(true);
  });

  test("that cannot be made is said, with what to do", async () => {
    const env = { TMPDIR: join(tempFolder(), "missing") };
    await expect(openProfile("firefox", { env, given: undefined })).rejects.toMatchObject({
      code: "browser-profile",
      message: `no folder for the browser can be made at ${env.TMPDIR}: ENOENT`,
    });
  });
});

describe("the gate before a browser's page", () => {
  async function open(url: string, until: Promise<unknown>) {
    const gate = await openGate({ url, until, pushService: "http://127.0.0.1:8030" });
    onTestFinished(() => gate.close());
    return gate;
  }

  test("sends on to the page, but only once it may be opened", async () => {
    let allow: () => void = () => undefined;
    const gate = await open("http://127.0.0.1:8040/", new Promise<void>((resolve) => (allow = resolve)));
    let isAnswered = false;
    const answer = fetch(gate.url, { redirect: "manual" }).finally(() => (isAnswered = true));
    await gate.reached;
    expect(isAnswered).toBe(false);
    allow();
    const { status, headers } = await answer;
    expect([status, headers.get("location")]).toEqual([302, "http://127.0.0.1:8040/"]);
  });

  test("is a page itself where there is none to send to", async () => {
    const gate = await open("about:blank", Promise.resolve());
    expect(await (await fetch(gate.url)).text()).toContain(
      "gets its push messages from http://127.0.0.1:8030",
    );
  });

  test("has an address that cannot be guessed", async () => {
    const gate = await open("about:blank", Promise.resolve());
    expect((await fetch(new URL("/", gate.url))).status).toBe(404);
    expect(new URL(gate.url).pathname).toMatch(/^\/[0-9a-f]{32}$/);
  });
});
