/**
 * The command tree: every command's flags, none of their work.
 *
 * Adding a command is adding a row to `builders`. Only the command that was asked
 * for is loaded; help on all of them loads all.
 */
import { Command, Help, type Option } from "commander";
import { describeCommand, type CommandDescription } from "../commands/describe.ts";
import type { Dispatch } from "../commands/dispatch.ts";
import { addGlobalOptions } from "./global-options.ts";

interface Building {
  readonly dispatch: Dispatch;
  /** The whole tree as data, built when a command asks for it. */
  readonly describe: () => Promise<CommandDescription>;
  /** Prints the help of a command by its path; false when there is none. */
  readonly showHelp: (path: readonly string[]) => Promise<boolean>;
}

type Builder = (building: Building) => Promise<Command>;

/** Every command, in the order help lists them. */
const builders: Readonly<Record<string, Builder>> = {
  keys: async ({ dispatch }) => (await import("../commands/keys/command.ts")).keysCommand(dispatch),
  scaffold: async ({ dispatch }) =>
    (await import("../commands/scaffold/command.ts")).scaffoldCommand(dispatch),
  subscriptions: async ({ dispatch }) =>
    (await import("../commands/subscriptions/command.ts")).subscriptionsCommand(dispatch),
  send: async ({ dispatch }) => (await import("../commands/send/command.ts")).sendCommand(dispatch),
  campaigns: async ({ dispatch }) =>
    (await import("../commands/campaigns/command.ts")).campaignsCommand(dispatch),
  worker: async ({ dispatch }) => (await import("../commands/worker/command.ts")).workerCommand(dispatch),
  doctor: async ({ dispatch }) => (await import("../commands/doctor/command.ts")).doctorCommand(dispatch),
  serve: async ({ dispatch }) => (await import("../commands/serve/command.ts")).serveCommand(dispatch),
  listen: async ({ dispatch }) => (await import("../commands/listen/command.ts")).listenCommand(dispatch),
  emulator: async ({ dispatch }) =>
    (await import("../commands/emulator/command.ts")).emulatorCommand(dispatch),
  inspect: async ({ dispatch }) => (await import("../commands/inspect/command.ts")).inspectCommand(dispatch),
  demo: async ({ dispatch }) => (await import("../commands/demo/command.ts")).demoCommand(dispatch),
  config: async ({ dispatch }) => (await import("../commands/config/command.ts")).configCommand(dispatch),
  store: async ({ dispatch }) => (await import("../commands/store/command.ts")).storeCommand(dispatch),
  completion: async ({ dispatch, describe }) =>
    (await import("../commands/completion/command.ts")).completionCommand(dispatch, describe),
  help: async ({ dispatch, describe, showHelp }) =>
    (await import("../commands/help/command.ts")).helpCommand(dispatch, { describe, showHelp }),
};

/** The names of all commands. */
export const commandNames: readonly string[] = Object.keys(builders);

export interface ProgramOptions {
  readonly version: string;
  readonly dispatch: Dispatch;
  /** How wide the terminal is, where there is one. */
  readonly columns?: number | undefined;
  /** Called for the whole tree when it is built, to set where commander writes. */
  readonly prepare: (program: Command) => void;
}

/** Builds the part of the command line that `argv` needs. */
export async function openProgram(argv: readonly string[], options: ProgramOptions): Promise<Command> {
  const [first = ""] = argv;
  if (first === "--version" || first === "-V") return buildProgram([], options);
  return buildProgram(Object.hasOwn(builders, first) ? [first] : commandNames, options);
}

/** The whole command tree as data: for completion, `docs/cli.md` and the self-tests. */
async function describeProgram(options: ProgramOptions): Promise<CommandDescription> {
  return describeCommand(await buildProgram(commandNames, options));
}

async function buildProgram(names: readonly string[], options: ProgramOptions): Promise<Command> {
  const program = new Command("webpush")
    .description("VAPID keys, subscriptions and web push messages from the terminal")
    .usage("<command> [options]")
    .version(options.version, "-V, --version", "print the version")
    .helpCommand(false)
    .addHelpText("after", epilogue);
  const building: Building = {
    dispatch: options.dispatch,
    describe: () => describeProgram(options),
    showHelp: async (path) => showHelp(await buildProgram(commandNames, options), path),
  };
  for (const name of names) {
    const command = await builders[name]?.(building);
    if (command !== undefined) program.addCommand(command);
  }
  addGlobalOptions(program);
  tame(program, options.columns ?? widest);
  options.prepare(program);
  return program;
}

const epilogue = `
First steps:
  $ webpush keys --subject mailto:you@your-domain
  $ webpush scaffold
  $ webpush send --ttl 600 "Hello"

See it work offline:  webpush demo
Exit codes:           webpush help exit-codes`;

/** Help is read best at this width, and documentation shows it so. */
const widest = 80;
const narrow = 60;

/** Settings that commander does not hand down to added commands. */
function tame(command: Command, columns: number): void {
  command
    .exitOverride()
    .enablePositionalOptions()
    // A word behind a command that has subcommands is a misspelt one: strays.ts names the nearest.
    .allowExcessArguments(command.commands.length > 0)
    .showSuggestionAfterError(true)
    .configureHelp({
      helpWidth: Math.min(columns, widest),
      minWidthToWrap: 20,
      sortSubcommands: false,
      subcommandTerm: briefTerm,
      optionDescription,
      ...(columns < narrow ? { formatItem: formatItemBelow } : {}),
    });
  for (const child of command.commands) tame(child, columns);
}

/** A flag, and below it what it does: side by side there is no room for both. */
function formatItemBelow(term: string, _termWidth: number, description: string, helper: Help): string {
  if (description === "") return `  ${term}`;
  const text = helper.boxWrap(description, (helper.helpWidth ?? widest) - 6);
  return `  ${term}\n      ${text.replaceAll("\n", "\n      ")}`;
}

/** A subcommand's name and arguments in its parent's help, without `[options]`. */
function briefTerm(command: Command): string {
  return new Help().subcommandTerm(command).replace(" [options]", "");
}

/** What an option does, with its choices and default where they tell something. */
function optionDescription({
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
}: Option): string {
  const isTrivial = defaultValue === false || (Array.isArray(defaultValue) && defaultValue.length === 0);
  const fallback = defaultValueDescription ?? (isTrivial ? undefined : formatDefault(defaultValue));
  const notes = [argChoices?.join(", "), fallback && `default: ${fallback}`].filter(
    (note) => note !== undefined,
  );
  return notes.length === 0 ? description : `${description} (${notes.join("; ")})`;
}

function formatDefault(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function showHelp(program: Command, path: readonly string[]): boolean {
  let at = program;
  for (const name of path) {
    const next = at.commands.find((child) => child.name() === name || child.aliases().includes(name));
    if (next === undefined) return false;
    at = next;
  }
  at.outputHelp();
  return true;
}
