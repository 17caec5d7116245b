/** Whole runs of `webpush doctor`. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createServer } from "node:net";
import { once } from "node:events";
import { linesOf, runJson, runMain } from "../../support/run-cli.ts";
import { sampleJson } from "../../support/samples.ts";
import { ScriptedPushService } from "../../support/scripted-push-service.ts";
import { tempFolder } from "../../support/temp-folder.ts";

interface Finding {
  readonly type: string;
  readonly check: string;
  readonly level: string;
  readonly what: string;
  readonly where: string | null;
  readonly about: string | null;
}

/** A project with a key pair, a real contact, and these subscriptions. */
async function project(...subscriptions: readonly object[]): Promise<string> {
  const cwd = tempFolder();
  await runMain(["keys", "--subject", "mailto:ops@harbour.shop"], { cwd });
  for (const one of subscriptions) await runMain(["subscriptions", "add", JSON.stringify(one)], { cwd });
  return cwd;
}

async function findings(argv: readonly string[], cwd: string) {
  const { records, exitCode, stderr } = await runJson(["doctor", ...argv], { cwd });
  const found = (records as Finding[]).filter(({ type }) => type === "finding");
  return { exitCode, stderr, found, bad: found.filter(({ level }) => level === "problem") };
}

test("a healthy project: nothing to do, exit code 0, and the sum adds up", async () => {
  const { exitCode, records } = await runJson(["doctor"], {
    cwd: await project(sampleJson("phone")),
  });
  expect(exitCode).toBe(0);
  const summary = records.at(-1) as Record<string, number | string | null>;
  expect(summary).toMatchObject({ type: "summary", problems: 0, first: null, exitCode: 0 });
  const { good, notes, warnings, skipped } = summary as Record<string, number>;
  expect((good ?? 0) + (notes ?? 0) + (warnings ?? 0) + (skipped ?? 0)).toBe(records.length - 1);
});

describe("the exit code is that of the worst", () => {
  test("4: no keys at all", async () => {
    const { exitCode, bad } = await findings([], tempFolder());
    expect(bad.map(({ check }) => check)).toEqual(["keys.pair", "keys.subject"]);
    expect(exitCode).toBe(4);
  });

  test("5: all that is wrong is gone", async () => {
    const cwd = await project(sampleJson("old", { endpoint: "https://android.googleapis.com/gcm/send/x" }));
    expect((await findings([], cwd)).exitCode).toBe(5);
  });

  test("6: all that is wrong is the network", async () => {
    const cwd = await project(sampleJson("phone", { endpoint: await closedEndpoint() }));
    const { exitCode, bad } = await findings(["--online"], cwd);
    expect(bad.map(({ check }) => check)).toEqual(["network.reach"]);
    expect(exitCode).toBe(6);
  });

  test("1: different things are wrong", async () => {
    const cwd = tempFolder();
    const dead = sampleJson("old", { endpoint: "https://android.googleapis.com/gcm/send/x" });
    await runMain(["subscriptions", "add", JSON.stringify(dead)], { cwd });
    expect((await findings([], cwd)).exitCode).toBe(1);
  });

  test("0 for warnings, 1 with --strict", async () => {
    const cwd = await project(sampleJson("phone"));
    await runMain(["config", "set", "ttl", "0"], { cwd });
    expect((await findings([], cwd)).exitCode).toBe(0);
    expect((await findings(["--strict"], cwd)).exitCode).toBe(1);
  });
});

test("a damaged file is a finding; the other checks go on, and the file stays", async () => {
  const cwd = await project(sampleJson("phone"));
  writeFileSync(join(cwd, ".webpush", "config.json"), '{"version": 1, "keys": [');
  const { exitCode, found, bad } = await findings([], cwd);
  expect(bad.map(({ check }) => check)).toEqual(["files.damaged"]);
  expect(found.find(({ check }) => check === "keys.pair")?.level).toBe("skipped");
  expect(found.find(({ check }) => check === "subscriptions.stored")?.level).toBe("good");
  expect(exitCode).toBe(1);
});

test("a setting that does not read is a finding, and not the end of the run", async () => {
  const cwd = await project();
  const file = join(cwd, ".webpush", "config.json");
  await runMain(["config", "set", "timeout", "5s"], { cwd });
  const { readFileSync } = await import("node:fs");
  writeFileSync(file, readFileSync(file, "utf8").replace('"5s"', '"soon"'));
  const { bad } = await findings([], cwd);
  expect(bad.map(({ check, where }) => [check, where])).toEqual([["settings.valid", "timeout"]]);
});

test("what others can read is said with the command that mends it", async () => {
  const cwd = await project();
  chmodSync(join(cwd, ".webpush", "config.json"), 0o644);
  const { stdout } = await runMain(["doctor", "--only", "files.modes"], { cwd });
  expect(stdout).toContain("chmod 600 .webpush/config.json");
  expect(stdout).toContain("begin with: who may read it: chmod 600 .webpush/config.json");
});

