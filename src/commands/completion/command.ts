/** `webpush completion`: flags only. */
import { Argument, Command } from "commander";
import { parseChoice } from "../../settings/table.ts";
import type { CommandDescription } from "../describe.ts";
import type { Dispatch } from "../dispatch.ts";

export const shells = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof shells)[number];

export interface CompletionOptions {
  readonly shell: Shell;
  readonly describe: () => Promise<CommandDescription>;
}

export function completionCommand(dispatch: Dispatch, describe: () => Promise<CommandDescription>): Command {
  return new Command("completion")
    .summary("print a completion script for bash, zsh or fish")
    .description("Print a script that completes webpush's commands and flags in your shell.")
    .addArgument(shellArgument())
    .addHelpText(
      "after",
      `
Examples:
  $ source <(webpush completion bash)
  $ webpush completion zsh > "\${fpath[1]}/_webpush"
  $ webpush completion fish > ~/.config/fish/completions/webpush.fish`,
    )
    .action((shell: Shell) => dispatch<CompletionOptions>(() => import("./run.ts"), { shell, describe }));
}

function shellArgument(): Argument {
  const argument = new Argument("<shell>", "the shell you use").argParser((text) =>
    parseChoice("shell", text, shells),
  );
  argument.argChoices = [...shells];
  return argument;
}
