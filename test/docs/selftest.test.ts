/**
 * What holds for every command and flag of the tree, whoever adds the next one.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Command } from "commander";
import { openProgram } from "../../src/cli/program.ts";
import { describeCommand, type CommandDescription } from "../../src/commands/describe.ts";
import { exitCodeMeanings } from "../../src/commands/exit-code.ts";
import { shells } from "../../src/commands/completion/command.ts";
import { settings } from "../../src/settings/table.ts";
import { twinOf } from "../../src/settings/environment.ts";
import { linesOf, runMain } from "../support/run-cli.ts";
import { readPage, sectionsOf } from "./markdown.ts";

/** The program and every command below it, those that help does not show included. */
let commands: readonly Command[];
let described: readonly CommandDescription[];

beforeAll(async () => {
  const program = await openProgram(["--help"], {
    version: "1.2.3",
    dispatch: () => Promise.reject(new Error("nothing runs here")),
    prepare: () => undefined,
  });
  const below = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(below)];
  const describedBelow = (one: CommandDescription): readonly CommandDescription[] => [
    one,
    ...one.commands.flatMap(describedBelow),
  ];
  commands = below(program);
  described = describedBelow(describeCommand(program));
});

/** The words after `webpush` that lead to a command. */
function pathOf(command: Command): readonly string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

/** Commands for which `isWrong` holds, by their path. */
function breaking(isWrong: (command: Command) => boolean): readonly string[] {
  return commands.filter(isWrong).map((command) => pathOf(command).join(" "));
}

describe("every command", () => {
  test("has a summary that begins in lower case, or with a name, and has no full stop", () => {
    const isWrong = (command: Command): boolean =>
      command.parent !== null && !/^(?:[a-z]|VAPID ).*[^.]$/.test(command.summary());
    expect(breaking(isWrong)).toEqual([]);
  });

  test("has a summary that fits its line in the list of commands", () => {
    expect(breaking((command) => command.summary().length > 60)).toEqual([]);
  });

  test("has a description of whole sentences", () => {
    const isWrong = (command: Command): boolean =>
      command.parent !== null && !/^[A-Z][^]*\.$/.test(command.description());
    expect(breaking(isWrong)).toEqual([]);
  });

  test("has flags whose texts begin in lower case, or with a name, and have no full stop", () => {
    const wrong = described.flatMap(({ path, options }) =>
      options
        .filter(({ doc }) => !/^(?:[a-z]|HTTP|PEM|VAPID)[^]*[^.]$/.test(doc))
        .map(({ flags, doc }) => `${path} ${flags}: ${doc}`),
    );
    expect(wrong).toEqual([]);
  });

  test("has each flag once, short or long", () => {
    const isWrong = ({ options }: Command): boolean => {
      const flags = options.flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined));
      return new Set(flags).size !== flags.length;
    };
    expect(breaking(isWrong)).toEqual([]);
  });

  test("gives a flag of the same name the same shape as every other command", () => {
    const shapes = new Map<string, Set<string>>();
    for (const { options } of described) {
      for (const { long, takesValue } of options) {
        shapes.set(long ?? "", (shapes.get(long ?? "") ?? new Set()).add(String(takesValue)));
      }
    }
    expect([...shapes].filter(([, kinds]) => kinds.size > 1).map(([flag]) => flag)).toEqual([]);
  });

  test("shows help that has an example and no line beyond 80 columns", async () => {
    for (const command of commands) {
      const { exitCode, stdout } = await runMain([...pathOf(command), "--help"]);
      expect(exitCode, pathOf(command).join(" ")).toBe(0);
      expect(stdout).toMatch(/\n(?:Examples?|First steps):\n {2}\$ .*webpush /);
      expect(linesOf(stdout).filter((line) => line.length > 80)).toEqual([]);
    }
  });

  test("has examples that its own flags and arguments allow", async () => {
    for (const command of commands) {
      const { stdout } = await runMain([...pathOf(command), "--help"]);
      for (const [, line = ""] of stdout.matchAll(/^ {2}\$ (?:.*\| )?webpush (.*)$/gm)) {
        const used = [...line.matchAll(/(?<=\s)--[a-z0-9-]+/g)].map(([flag]) => flag);
        const words = line.split(" ");
        const target = commands
          .filter((one) =>
            pathOf(one).every((word, at) => words[at] === word || aliasAt(one, at) === words[at]),
          )
          .sort((a, b) => pathOf(b).length - pathOf(a).length)[0];
        const known = new Set([...(target?.options ?? []).map(({ long }) => long), "--help"]);
        expect(
          used.filter((flag) => !known.has(flag)),
          line,
        ).toEqual([]);
      }
    }
  });
});

function aliasAt(command: Command, depth: number): string | undefined {
  const chain = [command];
  while (chain[0]?.parent?.parent !== null && chain[0]?.parent != null) chain.unshift(chain[0].parent);
  return chain[depth]?.aliases()[0];
}

describe("docs and program agree:", () => {
  test("`webpush help environment` names the twin of every flag", async () => {
    const { stdout } = await runMain(["help", "environment"]);
    const flags = described.flatMap(({ options }) => options.map(({ long }) => long));
    const twins = flags.flatMap((long) => (long === undefined || long === "--version" ? [] : [twinOf(long)]));
    expect([...new Set(twins)].filter((twin) => !stdout.includes(twin))).toEqual([]);
  });

  test("`webpush help exit-codes` and docs/exit-codes.md name every exit code", async () => {
    const { stdout } = await runMain(["help", "exit-codes"]);
    const page = readPage("docs/exit-codes.md");
    for (const code of Object.keys(exitCodeMeanings)) {
      expect(stdout).toMatch(new RegExp(`^ *${code}  `, "m"));
      expect(page).toContain(`| ${code} | `);
    }
  });

  test("docs/cli.md has a section for every command and for nothing else", () => {
    const headings = sectionsOf(readPage("docs/cli.md")).map(({ heading }) => heading);
    const paths = described.map(({ path }) => path).filter((path) => path !== "webpush");
    expect(headings.filter((heading) => heading.startsWith("webpush ")).sort()).toEqual(paths.sort());
  });

  test("every setting is a flag of some command and has a row in `webpush config`", async () => {
    const flags = new Set(described.flatMap(({ options }) => options.map((option) => option.flags)));
    const { stdout } = await runMain(["config"]);
    for (const [name, { flag }] of Object.entries(settings)) {
      expect(flags).toContain(flag);
      expect(stdout).toMatch(new RegExp(`^${name} `, "m"));
    }
  });

  test.each(shells)("the completion script of %s knows every command and flag", async (shell) => {
    const { stdout } = await runMain(["completion", shell]);
    for (const { name, options } of described.filter(({ path }) => path !== "webpush")) {
      expect(stdout).toContain(name);
      for (const { long } of options) {
        expect(stdout).toContain(shell === "fish" ? `-l ${(long ?? "").slice(2)}` : long);
      }
    }
  });
});
