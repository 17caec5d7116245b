/**
 * What a check of `webpush doctor` is: an object in a list, examined over facts gathered before.
 *
 * Adding a check is adding an object. A check never throws for what it finds and never
 * prints: it answers findings, and one that finds nothing wrong says in a few words what
 * it saw. What it must ask of the world (a file, the network, a person) is in `Facts`.
 */

/**
 * How bad it is.
 *
 * - `good`: looked at, nothing is wrong
 * - `note`: worth knowing, nothing need be done
 * - `warning`: works today, and will bite some users or some day
 * - `problem`: pushes fail, or will not be seen
 * - `skipped`: could not be looked at, and why
 */
export type Level = "good" | "note" | "warning" | "problem" | "skipped";

/** What a problem is about; decides the exit code when all problems agree. */
export type About = "credentials" | "gone" | "network" | "other";

export interface Finding {
  readonly level: Level;
  /** What was seen: lower case, one line, no full stop. Foreign text in it is not yet safe to print. */
  readonly what: string;
  /** What to do about it: one imperative line, often a command. Absent where nothing is to be done. */
  readonly fix?: string;
  /** Where: a file with its line, a subscription's id, a push service's origin. */
  readonly where?: string;
  /** Of problems; `other` when absent. */
  readonly about?: About;
}

export interface Check<Facts> {
  /** Permanent, part of the `--json` contract: `keys.subject`, `page.worker.wait-until`. */
  readonly id: string;
  /** What is looked at: a few words that stand before any finding. */
  readonly title: string;
  /** Why it matters: one sentence for people. */
  readonly why: string;
  /** `online` checks run with `--online` only; `person` ones ask somebody at a terminal. */
  readonly needs: "nothing" | "online" | "person";
  readonly examine: (facts: Facts) => readonly Finding[] | Promise<readonly Finding[]>;
}
