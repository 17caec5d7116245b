/** Everything `webpush doctor` looks at, by subject, in the order it is told. */
import type { Check } from "./check.ts";
import { environmentChecks } from "./environment-checks.ts";
import type { ProjectFacts } from "./facts.ts";
import { fileChecks } from "./file-checks.ts";
import { keyChecks } from "./key-checks.ts";
import { networkChecks } from "./network-checks.ts";
import { settingChecks } from "./setting-checks.ts";
import { subscriptionChecks } from "./subscription-checks.ts";

/** All facts there are. A list of checks asks for the part it is about. */
export interface DoctorFacts {
  readonly project: ProjectFacts;
}

/** Checks of one subject. */
export interface Section {
  readonly title: string;
  readonly checks: readonly Check<DoctorFacts>[];
}

export const sections: readonly Section[] = [
  { title: "Node and files", checks: over(fileChecks, ({ project }) => project) },
  { title: "Keys", checks: over(keyChecks, ({ project }) => project) },
  { title: "Subscriptions", checks: over(subscriptionChecks, ({ project }) => project) },
  {
    title: "Settings and environment",
    checks: over([...settingChecks, ...environmentChecks], ({ project }) => project),
  },
  { title: "Network", checks: over(networkChecks, ({ project }) => project) },
];

/** `checks`, each examined over its part of the facts. */
function over<Facts>(
  checks: readonly Check<Facts>[],
  part: (facts: DoctorFacts) => Facts,
): readonly Check<DoctorFacts>[] {
  return checks.map((check) => ({ ...check, examine: (facts) => check.examine(part(facts)) }));
}
