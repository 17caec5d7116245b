/** Commands as they stand in pages and other files, held against the program. */
import type { CommandDescription } from "../../src/commands/describe.ts";

/** A program that is only looked at. */
export const quiet = {
  version: "1.2.3",
  dispatch: () => Promise.reject(new Error("nothing runs here")),
  prepare: () => undefined,
};

/** Words after `webpush`, quoted ones left out, of each webpush command on a line. */
export function commandLinesOf(line: string): readonly (readonly string[])[] {
  const unquoted = line.replace(/'[^']*'|"[^"]*"/g, "QUOTED").replace(/\s#.*$/, "");
  return unquoted
    .split(/\||&&|;|\$\(/)
    .map((part) => /(?:^|\s)webpush\s(.*)$/.exec(part)?.[1])
    .filter((words) => words !== undefined)
    .map((words) => words.trim().split(/\s+/));
}

/** Flags among the words of a command that it does not have. */
export function unknownFlags(program: CommandDescription, words: readonly string[]): readonly string[] {
  let at = program;
  for (const word of words) {
    const next = at.commands.find(({ name, aliases }) => name === word || aliases.includes(word));
    if (next === undefined) break;
    at = next;
  }
  const known = new Set([...at.options.flatMap(({ long, short }) => [long, short]), "--help", "-h"]);
  return words.filter((word) => /^--?[a-z]/.test(word) && !known.has(word.split("=")[0]));
}
