/** `webpush subscriptions export`: whole subscriptions, for another tool or machine. */
import { subscriptionLines } from "../../formats/subscription-export.ts";
import { streamFrom } from "../../store/selector.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { writePrivateLines } from "../output-file.ts";
import type { ExportOptions } from "./command.ts";
import { counted } from "./render.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "cwd">;

export async function run(options: ExportOptions, { io, subscriptions, cwd }: Needs): Promise<ExitCode> {
  let count = 0;
  const chosen = async function* (): AsyncGenerator<SubscriptionRecord> {
    const records =
      options.which.length === 0
        ? subscriptions.stream({ living: true })
        : streamFrom(subscriptions, options.which);
    for await (const record of records) {
      count += 1;
      yield record;
    }
  };
  const lines = subscriptionLines(chosen(), options.format);
  if (options.output === undefined) {
    for await (const line of lines) {
      io.out(line);
      await io.drained();
    }
  } else await writePrivateLines(options.output, lines, cwd);
  io.say(
    `exported ${counted(count)}${options.output === undefined ? "" : ` to ${options.output}; only you can read it`}`,
  );
  return ExitCode.ok;
}
