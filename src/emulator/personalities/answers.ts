/**
 * A vendor's answers out of the diagnosis table, so that what the emulator says and what `send` makes of it are one.
 *
 * Each refusal is answered as a row of the table: its example, sometimes in other words of the vendor's.
 */
import { diagnosisOf, type CauseId } from "../../protocol/diagnoses.ts";
import type { VapidDefect } from "../../protocol/vapid-verification.ts";
import type { Refusal, RefusalCode } from "../refusals.ts";
import type { Reply } from "../replies.ts";

/** The answer by which a row of the diagnosis table is known; `undefined` for those that are no answer. */
export function exampleAnswer(cause: CauseId): Reply | undefined {
  const { example } = diagnosisOf(cause);
  if (example === undefined) return undefined;
  const { status, headers = {}, body = "" } = example;
  return { status, headers, body: Buffer.from(body) };
}

/** What was wrong with a message: the refusal, or exactly what about its token. */
export type Fault = Exclude<RefusalCode, "vapid-invalid"> | Exclude<VapidDefect, "missing" | "mismatch">;

/** How one fault is answered. */
export interface Wording {
  /** The row it is answered as. */
  readonly row: CauseId;
  /** The vendor's words for just this, in place of the example's. */
  readonly words?: string;
  /** The vendor's status for just this, in place of the example's. */
  readonly status?: number;
}

/** How a vendor answers: what is not in `known` is answered as `otherwise`. */
export interface Wordings<Kind extends Wording = Wording> {
  readonly known: Readonly<Partial<Record<Fault, Kind>>>;
  readonly otherwise: Kind;
}

/** How a vendor words a refusal. */
export function wordingOf<Kind extends Wording>(
  { known, otherwise }: Wordings<Kind>,
  refusal: Refusal,
): Kind {
  return known[faultOf(refusal)] ?? otherwise;
}

function faultOf({ code, defect = "token" }: Refusal): Fault {
  if (code !== "vapid-invalid") return code;
  if (defect === "missing") return "vapid-missing";
  return defect === "mismatch" ? "vapid-wrong-key" : defect;
}

/** The answer of a wording's row, with its status. */
export function answerOf({ row, status }: Wording): Reply {
  const answer = exampleAnswer(row);
  if (answer === undefined) throw new TypeError(`${row} is not the answer of a service`);
  return status === undefined ? answer : { ...answer, status };
}

/** The fields of an answer whose body is a JSON object. */
export function fieldsOf({ body }: Reply): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(Buffer.from(body).toString());
  return typeof value === "object" && value !== null ? { ...value } : {};
}
