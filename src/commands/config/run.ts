/** `webpush config`: lists, sets and unsets rows of the settings table in the project. */
import { UserError } from "../../base/errors.ts";
import { nearest } from "../../base/suggest.ts";
import { settingNamed, settings as table } from "../../settings/table.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { ConfigOptions } from "./command.ts";
import { settingRecord, settingsText, shownValue } from "./render.ts";

type Needs = Pick<Context, "io" | "settings" | "json">;

export async function run(options: ConfigOptions, context: Needs): Promise<ExitCode> {
  const { io, settings, json } = context;
  if (options.action === "list") {
    const stored = settings.read();
    const lines = json
      ? Object.keys(table).map((name) => settingRecord(name, stored[name]))
      : settingsText(stored, io.terminal.columns);
    for (const line of lines) io.out(line);
    return ExitCode.ok;
  }
  const { name } = options;
  const row = settingNamed(name);
  if (row === undefined) throw unknownSetting(name);
  const value = options.action === "set" ? options.value : undefined;
  if (value !== undefined) row.parse(value);
  await settings.update((current) => {
    if (value === undefined && !Object.hasOwn(current, name)) return current;
    const others = Object.entries(current).filter(([other]) => other !== name);
    return Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
  });
  if (json) io.out(settingRecord(name, value));
  else
    io.say(
      value === undefined ? `${name} is back to its default` : `${name} is ${shownValue(value)} from now on`,
    );
  return ExitCode.ok;
}

function unknownSetting(name: string): UserError {
  const near = nearest(name, Object.keys(table));
  return new UserError("setting-unknown", `there is no setting ${JSON.stringify(name)}`, {
    hints: [near === undefined ? "run `webpush config` for a list" : `did you mean ${near}?`],
  });
}
