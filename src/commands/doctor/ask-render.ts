/** What `webpush doctor --ask` prints. */
import type { Question, Records, Verdict } from "../../doctor/questions.ts";
import { factsOf } from "../../protocol/services.ts";
import type { Io } from "../../terminal/io.ts";
import { wrap } from "../../terminal/wrap.ts";

type Screen = Pick<Io, "paint" | "terminal">;

const page = "docs/nothing-appears.md";

/** A question as a JSON record. Fields are a contract: docs/json.md. */
export function questionJson({ id, asks, answers }: Question) {
  return { type: "question", question: id, asks, answers: answers.map(({ says, next }) => ({ says, next })) };
}

/** A verdict as a JSON record. */
export function verdictJson({ id, what, fix }: Verdict) {
  return { type: "verdict", verdict: id, what, fix, see: seeOf(id) };
}

function seeOf(id: string): string {
  return `${page}#${id}`;
}

/** What the records say already, before the questions. */
export function knownText(
  { stored, accepted, services, ttlSeconds }: Records,
  { paint, terminal }: Screen,
): readonly string[] {
  if (stored === 0) return [];
  const names = services.map((id) => factsOf(id).name).join(", ");
  const parts = [
    `${accepted} of ${stored} stored subscriptions had their last message accepted`,
    ...(names === "" ? [] : [` by ${names}`]),
    ...(ttlSeconds === 0 ? ["; the project's default is --ttl 0"] : []),
  ];
  return wrap(parts.join(""), Math.max(20, terminal.columns)).map((line) => paint.err.dim(line));
}

/** What it is, and what to do. */
export function verdictText({ id, what, fix }: Verdict, { paint, terminal }: Screen): readonly string[] {
  const columns = Math.max(20, terminal.columns);
  return [
    "",
    ...wrap(what, columns).map((line) => paint.out.bold(line)),
    ...fix.flatMap((step, at) =>
      wrap(step, columns - 5).map((line, row) => `  ${row === 0 ? `${at + 1}.` : "  "} ${line}`),
    ),
    paint.out.dim(`more: ${seeOf(id)}`),
  ];
}
