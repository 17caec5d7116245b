/** `webpush config`: project settings, so that a flag need not be typed each time. */
import { Command } from "commander";
import type { Dispatch } from "../dispatch.ts";

export interface ConfigListOptions {
  readonly action: "list";
}

export interface ConfigSetOptions {
  readonly action: "set";
  readonly name: string;
  readonly value: string;
}

export interface ConfigUnsetOptions {
  readonly action: "unset";
  readonly name: string;
}

export type ConfigOptions = ConfigListOptions | ConfigSetOptions | ConfigUnsetOptions;

export function configCommand(dispatch: Dispatch): Command {
  const load = () => import("./run.ts");
  return new Command("config")
    .summary("list and change the settings of this project")
    .description("List the settings of this project: defaults for flags such as --ttl.")
    .addHelpText("after", "\nExamples:\n  $ webpush config set ttl 10m\n  $ webpush config unset ttl")
    .action(() => dispatch<ConfigOptions>(load, { action: "list" }))
    .addCommand(
      new Command("list")
        .alias("ls")
        .summary("list settings and their values here")
        .description("List the settings of this project, as `webpush config` alone does.")
        .addHelpText("after", "\nExample:\n  $ webpush config list --json")
        .action(() => dispatch<ConfigOptions>(load, { action: "list" })),
    )
    .addCommand(
      new Command("set")
        .summary("set a setting")
        .description("Set a setting of this project; a flag or environment variable still goes before it.")
        .argument("<name>", "a setting, as `webpush config` lists them")
        .argument("<value>", "its value, as the flag would take it")
        .addHelpText("after", "\nExample:\n  $ webpush config set urgency high")
        .action((name: string, value: string) =>
          dispatch<ConfigOptions>(load, { action: "set", name, value }),
        ),
    )
    .addCommand(
      new Command("unset")
        .summary("go back to the default of a setting")
        .description("Remove a setting of this project; the default holds again.")
        .argument("<name>", "a setting, as `webpush config` lists them")
        .addHelpText("after", "\nExample:\n  $ webpush config unset urgency")
        .action((name: string) => dispatch<ConfigOptions>(load, { action: "unset", name })),
    );
}
