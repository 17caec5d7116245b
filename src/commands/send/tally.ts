/**
 * Counting outcomes, and the one exit code that says it all to a script.
 *
 * Summary and exit code come from the same counts, and the counts add up to the
 * input.
 */
import { diagnosisOf, type Delivery } from "../../protocol/delivery.ts";
import { ExitCode } from "../exit-code.ts";

/** What a failure is about, as far as exit codes tell. */
export type FailureClass = "gone" | "credentials" | "later" | "failed";

/** A recipient that no request was made for, and why. */
export interface Skipped {
  readonly outcome: "skipped";
  /** Id of the reason, documented in docs/errors.md. */
  readonly cause: "key.unknown" | "input.malformed" | "interrupted";
  readonly reason: string;
  readonly advice: string;
}

export type Outcome = Delivery | Skipped;

export interface Tally {
  readonly total: number;
  readonly accepted: number;
  readonly failures: Readonly<Record<FailureClass, number>>;
  readonly interrupted: number;
}

/** Counts outcomes. */
export function tallyOf(outcomes: Iterable<Outcome>): Tally {
  const failures = { gone: 0, credentials: 0, later: 0, failed: 0 };
  let [total, accepted, interrupted] = [0, 0, 0];
  for (const outcome of outcomes) {
    total += 1;
    if (outcome.outcome === "accepted") accepted += 1;
    else if (outcome.cause === "interrupted") interrupted += 1;
    else failures[failureClassOf(outcome)] += 1;
  }
  return { total, accepted, failures, interrupted };
}

function failureClassOf(outcome: Exclude<Outcome, { outcome: "accepted" }>): FailureClass {
  switch (outcome.outcome) {
    case "gone":
      return "gone";
    case "wrong-key":
      return "credentials";
    case "throttled":
    case "unavailable":
    case "unreachable":
    case "ambiguous":
      return "later";
    case "rejected":
      return diagnosisOf(outcome.cause).about === "credentials" ? "credentials" : "failed";
    case "blocked":
      return "failed";
    case "skipped":
      return outcome.cause === "key.unknown" ? "credentials" : "failed";
    default:
      return outcome satisfies never;
  }
}

export interface Judgement {
  /** Sent to a group: members found gone do not spoil success. */
  readonly isBroadcast: boolean;
}

/** The exit code of a run. */
export function exitCodeFor(
  { total, accepted, failures, interrupted }: Tally,
  { isBroadcast }: Judgement,
): ExitCode {
  if (interrupted > 0) return ExitCode.interrupted;
  const failed = total - accepted;
  if (failed === 0) return ExitCode.ok;
  if (accepted > 0) return isBroadcast && failed === failures.gone ? ExitCode.ok : ExitCode.partial;
  if (failed === failures.gone) return ExitCode.gone;
  if (failed === failures.credentials) return ExitCode.credentials;
  if (failed === failures.later) return ExitCode.later;
  return ExitCode.failed;
}
