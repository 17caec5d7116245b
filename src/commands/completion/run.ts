/** `webpush completion`: the command tree as a script of the person's shell. */
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { CompletionOptions } from "./command.ts";
import { completionScript } from "./render.ts";

export async function run(options: CompletionOptions, { io }: Pick<Context, "io">): Promise<ExitCode> {
  io.out(completionScript(options.shell, await options.describe()).trimEnd());
  return ExitCode.ok;
}
