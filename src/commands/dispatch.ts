/**
 * The seam between flags and work.
 *
 * A `command.ts` only parses; it hands its options here together with a function
 * that imports the runner. So `--help` loads no runner, tests can record options
 * instead of running them, and the type checker ties the flags to the runner.
 */
import { Option } from "commander";
import { parseChoice, settings, type SettingName } from "../settings/table.ts";
import type { Runnable } from "./context.ts";

/** Hands parsed options to a command's runner. Tests pass one that records instead. */
export type Dispatch = <Options>(load: () => Promise<Runnable<Options>>, options: Options) => Promise<void>;

/** The commander option of a row of the settings table. */
export function settingOption(name: SettingName): Option {
  const { flag, doc, parse, fallback, fallbackText, choices } = settings[name];
  const option = new Option(flag, doc).argParser<unknown>((text) => parse(text));
  if (choices !== undefined) option.argChoices = [...choices];
  return fallback === undefined ? option : option.default(fallback, fallbackText);
}

/** An option that takes one of a closed set of words, with the nearest named when it takes none. */
export function choiceOption(flag: string, doc: string, choices: readonly string[]): Option {
  const what = flag.replace(/^--/, "").replace(/ .*/, "");
  const option = new Option(flag, doc).argParser((text) => parseChoice(what, text, choices));
  option.argChoices = [...choices];
  return option;
}

/** `--allow-host`: what may be reached besides the public network. */
export function allowHostOption(): Option {
  return new Option("--allow-host <host>", "also send to this host's address or port; repeatable")
    .argParser(collect)
    .default([]);
}

/** `--allow-private`. */
export function allowPrivateOption(): Option {
  return new Option("--allow-private", "also send to private network addresses").default(false);
}

/** Collects the values of a repeatable option. */
export function collect(text: string, before: unknown): readonly string[] {
  return [...(Array.isArray(before) ? (before as string[]) : []), text];
}
