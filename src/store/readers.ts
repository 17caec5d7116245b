/** Reading from a store that holds all its records anyway: every question is answered from the one list. */
import { groupsOf } from "./key-use.ts";
import { named } from "./selector.ts";
import { passes, type SubscriptionReader, type SubscriptionRecord } from "./subscriptions.ts";

export type { SubscriptionReader } from "./subscriptions.ts";

/** Answers every question from what `list` answers. */
export function readersOf(list: () => Promise<readonly SubscriptionRecord[]>): SubscriptionReader {
  return {
    mostAtOnce: Number.POSITIVE_INFINITY,
    list,
    async *stream(filter = {}) {
      for (const record of await list()) if (passes(record, filter)) yield record;
    },
    named: async (text) => named(await list(), text),
    groupByKey: async (times) => groupsOf(await list(), times),
    async count() {
      const records = await list();
      return { total: records.length, gone: records.filter(({ gone }) => gone !== undefined).length };
    },
  };
}

/** A store to be asked several questions: a file is read for the first of them, and all are about that moment. */
export function readOnce(store: SubscriptionReader): SubscriptionReader {
  if (Number.isFinite(store.mostAtOnce)) return store;
  let records: Promise<readonly SubscriptionRecord[]> | undefined;
  return readersOf(() => (records ??= store.list()));
}
