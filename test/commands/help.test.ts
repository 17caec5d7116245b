import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { exitCodeMeanings } from "../../src/commands/exit-code.ts";
import { linesOf, runJson, runMain } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";

test("without arguments the whole help is data: stdout, exit code 0", async () => {
  const { exitCode, stdout, stderr } = await runMain([]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^Usage: webpush <command> \[options\]\n/);
  for (const name of [
    "keys",
    "scaffold",
    "subscriptions|subs",
    "send",
    "demo",
    "config",
    "completion",
    "help",
  ]) {
    expect(stdout).toContain(`\n  ${name}`);
  }
});

test.each([
  [["--help"], []],
  [["-h"], []],
  [["help"], []],
  [
    ["keys", "--help"],
    ["help", "keys"],
  ],
  [
    ["keys", "import", "-h"],
    ["help", "keys", "import"],
  ],
  [
    ["subs", "add", "--help"],
    ["help", "subscriptions", "add"],
  ],
  [
    ["help", "subs", "ls"],
    ["subscriptions", "list", "--help"],
  ],
])("%j is the same as %j", async (argv, same) => {
  const [one, other] = [await runMain(argv), await runMain(same)];
  expect(one).toEqual(other);
  expect(one.exitCode).toBe(0);
});

test("help opens nothing and makes nothing", async () => {
  const cwd = tempFolder();
  await runMain(["keys", "--help"], { cwd });
  await runMain(["help", "environment"], { cwd });
  expect(existsSync(join(cwd, ".webpush"))).toBe(false);
});

test.each(["--version", "-V"])("%s prints the version alone", async (flag) => {
  expect(await runMain([flag])).toEqual({ exitCode: 0, stdout: "1.2.3\n", stderr: "" });
});

describe("help exit-codes", () => {
  test("has a line for every code, within 80 columns", async () => {
    const { exitCode, stdout } = await runMain(["help", "exit-codes"]);
    expect(exitCode).toBe(0);
    for (const code of Object.keys(exitCodeMeanings))
      expect(stdout).toMatch(new RegExp(`^ *${code}  \\w`, "m"));
    expect(linesOf(stdout).filter((line) => stringWidth(line) > 80)).toEqual([]);
  });

  test("--json prints a record each", async () => {
    const { records } = await runJson(["help", "exit-codes"]);
    expect(records).toHaveLength(Object.keys(exitCodeMeanings).length);
    expect(records[0]).toEqual({ code: 0, meaning: exitCodeMeanings[0] });
  });
});

describe("help environment", () => {
  test("names the variables for keys and the twin of flags, within 80 columns", async () => {
    const { exitCode, stdout } = await runMain(["help", "environment"]);
    expect(exitCode).toBe(0);
    for (const name of [
      "VAPID_PUBLIC_KEY",
      "VAPID_PRIVATE_KEY",
      "VAPID_SUBJECT",
      "NO_COLOR",
      "WEBPUSH_TTL",
      "WEBPUSH_NO_COLOR",
      "WEBPUSH_CONFIG_DIR",
    ])
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    expect(linesOf(stdout).filter((line) => stringWidth(line) > 80)).toEqual([]);
  });
});

describe("help on what is not there is refused with what was meant:", () => {
  test.each<[readonly string[], readonly string[]]>([
    [["exit-code"], ['error: there is no command or topic "exit-code"', "hint: did you mean exit-codes?"]],
    [["kesy"], ['error: there is no command or topic "kesy"', "hint: did you mean keys?"]],
    [
      ["everything"],
      ['error: there is no command or topic "everything"', "hint: run `webpush help` for a list"],
    ],
  ])("%j", async (topic, lines) => {
    const { exitCode, stdout, stderr } = await runMain(["help", ...topic]);
    expect({ exitCode, stdout, lines: linesOf(stderr) }).toEqual({ exitCode: 2, stdout: "", lines });
  });
});
