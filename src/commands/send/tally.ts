/**
 * Counting outcomes, and the one exit code that says it all to a script.
 *
 * Summary and exit code come from the same counts, and the counts add up to the
 * input.
 */
import { diagnosisOf, type CauseId, type Delivery } from "../../protocol/delivery.ts";
import { ExitCode } from "../exit-code.ts";

/** What a failure is about, as far as exit codes tell. */
export type FailureClass = "gone" | "credentials" | "later" | "inDoubt" | "unusable" | "failed";

/** A recipient that no request was made for, and why. */
export interface Skipped {
  readonly outcome: "skipped";
  /** Id of the reason, documented in docs/errors.md. */
  readonly cause:
    | "key.unknown"
    /** Its push service refused this very key before. */
    | "key.refused"
    | "input.malformed"
    | "message.unfit"
    | "message.unsigned"
    | "interrupted"
    /** Nothing is wrong: the endpoint came before, or the journal says that it was done. */
    | "input.repeated"
    | "journal.accepted"
    | "journal.gone"
    /** It may have arrived in an earlier run, and is not to be sent twice. */
    | "journal.ambiguous";
  readonly reason: string;
  readonly advice: string;
}

export type Outcome = Delivery | Skipped;

export interface Tally {
  readonly total: number;
  readonly accepted: number;
  readonly failures: Readonly<Record<FailureClass, number>>;
  /** Settled by an earlier run of the same journal: accepted or gone. */
  readonly settledBefore: number;
  readonly repeated: number;
  readonly interrupted: number;
}

/** Counts outcomes as they come. */
export class Counter {
  readonly #failures = { gone: 0, credentials: 0, later: 0, inDoubt: 0, unusable: 0, failed: 0 };
  readonly #others = { total: 0, accepted: 0, settledBefore: 0, repeated: 0, interrupted: 0 };

  count(outcome: Outcome, times = 1): void {
    this.#others.total += times;
    const place = placeOf(outcome);
    if (place in this.#failures) this.#failures[place as FailureClass] += times;
    else this.#others[place as Exclude<Place, FailureClass>] += times;
  }

  tally(): Tally {
    return { ...this.#others, failures: { ...this.#failures } };
  }
}

type Place = FailureClass | "accepted" | "settledBefore" | "repeated" | "interrupted";

function placeOf(outcome: Outcome): Place {
  switch (outcome.cause) {
    case "interrupted":
      return "interrupted";
    case "input.repeated":
      return "repeated";
    case "journal.accepted":
    case "journal.gone":
      return "settledBefore";
    default:
      return outcome.outcome === "accepted" ? "accepted" : failureClassOf(outcome);
  }
}

function failureClassOf(outcome: Exclude<Outcome, { outcome: "accepted" }>): FailureClass {
  switch (outcome.outcome) {
    case "gone":
      return "gone";
    case "wrong-key":
      return "credentials";
    case "ambiguous":
      return "inDoubt";
    case "throttled":
    case "unavailable":
    case "unreachable":
    case "rejected":
    case "blocked":
      return failureClassBy(outcome.cause);
    case "skipped":
      return skippedClasses[outcome.cause] ?? "unusable";
    default:
      return outcome satisfies never;
  }
}

const skippedClasses: Partial<Record<Skipped["cause"], FailureClass>> = {
  "key.unknown": "credentials",
  "key.refused": "credentials",
  "message.unsigned": "credentials",
  "journal.ambiguous": "inDoubt",
};

/** By what the failure is about. A certificate that cannot be trusted is no better an hour later: what is not retried is not for later. */
function failureClassBy(cause: CauseId): FailureClass {
  const { about, retry } = diagnosisOf(cause);
  switch (about) {
    case "credentials":
      return "credentials";
    case "network":
    case "rate":
    case "service":
      return retry === "no" ? "failed" : "later";
    case "message":
    case "endpoint":
    case "gone":
    case "none":
      return "failed";
    default:
      return about satisfies never;
  }
}

export interface Judgement {
  /** How many of those gone do not spoil success: members of a group that will not be sent to again. */
  readonly excused: number;
  /** The person asked to stop; what is in flight then may still have been accepted. */
  readonly stopped: boolean;
}

/** The exit code of a run. */
export function exitCodeFor(
  { total, accepted, failures, settledBefore, repeated, interrupted }: Tally,
  { excused, stopped }: Judgement,
): ExitCode {
  if (stopped || interrupted > 0) return ExitCode.interrupted;
  const failed = total - accepted - settledBefore - repeated;
  if (failed === 0) return ExitCode.ok;
  if (accepted + settledBefore > 0) return failed === excused ? ExitCode.ok : ExitCode.partial;
  if (failed === failures.gone) return ExitCode.gone;
  if (failed === failures.credentials) return ExitCode.credentials;
  if (failed === failures.later + failures.inDoubt) return ExitCode.later;
  if (failed === failures.unusable) return ExitCode.usage;
  return ExitCode.failed;
}
