/** The contact a push service can reach (RFC 8292 §2.1): notes about it, and asking for it. */
import { parseSubject, type ParsedSubject, type Subject } from "../../protocol/subject.ts";
import type { Context } from "../context.ts";

/** Says what was changed or is odd about a subject that was accepted. */
export function noteSubject(parsed: ParsedSubject | undefined, { io }: Pick<Context, "io">): void {
  for (const note of parsed?.notes ?? []) io.say(`${io.paint.err.caution("note:")} ${note}`);
}

/** Asks for a contact where somebody can answer; undefined when nobody can, or the answer is empty. */
export async function promptForSubject(
  context: Pick<Context, "io" | "prompt" | "json">,
): Promise<Subject | undefined> {
  if (!context.prompt.available) return undefined;
  const parsed = await context.prompt.input(
    "Contact for push services, mailto: or https: (Enter to decide later)",
    (text) => (text.trim() === "" ? undefined : parseSubject(text)),
    "",
  );
  noteSubject(parsed, context);
  return parsed?.subject;
}
