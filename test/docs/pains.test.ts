/** docs/pains.md: every pain that was found has an answer, and the commands it names are there. */
import type { Command } from "commander";
import { expect, test } from "vitest";
import { openProgram } from "../../src/cli/program.ts";
import { readPage, rowsOf } from "./markdown.ts";

const rows = rowsOf(readPage("docs/pains.md"));

test("the 33 pains are there, in order, each with where it was reported", () => {
  expect(rows.map(([number]) => number)).toEqual(Array.from({ length: 33 }, (_, index) => String(index + 1)));
  expect(rows.filter(([, pain, reported]) => pain === "" || reported === "")).toEqual([]);
});

test("each has a command that prevents or explains it, or says that there is none", () => {
  const answers = rows.map(([number, , , answer = ""]) => ({ number, answer }));
  const begins = /^(?:prevented|explained|there|as far as it goes): /;
  expect(answers.filter(({ answer }) => !begins.test(answer))).toEqual([]);
  const open = answers.filter(({ answer }) => !answer.includes("`webpush ") && !answer.includes("**Not "));
  expect(open).toEqual([]);
});

test("the commands named exist, with their flags", async () => {
  const program = await openProgram(["--help"], {
    version: "1.2.3",
    dispatch: () => Promise.reject(new Error("nothing runs here")),
    prepare: () => undefined,
  });
  const named = rows.flatMap(([, , , answer = ""]) => [...answer.matchAll(/`webpush ([^`]+)`/g)]);
  const wrong = named.map(([, words = ""]) => words).filter((words) => !isKnown(program, words.split(" ")));
  expect(named.length).toBeGreaterThan(40);
  expect(wrong).toEqual([]);
});

/** Whether the words are a command, its flags and arguments; hidden flags count. */
function isKnown(program: Command, words: readonly string[]): boolean {
  const [first, ...rest] = words;
  const command = program.commands.find((child) => child.name() === first);
  if (command === undefined) return false;
  const child = command.commands.find((candidate) => candidate.name() === rest[0]);
  const flags = rest.filter((word) => word.startsWith("--"));
  const known = new Set((child ?? command).options.map(({ long }) => long));
  // A command that has subcommands takes no other word.
  const isStray = child === undefined && command.commands.length > 0 && /^[a-z]/.test(rest[0] ?? "");
  return !isStray && flags.every((flag) => known.has(flag));
}
