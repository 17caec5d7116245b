/**
 * Checks of the stored subscriptions, over a survey of them (survey.ts): what is wrong with each (record-checks.ts), and
 * what is wrong with several together.
 */
import type { Check, Finding } from "./check.ts";
import { valueOf, type ProjectFacts, type SubscriptionSurvey } from "./facts.ts";
import { recordChecks, type RecordCheck } from "./record-checks.ts";
import { duplicatesId } from "./survey.ts";

/** More than the file is good for: it is read and written whole each time. */
const mostStored = 10_000;

export const subscriptionChecks: readonly Check<ProjectFacts>[] = [
  about({
    id: "subscriptions.stored",
    title: "stored subscriptions",
    why: "a push goes to a subscription that the page has handed in; without one there is nobody to send to",
    examine: ({ total }) =>
      total === 0
        ? [{ level: "note", what: "there are none yet", fix: "webpush serve, or webpush subscriptions add" }]
        : [{ level: "good", what: `${total}` }],
  }),
  ...recordChecks.map(ofEach),
  about({
    id: duplicatesId,
    title: "the same browser twice",
    why: "keys are made with the subscription: two endpoints with the same keys are one browser copied, and one of them is wrong",
    examine: (survey) => orGood(foundIn(survey, duplicatesId), "none"),
  }),
  about({
    id: "subscriptions.number",
    title: "number of subscriptions",
    why: "the file is read and written whole by each command",
    examine: ({ total, isWhole }) => {
      if (!isWhole) return [{ level: "good", what: "no more than a database is good for" }];
      if (total <= mostStored) return [{ level: "good", what: "no more than the file is good for" }];
      const what = `${total} is more than the file is good for (some ${mostStored})`;
      const fix =
        "keep them in a database: webpush store copy local postgres://…, or hand over those of your own: webpush send --to subscriptions.ndjson";
      return [{ level: "note", what, fix }];
    },
  }),
];

interface SurveyCheck extends Pick<Check<never>, "id" | "title" | "why"> {
  readonly examine: (survey: SubscriptionSurvey) => readonly Finding[];
}

/** A check of the survey, skipped where the subscriptions do not read. */
function about({ examine, ...rest }: SurveyCheck): Check<ProjectFacts> {
  return {
    ...rest,
    needs: "nothing",
    examine: (facts) => {
      const survey = valueOf(facts.subscriptions);
      if (survey !== undefined) return examine(survey);
      return [{ level: "skipped", what: "they cannot be read, see above" }];
    },
  };
}

function ofEach({ id, title, why, good, among }: RecordCheck): Check<ProjectFacts> {
  return about({
    id,
    title,
    why,
    examine: (survey) => {
      const found = foundIn(survey, id);
      return orGood(among === undefined ? found : found.map((one) => among(one, survey)), good);
    },
  });
}

/** What was found of one kind, and how many more there are. */
function foundIn({ found }: SubscriptionSurvey, id: string): readonly Finding[] {
  const { first, count } = found.get(id) ?? { first: [], count: 0 };
  const [one] = first;
  const more = count - first.length;
  if (one === undefined || more <= 0) return first;
  const { where, ...alike } = one;
  return [...first, { ...alike, what: `${more} more like ${where ?? "it"}` }];
}

function orGood(found: readonly Finding[], what: string): readonly Finding[] {
  return found.length === 0 ? [{ level: "good", what }] : found;
}
