/** Flag, environment, project settings, default: held through the whole command line. */
import { beforeEach, describe, expect, test } from "vitest";
import { tempFolder } from "../support/temp-folder.ts";
import { linesOf, runJson, runMain } from "../support/run-cli.ts";
import { sampleJson } from "../support/samples.ts";

let cwd = "";

beforeEach(async () => {
  cwd = tempFolder();
  await runMain(["keys", "--subject", "mailto:ops@shop-online.de"], { cwd });
  await runMain(["subscriptions", "add", JSON.stringify(sampleJson("alice"))], { cwd });
});

/** The TTL a message would be sent with. */
async function ttl(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const { records } = await runJson(["send", "hello", "--dry-run", ...argv], { cwd, env });
  return (records[0] as { headers: { ttl: string } }).headers.ttl;
}

describe("the value of a setting is", () => {
  test("its default when nobody says", async () => {
    expect(await ttl([])).toBe("2419200");
  });

  test("the project's before the default", async () => {
    await runMain(["config", "set", "ttl", "10m"], { cwd });
    expect(await ttl([])).toBe("600");
  });

  test("the environment's before the project's", async () => {
    await runMain(["config", "set", "ttl", "10m"], { cwd });
    expect(await ttl([], { WEBPUSH_TTL: "20m" })).toBe("1200");
  });

  test("the flag's before all", async () => {
    await runMain(["config", "set", "ttl", "10m"], { cwd });
    expect(await ttl(["--ttl", "0"], { WEBPUSH_TTL: "20m" })).toBe("0");
  });

  test("the project's when the variable is empty", async () => {
    await runMain(["config", "set", "ttl", "10m"], { cwd });
    expect(await ttl([], { WEBPUSH_TTL: "" })).toBe("600");
  });
});

describe("a bad value is refused with the place it came from", () => {
  test("a variable", async () => {
    const { exitCode, stderr } = await runMain(["send", "x"], { cwd, env: { WEBPUSH_TTL: "soon" } });
    expect(exitCode).toBe(2);
    expect(linesOf(stderr)[0]).toBe('error: WEBPUSH_TTL: ttl "soon" is not a time');
  });

  test("a switch", async () => {
    const { exitCode, stderr } = await runMain(["keys"], { cwd, env: { WEBPUSH_JSON: "maybe" } });
    expect(exitCode).toBe(2);
    expect(linesOf(stderr)).toEqual(['error: WEBPUSH_JSON cannot be "maybe"', "hint: use 1 or 0"]);
  });

  test("a flag, even when the variable is good", async () => {
    const { exitCode, stderr } = await runMain(["send", "x", "--ttl", "soon"], {
      cwd,
      env: { WEBPUSH_TTL: "5" },
    });
    expect(exitCode).toBe(2);
    expect(linesOf(stderr)[0]).toBe('error: ttl "soon" is not a time');
  });
});

describe("global flags have twins too", () => {
  test.each([
    ["WEBPUSH_JSON=1", { WEBPUSH_JSON: "1" }, [], true],
    ["WEBPUSH_JSON=0", { WEBPUSH_JSON: "0" }, [], false],
    ["--json behind the command against WEBPUSH_JSON=0", { WEBPUSH_JSON: "0" }, ["keys", "--json"], true],
    ["--json before the command against WEBPUSH_JSON=0", { WEBPUSH_JSON: "0" }, ["--json", "keys"], true],
  ])("%s", async (_name, env, argv, isJson) => {
    const { stdout } = await runMain(argv.length > 0 ? argv : ["keys"], { cwd, env });
    expect(stdout.startsWith("{")).toBe(isJson);
  });

  test.each([
    ["the variable alone", ["config"], "env"],
    ["a flag behind the command", ["config", "--profile", "flag"], "flag"],
    ["a flag before the command", ["--profile", "flag", "config"], "flag"],
  ])("the profile is that of %s", async (_name, argv, profile) => {
    const env = { WEBPUSH_PROFILE: "env" };
    await runMain(["config", "set", "ttl", "1", "--profile", "flag"], { cwd });
    await runMain(["config", "set", "ttl", "2"], { cwd, env });
    const { records } = await runJson(argv, { cwd, env });
    expect(records[0]).toMatchObject({ setting: "ttl", value: profile === "flag" ? "1" : "2" });
  });

  test("a switch that says no has its twin by name", async () => {
    const colours = { FORCE_COLOR: "1" };
    const coloured = await runMain(["keys"], { cwd, env: colours });
    const plain = await runMain(["keys"], { cwd, env: { ...colours, WEBPUSH_NO_COLOR: "1" } });
    expect(coloured.stderr).toContain("\u001b[");
    expect(plain.stderr).not.toContain("\u001b[");
  });
});

test.each([["--nope"], ["--ttl", "soon"]])(
  "WEBPUSH_JSON=1 holds for a command line that fails: %j",
  async (...flags) => {
    const { exitCode, stdout } = await runMain(["send", ...flags], { cwd, env: { WEBPUSH_JSON: "1" } });
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { exitCode: 2 } });
  },
);

test("what follows -- is no flag, not even --json", async () => {
  const { stdout, exitCode } = await runMain(["send", "--ttl", "soon", "--", "--json"], { cwd });
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
});
