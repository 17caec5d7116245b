/**
 * The README tells the truth: what its `console` blocks show is what the commands print, in the order in which a
 * reader types them, and its tables name what there is.
 */
import { describe, expect, test } from "vitest";
import { openProgram } from "../../src/cli/program.ts";
import { exitCodeMeanings } from "../../src/commands/exit-code.ts";
import { linesOf, runMain } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { codeBlocksOf, readPage, rowsOf, sectionsOf } from "./markdown.ts";

const readme = readPage("README.md");

/** What differs from run to run: keys, whole or shortened, ports, addresses and times. */
function normalised(line: string): string {
  return line
    .replace(/[\w-]{43,}…?/g, "KEY")
    .replace(/\b[\w-]{12}…/g, "KEY…")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replace(/…[\w-]{6}$/, "…TAIL")
    .replace(/\b\d+ ms\b/g, "N ms")
    .replace(/\b\d+\.\d s\b/g, "N s")
    .trimEnd();
}

interface Shown {
  readonly argv: readonly string[];
  readonly output: readonly string[];
}

/** Commands of the `console` blocks with what is shown under each, from `$` to the next line that begins with one. */
function shownCommands(): readonly Shown[] {
  const shown: { argv: readonly string[]; output: string[] }[] = [];
  for (const { language, text } of codeBlocksOf(readme)) {
    if (language !== "console") continue;
    for (const line of text.split("\n")) {
      const [, command] = /^\$ npx webpush (.+)$/.exec(line) ?? [];
      if (command !== undefined) shown.push({ argv: command.split(" "), output: [] });
      else shown.at(-1)?.output.push(line);
    }
  }
  return shown;
}

describe("the README", () => {
  test("shows nothing that its commands do not print", async () => {
    const cwd = tempFolder();
    for (const { argv, output } of shownCommands()) {
      const { exitCode, stdout, stderr } = await runMain(argv, {
        cwd,
        stdin: "",
        tty: true,
        columns: 100,
        // As npx runs it.
        env: { NO_COLOR: "1", npm_command: "exec", npm_config_user_agent: "npm/10.8.2 node/v20.17.0" },
      });
      expect(exitCode, `webpush ${argv.join(" ")}: ${stderr}`).toBe(0);
      const printed = new Set([...linesOf(stdout), ...linesOf(stderr)].map(normalised));
      const untrue = output.map(normalised).filter((line) => line !== "" && !printed.has(line));
      expect(untrue, `webpush ${argv.join(" ")}`).toEqual([]);
    }
  });

  test("shows some command at work", () => {
    expect(shownCommands().map(({ argv }) => argv[0])).toEqual(
      expect.arrayContaining(["demo", "keys", "scaffold"]),
    );
  });

  test("lists every command, and no other", async () => {
    const program = await openProgram(["--help"], {
      version: "1.2.3",
      dispatch: () => Promise.reject(new Error("nothing runs here")),
      prepare: () => undefined,
    });
    const section = sectionsOf(readme).find(({ heading }) => heading === "Commands");
    const listed = rowsOf(section?.text ?? "").map(([name = ""]) => name.replace(/^\[?`?([a-z]+).*$/, "$1"));
    expect([...listed].sort()).toEqual(program.commands.map((command) => command.name()).sort());
  });

  test("lists exit codes that there are, all of a command's own", () => {
    const listed = sectionsOf(readme)
      .flatMap(({ text }) => rowsOf(text).map(([code = ""]) => code))
      .filter((code) => /^\d+$/.test(code));
    expect(listed.filter((code) => !Object.keys(exitCodeMeanings).includes(code))).toEqual([]);
    expect(listed).toEqual(expect.arrayContaining(["0", "1", "2", "3", "4", "5", "6"]));
  });
});
