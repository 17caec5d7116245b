/**
 * Where an option's value comes from: flag, environment, project settings, default.
 *
 * commander parses flags and defaults; this fills the two steps between, for
 * every option of the command that is about to run.
 */
import type { Command, Option } from "commander";
import { UserError, messageOf } from "../base/errors.ts";
import { parseSwitch, twinOf, type Environment } from "../settings/environment.ts";
import { isGlobalOption } from "./global-options.ts";
import { settingNamed } from "../settings/table.ts";

/** Fills options that no flag set from their `WEBPUSH_…` twins. */
export function applyEnvironment(command: Command, env: Environment): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (isSet(command, name)) continue;
    const twin = twinOf(option.long ?? `--${name}`);
    const text = env[twin];
    if (text === undefined || (text === "" && !isSwitch(option))) continue;
    command.setOptionValueWithSource(name, readTwin(option, twin, text), "env");
  }
}

/** Fills settings that neither flag nor environment set from the project's `config.json`. */
export function applyProjectSettings(command: Command, stored: Readonly<Record<string, string>>): void {
  for (const option of command.options) {
    const name = option.attributeName();
    const text = Object.hasOwn(stored, name) ? stored[name] : undefined;
    const row = settingNamed(name);
    // A flag that only shares its name with a setting is another thing: `listen --timeout`.
    if (isGlobalOption(option) || isSet(command, name) || text === undefined || row?.flag !== option.flags)
      continue;
    command.setOptionValueWithSource(
      name,
      explained(`setting ${name}`, () => row.parse(text)),
      "config",
    );
  }
}

/** Whether the command has a flag that a project setting may fill. */
export function readsSettings(command: Command): boolean {
  return command.options.some(
    (option) => !isGlobalOption(option) && settingNamed(option.attributeName())?.flag === option.flags,
  );
}

function isSet(command: Command, name: string): boolean {
  const source = command.getOptionValueSource(name);
  return source !== undefined && source !== "default";
}

function isSwitch(option: Option): boolean {
  return !option.required && !option.optional;
}

function readTwin(option: Option, twin: string, text: string): unknown {
  if (isSwitch(option)) return option.negate ? !parseSwitch(twin, text) : parseSwitch(twin, text);
  const parse = option.parseArg;
  if (parse === undefined) return option.variadic ? [text] : text;
  return explained(twin, (): unknown => parse(text, option.defaultValue));
}

/** Says which variable or setting a refused value came from. */
function explained<Value>(origin: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.code, `${origin}: ${messageOf(error)}`, {
      kind: error.kind,
      hints: error.hints,
      cause: error,
    });
  }
}
