/** Runs checks over facts, and sums up what they found. */
import type { About, Check, Finding, Level } from "./check.ts";
import type { DoctorFacts, Section } from "./checks.ts";

/** A finding with the check that made it. */
export interface Examined {
  readonly check: Omit<Check<never>, "examine">;
  readonly finding: Finding;
}

/** What was found about one subject. */
export interface ExaminedSection {
  readonly title: string;
  readonly found: readonly Examined[];
}

/** The sections with the checks that are asked for; those without any left out. */
export function selectChecks(
  all: readonly Section[],
  { only, online }: { readonly only: readonly string[]; readonly online: boolean },
): readonly Section[] {
  const isWanted = ({ id, needs }: Check<DoctorFacts>): boolean =>
    (needs !== "online" || online) && (only.length === 0 || only.some((prefix) => isBelow(id, prefix)));
  return all
    .map(({ title, checks }) => ({ title, checks: checks.filter(isWanted) }))
    .filter(({ checks }) => checks.length > 0);
}

/** Whether `id` is `prefix` or begins with its parts: `keys.subject` is below `keys`. */
export function isBelow(id: string, prefix: string): boolean {
  return id === prefix || id.startsWith(`${prefix}.`);
}

/** Examines every check. */
export async function examineAll(
  wanted: readonly Section[],
  facts: DoctorFacts,
): Promise<readonly ExaminedSection[]> {
  const examined: ExaminedSection[] = [];
  for (const { title, checks } of wanted) {
    const found: Examined[] = [];
    for (const check of checks)
      for (const finding of await check.examine(facts)) found.push({ check, finding });
    examined.push({ title, found });
  }
  return examined;
}

/** How many findings there are of each level. */
export type Counts = Readonly<Record<Level, number>>;

export function countLevels(found: readonly Examined[]): Counts {
  const counts = { good: 0, note: 0, warning: 0, problem: 0, skipped: 0 };
  for (const { finding } of found) counts[finding.level] += 1;
  return counts;
}

/** The finding to begin with: the first problem, else the first warning. */
export function firstToMend(found: readonly Examined[]): Examined | undefined {
  return (
    found.find(({ finding }) => finding.level === "problem") ??
    found.find(({ finding }) => finding.level === "warning")
  );
}

/** What everything that counts as bad is about; `undefined` when nothing is bad. */
export function commonSubject(found: readonly Examined[], strict: boolean): About | undefined {
  const bad = found.filter(
    ({ finding: { level } }) => level === "problem" || (strict && level === "warning"),
  );
  const [first, ...others] = new Set(bad.map(({ finding }) => finding.about ?? "other"));
  return others.length > 0 ? "other" : first;
}
