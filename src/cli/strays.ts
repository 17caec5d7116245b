/**
 * What commander lets pass on commands that have subcommands: words that name none
 * of them, and flags of the outer command that the inner one would never see.
 */
import type { Command } from "commander";
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/suggest.ts";
import { isGlobalOption } from "./global-options.ts";

/**
 * Checks the command that is about to run.
 *
 * @throws UserError `command-unknown`, `flag-misplaced`
 */
export function refuseStrays(command: Command): void {
  const [word] = command.args;
  if (command.commands.length > 0 && word !== undefined) throw unknownCommand(command, word);
  for (let outer = command.parent; outer !== null; outer = outer.parent) {
    const misplaced = outer.options.find((option) => {
      const isSaid = outer.getOptionValueSource(option.attributeName()) === "cli";
      return isSaid && !isGlobalOption(option);
    });
    if (misplaced === undefined) continue;
    const flag = misplaced.long ?? misplaced.flags;
    throw new UserError("flag-misplaced", `${flag} stands before ${command.name()}, which does not see it`, {
      hints: [`put it behind: ${pathOf(command)} … ${flag}`],
    });
  }
}

function unknownCommand(command: Command, word: string): UserError {
  const names = command.commands.flatMap((child) => [child.name(), ...child.aliases()]);
  const near = nearest(word, names);
  return new UserError("command-unknown", `${pathOf(command)} has no command ${JSON.stringify(word)}`, {
    hints: [near === undefined ? `use one of ${names.join(", ")}` : `did you mean ${near}?`],
  });
}

/** The whole path: `webpush keys import`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
