/** commander's own complaints, as the `error:` and `hint:` lines or the JSON record that all our errors are. */
import { ExitCode } from "../commands/exit-code.ts";
import { printable } from "../terminal/printable.ts";
import { jsonLine } from "../terminal/json-line.ts";

const suggestion = /\n\((Did you mean .*\?)\)/;

/** What commander would print, in our form; what the person typed is in it, so it is made safe to show. */
export function usageErrorText(text: string): string {
  const { message, hints } = read(text);
  return [`error: ${message}`, ...hints.map((hint) => `hint: ${hint}`), ""]
    .map((line) => printable(line))
    .join("\n");
}

/** The same for `--json`. */
export function usageErrorJson(text: string): string {
  return `${jsonLine({ error: { code: "usage", ...read(text), exitCode: ExitCode.usage } })}\n`;
}

function read(text: string): { readonly message: string; readonly hints: readonly string[] } {
  const hint = suggestion.exec(text)?.[1];
  const message = text
    .replace(suggestion, "")
    .replace(/^error: /, "")
    .trimEnd();
  return { message, hints: hint === undefined ? [] : [hint.replace(/^D/, "d")] };
}
