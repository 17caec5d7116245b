/** `webpush help`: help on commands, and on topics that no command has. */
import { Command } from "commander";
import type { CommandDescription } from "../describe.ts";
import type { Dispatch } from "../dispatch.ts";

/** What help needs to know of the command tree it is part of. */
export interface HelpSource {
  readonly describe: () => Promise<CommandDescription>;
  /** Prints the help of a command by its path; false when there is no such command. */
  readonly showHelp: (path: readonly string[]) => Promise<boolean>;
}

export interface HelpOptions extends HelpSource {
  readonly topic: readonly string[];
}

export function helpCommand(dispatch: Dispatch, source: HelpSource): Command {
  return new Command("help")
    .summary("help on a command, or on exit-codes or environment")
    .description("Show help on a command, or on a topic: exit-codes, environment.")
    .argument("[topic...]", "a command, exit-codes or environment")
    .addHelpText("after", "\nExamples:\n  $ webpush help send\n  $ webpush help exit-codes")
    .action((topic: string[]) => dispatch<HelpOptions>(() => import("./run.ts"), { topic, ...source }));
}