test("of several files each is said with its own command", async () => {
  const cwd = await project(sampleJson("a"));
  for (const file of ["config.json", "subscriptions.json"]) chmodSync(join(cwd, ".webpush", file), 0o644);
  const { stdout } = await runMain(["doctor", "--only", "files.modes"], { cwd });
  expect(stdout).toContain("do: chmod 600 .webpush/config.json");
  expect(stdout).toContain("do: chmod 600 .webpush/subscriptions.json");
});

test("--only takes an id or its beginning, and names the nearest of an unknown one", async () => {
  const cwd = await project();
  const { found } = await findings(["--only", "keys.pair", "--only", "settings"], cwd);
  expect(new Set(found.map(({ check }) => check))).toEqual(
    new Set(["keys.pair", "settings.valid", "settings.unusual"]),
  );
  const wrong = await runMain(["doctor", "--only", "kyes"], { cwd });
  expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
  expect(wrong.stderr).toContain('error: no check is called "kyes"\nhint: did you mean keys?');
});

test("--list prints every check with why, online ones too, and looks at nothing", async () => {
  const cwd = tempFolder();
  writeFileSync(join(cwd, ".webpush"), "a file in the folder's place");
  const { stdout, exitCode } = await runMain(["doctor", "--list"], { cwd });
  expect(exitCode).toBe(0);
  expect(stdout).toContain("  keys.subject\n      Apple refuses tokens");
  expect(stdout).toContain("network.clock  (with --online)");
});

test("many of a kind are told once, with some of their places", async () => {
  const dead = Array.from({ length: 12 }, (_, index) =>
    sampleJson(`old${index}`, { endpoint: `https://android.googleapis.com/gcm/send/${index}` }),
  );
  const cwd = await project();
  writeFileSync(join(cwd, "dead.json"), JSON.stringify(dead));
  await runMain(["subscriptions", "import", "dead.json"], { cwd });
  const { stdout } = await runMain(["doctor", "--only", "subscriptions.endpoint.dead"], { cwd });
  expect(stdout).toMatch(/at: \S+, \S+, \S+ and 9 more\n/);
  expect(linesOf(stdout).length).toBeLessThan(12);
});

test("no line is wider than the terminal", async () => {
  const cwd = tempFolder();
  const { stdout } = await runMain(["doctor", "--verbose"], {
    cwd,
    tty: true,
    columns: 40,
    env: { NO_COLOR: "1" },
  });
  expect(linesOf(stdout).filter((line) => line.length > 40 && line.trim().includes(" "))).toEqual([]);
});

test("names of strangers drive no terminal, and no secret is shown", async () => {
  const cwd = await project();
  const hostile = sampleJson("phone", { endpoint: "https://10.0.0.7/push/secret-path" });
  await runMain(["subscriptions", "add", JSON.stringify(hostile), "--name", "a\u001b[2Jb"], { cwd });
  const { stdout, stderr } = await runMain(["doctor", "--verbose"], { cwd });
  expect(stdout).not.toContain("\u001b");
  for (const secret of [hostile.keys.auth, hostile.keys.p256dh, "secret-path"])
    expect(stdout + stderr).not.toContain(secret);
  const { privateKey } = JSON.parse((await runMain(["keys", "--json"], { cwd })).stdout) as {
    privateKey: string;
  };
  expect(stdout + stderr).not.toContain(privateKey);
});

describe("--online", () => {
  test("visits each push service once, however many subscriptions are there", async () => {
    const date = new Date(Date.now() - 13 * 3_600_000).toUTCString();
    await using service = await ScriptedPushService.start({ status: 404, headers: { date } });
    const endpoints = ["/push/a", "/push/b"].map((path) => service.endpoint(path));
    const cwd = await project(...endpoints.map((endpoint) => sampleJson(endpoint.slice(-1), { endpoint })));
    const { exitCode, bad } = await findings(["--online"], cwd);
    expect(bad.map(({ check, about }) => [check, about])).toEqual([["network.clock", "credentials"]]);
    expect(bad[0]?.what).toMatch(/the clock here is 13 h ahead/);
    expect(exitCode).toBe(4);
    expect(service.requests.map(({ method, path }) => [method, path])).toEqual([["GET", "/"]]);
  });

  test("without it nobody is asked", async () => {
    await using service = await ScriptedPushService.start();
    const cwd = await project(sampleJson("a", { endpoint: service.endpoint() }));
    expect((await findings([], cwd)).found.some(({ check }) => check.startsWith("network"))).toBe(false);
    expect(service.connections).toBe(0);
  });

  test("a proxy or an authority that does not read is a finding", async () => {
    const cwd = await project();
    const { bad, exitCode } = await findings(["--online", "--only", "network", "--ca", "absent.pem"], cwd);
    expect(bad.map(({ check, what }) => [check, what])).toEqual([
      ["network.way", "cannot read absent.pem (ENOENT)"],
    ]);
    expect(exitCode).toBe(6);
  });
});

async function closedEndpoint(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}/push/x`;
}

test("what it says to type holds where the folder has spaces in its name", async () => {
  const cwd = tempFolder();
  await runMain(["keys", "--config-dir", "my keys"], { cwd });
  chmodSync(join(cwd, "my keys", "config.json"), 0o644);
  const { stdout } = await runMain(["doctor", "--config-dir", "my keys"], { cwd });
  expect(stdout).toContain("chmod 600 'my keys/config.json'");
});
