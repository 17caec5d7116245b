/**
 * The one place that prints what was thrown, and gives it an exit code.
 */
import { UserError } from "../base/errors.ts";
import { ExitCode, exitCodeOf } from "../commands/exit-code.ts";
import type { Io } from "../terminal/io.ts";
import { printable } from "../terminal/printable.ts";
import { redact } from "../terminal/redact.ts";
import { jsonLine } from "../terminal/json-line.ts";

export interface BugReport {
  readonly versions: string;
  readonly url: string;
}

export interface ReportTarget {
  readonly io: Pick<Io, "err" | "out" | "paint">;
  readonly signal: AbortSignal;
  readonly json: boolean;
  /** Versions, and where to report a bug. */
  readonly bugReport: BugReport;
}

/** Prints `error` for a person, or as a JSON record, and answers the exit code. */
export function report(thrown: unknown, target: ReportTarget): ExitCode {
  const error = firstOf(thrown);
  if (error instanceof UserError) return reportUserError(error, target);
  if (target.signal.aborted) return ExitCode.interrupted;
  return reportBug(error, target);
}

/** What went wrong first, where putting away what was open failed too, most often for the same reason. */
function firstOf(error: unknown): unknown {
  const isLater = error instanceof Error && error.name === "SuppressedError" && "suppressed" in error;
  return isLater ? firstOf(error.suppressed) : error;
}

function reportUserError(error: UserError, { io, json }: ReportTarget): ExitCode {
  const exitCode = exitCodeOf(error.kind);
  if (json) {
    io.out(jsonLine({ error: { code: error.code, message: error.message, hints: error.hints, exitCode } }));
  }
  io.err(`${io.paint.err.bad("error:")} ${printable(error.message)}`);
  for (const hint of error.hints) io.err(`${io.paint.err.hint("hint:")} ${printable(hint)}`);
  return exitCode;
}

function reportBug(error: unknown, { io, bugReport }: ReportTarget): ExitCode {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.err(`${io.paint.err.bad("bug:")} webpush failed in a way it should not have`);
  io.err(printable(redact(stack), { limit: 8000, layout: true }));
  io.err(bugReport.versions);
  io.err(`${io.paint.err.hint("hint:")} please report this at ${bugReport.url}, with the lines above`);
  return ExitCode.bug;
}
