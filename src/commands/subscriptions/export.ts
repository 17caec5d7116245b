/** `webpush subscriptions export`: whole subscriptions, for another tool or machine. */
import { formatSubscriptions } from "../../formats/subscription-export.ts";
import { selectRecords } from "../../store/selector.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { writePrivateFile } from "../output-file.ts";
import type { ExportOptions } from "./command.ts";
import { counted } from "./render.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "cwd">;

export async function run(options: ExportOptions, { io, subscriptions, cwd }: Needs): Promise<ExitCode> {
  const all = await subscriptions.list();
  const chosen =
    options.which.length === 0
      ? all.filter(({ gone }) => gone === undefined)
      : selectRecords(all, options.which);
  const text = formatSubscriptions(chosen, options.format);
  if (options.output === undefined) {
    if (text !== "") io.out(text.trimEnd());
  } else writePrivateFile(options.output, text, cwd);
  io.say(
    `exported ${counted(chosen.length)}${options.output === undefined ? "" : ` to ${options.output}; only you can read it`}`,
  );
  return ExitCode.ok;
}
