/**
 * Commands in our messages as the person can type them: who runs `npx webpush` has no `webpush` on the PATH.
 *
 * Messages are written with `webpush …` everywhere, `--json` records stay so; this is the one place that knows of npx.
 */
import type { Environment } from "../settings/environment.ts";
import { commandNames } from "./program.ts";

/** Puts `npx` before the commands in a text of ours, where npm says that it was run by it. */
export function commandsAsTyped(env: Environment): (text: string) => string {
  // `npx` and `npm exec` set both; a script of package.json has another command, and pnpm and yarn another agent.
  const isNpx = env["npm_command"] === "exec" && (env["npm_config_user_agent"] ?? "").startsWith("npm/");
  if (!isNpx) return (text) => text;
  const command = new RegExp(
    String.raw`(?<=^|[\s(\`'"]|\[\d+m)(?<!npx )webpush (?=(?:${commandNames.join("|")})\b)`,
    "gm",
  );
  return (text) => text.replace(command, "npx webpush ");
}
