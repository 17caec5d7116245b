/**
 * What the stored subscriptions are like, gathered as they are read: of what is wrong with them, no more is kept than
 * a command may hold at once, and the rest is counted.
 */
import { endpointOrigin } from "../protocol/subscription.ts";
import { serviceOf } from "../protocol/services.ts";
import { checkSubscription } from "../store/check.ts";
import { KeyGroups } from "../store/key-use.ts";
import type { SubscriptionReader, SubscriptionRecord } from "../store/subscriptions.ts";
import type { Finding } from "./check.ts";
import { Duplicates } from "./duplicates.ts";
import type { FoundInRecords, SubscriptionSurvey } from "./facts.ts";
import { recordChecks, type SurveyFacts } from "./record-checks.ts";

export const duplicatesId = "subscriptions.duplicates";

/** No more are visited: a list from a hundred self-hosted services would take minutes. */
const mostOrigins = 12;

/** Reads all there are, and those with the same keys twice. */
export async function surveySubscriptions(
  store: Pick<SubscriptionReader, "stream" | "mostAtOnce">,
  facts: SurveyFacts,
): Promise<SubscriptionSurvey> {
  const surveyor = new Surveyor(facts, store.mostAtOnce);
  for await (const record of store.stream()) surveyor.meet(record);
  if (surveyor.duplicates.areThere)
    for await (const record of store.stream()) surveyor.duplicates.meetAgain(record);
  return surveyor.survey();
}

/**
 * The survey of records at hand.
 *
 * @internal
 */
export function surveyOf(records: readonly SubscriptionRecord[], facts: SurveyFacts): SubscriptionSurvey {
  const surveyor = new Surveyor(facts, Number.POSITIVE_INFINITY);
  for (const record of records) surveyor.meet(record);
  for (const record of records) surveyor.duplicates.meetAgain(record);
  return surveyor.survey();
}

class Surveyor {
  readonly duplicates: Duplicates;
  readonly #facts: SurveyFacts;
  readonly #most: number;
  readonly #tallies: readonly Tally[];
  readonly #origins = new Set<string>();
  readonly #keyGroups = new KeyGroups([]);
  #hasMoreOrigins = false;
  #total = 0;
  #gone = 0;

  constructor(facts: SurveyFacts, mostAtOnce: number) {
    this.#facts = facts;
    this.#most = mostAtOnce;
    this.duplicates = new Duplicates(mostAtOnce);
    this.#tallies = recordChecks.map(({ id, begin }) => ({ id, find: begin(facts), first: [], count: 0 }));
  }

  meet(record: SubscriptionRecord): void {
    const { gone, subscription } = record;
    this.#total += 1;
    if (gone !== undefined) this.#gone += 1;
    else if (!serviceOf(subscription.endpoint).dead) this.#meetOrigin(endpointOrigin(subscription.endpoint));
    this.#keyGroups.add(record);
    this.duplicates.meet(record);
    const known = checkSubscription(record, this.#facts);
    for (const tally of this.#tallies) {
      for (const finding of tally.find(record, known)) {
        tally.count += 1;
        if (tally.first.length < this.#most) tally.first.push(finding);
      }
    }
  }

  #meetOrigin(origin: string): void {
    if (this.#origins.size < mostOrigins) this.#origins.add(origin);
    else if (!this.#origins.has(origin)) this.#hasMoreOrigins = true;
  }

  survey(): SubscriptionSurvey {
    const found = new Map<string, FoundInRecords>(this.#tallies.map((tally) => [tally.id, tally]));
    return {
      total: this.#total,
      gone: this.#gone,
      isWhole: !Number.isFinite(this.#most),
      origins: [...this.#origins],
      hasMoreOrigins: this.#hasMoreOrigins,
      keyGroups: this.#keyGroups.all(),
      found: found.set(duplicatesId, this.duplicates.findings()),
    };
  }
}

interface Tally {
  readonly id: string;
  readonly find: ReturnType<(typeof recordChecks)[number]["begin"]>;
  readonly first: Finding[];
  count: number;
}
