/**
 * Flags that every command understands, before or after its name.
 *
 * They are added to each command of the tree rather than inherited: commander
 * would otherwise look for them inside other flags' values, and one auth secret
 * in 64 begins with a dash.
 */
import { Option, type Command, type OptionValueSource } from "commander";
import { globalHeading } from "../commands/describe.ts";
import { settingOption } from "../commands/dispatch.ts";

export interface GlobalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly input: boolean;
  readonly profile: string | undefined;
  readonly configDir: string | undefined;
  readonly store: string | undefined;
  readonly query: string | undefined;
}

function createGlobalOptions(): readonly Option[] {
  return [
    new Option("--json", "print one JSON object per line"),
    new Option("-q, --quiet", "print data and errors only"),
    new Option("-v, --verbose", "print requests and answers too, secrets left out"),
    new Option("--no-color", "print without colours (also NO_COLOR)"),
    new Option("--no-input", "never ask; implied by CI and when stdin is no terminal"),
    new Option("--profile <name>", "use a second set of keys, subscriptions and settings"),
    new Option("--config-dir <dir>", "keep state in this folder instead of .webpush/"),
    settingOption("store"),
    settingOption("query"),
  ];
}

/** Adds the global flags to `command` and every command below it. */
export function addGlobalOptions(command: Command): void {
  command.optionsGroup(globalHeading);
  for (const option of createGlobalOptions()) command.addOption(option);
  command.helpOption("-h, --help", "show help");
  for (const child of command.commands) addGlobalOptions(child);
}

const names = [
  "json",
  "quiet",
  "verbose",
  "color",
  "input",
  "profile",
  "configDir",
  "store",
  "query",
] as const;

/** Whether an option is one of these, and not the command's own. */
export function isGlobalOption(option: Option): boolean {
  return names.some((name) => name === option.attributeName());
}

/** What the person said: by flags, on whichever level of the command line, before the environment. */
export function readGlobalOptions(command: Command): GlobalOptions {
  const findFrom = (wanted: OptionValueSource, name: string): unknown => {
    for (let at: Command | null = command; at !== null; at = at.parent) {
      if (at.getOptionValueSource(name) === wanted) return at.getOptionValue(name);
    }
    return undefined;
  };
  const find = (name: string): unknown => findFrom("cli", name) ?? findFrom("env", name);
  const text = (name: string): string | undefined => {
    const value = find(name);
    return typeof value === "string" ? value : undefined;
  };
  return {
    json: find("json") === true,
    quiet: find("quiet") === true,
    verbose: find("verbose") === true,
    color: find("color") !== false,
    input: find("input") !== false,
    profile: text("profile"),
    configDir: text("configDir"),
    store: text("store"),
    query: text("query"),
  };
}

/** Options without the global ones: what a command's own runner gets. */
export function withoutGlobalOptions<Options>(options: Options): Options {
  const own = { ...options } as Record<string, unknown>;
  for (const name of names) Reflect.deleteProperty(own, name);
  return own as Options;
}
