/** `webpush help`: topics are texts, commands show their own help. */
import { UserError } from "../../base/errors.ts";
import { nearest } from "../../base/suggest.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { HelpOptions } from "./command.ts";
import { environmentText, exitCodesText } from "./render.ts";

const topics = ["exit-codes", "environment"];

export async function run(
  options: HelpOptions,
  { io, json }: Pick<Context, "io" | "json">,
): Promise<ExitCode> {
  const name = options.topic.join(" ");
  const { columns } = io.terminal;
  if (name === "exit-codes") for (const line of exitCodesText(json, columns)) io.out(line);
  else if (name === "environment")
    for (const line of environmentText(await options.describe(), columns)) io.out(line);
  else if (!(await options.showHelp(options.topic))) throw await unknownTopic(name, options);
  return ExitCode.ok;
}

async function unknownTopic(name: string, { describe }: HelpOptions): Promise<UserError> {
  const commands = (await describe()).commands.map((command) => command.name);
  const near = nearest(name, [...topics, ...commands]);
  return new UserError("help-topic", `there is no command or topic ${JSON.stringify(name)}`, {
    hints: [near === undefined ? "run `webpush help` for a list" : `did you mean ${near}?`],
  });
}
