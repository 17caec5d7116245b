/**
 * The command tree as plain data: what completion, `docs/cli.md` and the self-tests read.
 */
import type { Argument, Command, Option } from "commander";

export interface OptionDescription {
  readonly flags: string;
  readonly long: string | undefined;
  readonly short: string | undefined;
  readonly doc: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
  readonly fallback: string | undefined;
  readonly isGlobal: boolean;
}

export interface CommandDescription {
  readonly name: string;
  /** The whole path: `webpush keys import`. */
  readonly path: string;
  readonly aliases: readonly string[];
  readonly usage: string;
  readonly summary: string;
  readonly description: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly doc: string;
    readonly choices: readonly string[];
  }[];
  readonly options: readonly OptionDescription[];
  readonly commands: readonly CommandDescription[];
}

/** Heading of the flags that every command has, in help texts and here. */
export const globalHeading = "Everywhere:";

/** Describes `command` and everything below it, hidden options left out. */
export function describeCommand(command: Command, parents = ""): CommandDescription {
  const path = parents === "" ? command.name() : `${parents} ${command.name()}`;
  return {
    name: command.name(),
    path,
    aliases: command.aliases(),
    usage: command.usage(),
    summary: command.summary() || command.description(),
    description: command.description(),
    arguments: command.registeredArguments.map(describeArgument),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map((option) => describeOption(option, option.helpGroupHeading === globalHeading)),
    commands: command.commands.map((child) => describeCommand(child, path)),
  };
}

function describeArgument(argument: Argument) {
  return { name: argument.name(), doc: argument.description, choices: argument.argChoices ?? [] };
}

function describeOption(option: Option, isGlobal: boolean): OptionDescription {
  const fallback = option.defaultValueDescription ?? formatFallback(option.defaultValue);
  return {
    flags: option.flags,
    long: option.long ?? undefined,
    short: option.short ?? undefined,
    doc: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
    fallback: option.negate ? undefined : fallback,
    isGlobal,
  };
}

function formatFallback(value: unknown): string | undefined {
  return value === undefined || value === false ? undefined : JSON.stringify(value);
}
