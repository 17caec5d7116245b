/**
 * How to go on after a run that did not reach everyone, in words for people.
 */
import type { Context } from "../context.ts";
import { shellWord } from "../../base/shell-quote.ts";
import { printable } from "../../terminal/printable.ts";
import type { SendOptions } from "./command.ts";
import type { Tally } from "./tally.ts";

/** Flags whose values are secrets, or as good as one: they are not printed. */
const secretFlags = ["--auth", "--vapid-pvtkey", "--subscription", "--endpoint", "--key"];

/** The command that goes on, where a journal knows where; otherwise what a journal would have done. */
export function resumeWords(
  { interrupted, failures, total }: Tally,
  { journal, retryAmbiguous }: Pick<SendOptions, "journal" | "retryAmbiguous">,
  { commandLine, signal, io }: Pick<Context, "commandLine" | "signal" | "io">,
): readonly string[] {
  const isCutShort = interrupted > 0 || signal.aborted;
  if (journal === undefined) {
    return isCutShort && total > 1
      ? [`${io.paint.err.hint("hint:")} with --journal FILE the same command would go on where it stopped`]
      : [];
  }
  // Who is in doubt is left out by the same command when it is not to send twice.
  const open = failures.later + (retryAmbiguous ? failures.inDoubt : 0);
  if (!isCutShort && open === 0) return [];
  const what = isCutShort ? "go on with" : `try the ${open} again with`;
  return [`${what}: ${commandText(commandLine)}`];
}

function commandText(argv: readonly string[]): string {
  const hasSecret = argv.some((word) =>
    secretFlags.some((flag) => word === flag || word.startsWith(`${flag}=`)),
  );
  if (hasSecret) return "the same command and the same --journal";
  return printable(["webpush", ...argv].map(shellWord).join(" "));
}
