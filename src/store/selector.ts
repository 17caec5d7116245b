/**
 * Naming stored subscriptions: an id, a name, an endpoint, `tag:NAME` or `all`.
 *
 * An id may be cut short as long as it stays unambiguous, as with git.
 */
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/suggest.ts";
import { shortenEndpoint } from "../protocol/subscription.ts";
import type { SubscriptionReader, SubscriptionRecord } from "./subscriptions.ts";

const tagPrefix = "tag:";
const shortestId = 4;

/**
 * The records that `selectors` name, each once, in stored order.
 *
 * @internal
 * @throws UserError `subscription-unknown`, `subscription-ambiguous`
 */
export function selectRecords(
  records: readonly SubscriptionRecord[],
  selectors: readonly string[],
): readonly SubscriptionRecord[] {
  const chosen = new Set(selectors.flatMap((selector) => matching(records, selector)));
  return records.filter((record) => chosen.has(record));
}

/** Whether `text` can only be meant as a selector of stored subscriptions. */
export function isTagSelector(text: string): boolean {
  return text.startsWith(tagPrefix);
}

/** The tag that a tag selector is about. */
export function tagOf(selector: string): string {
  return selector.slice(tagPrefix.length);
}

function matching(records: readonly SubscriptionRecord[], selector: string): readonly SubscriptionRecord[] {
  if (selector === "all") return records;
  const found = isTagSelector(selector)
    ? records.filter(({ tags }) => tags.includes(tagOf(selector)))
    : named(records, selector);
  if (found.length > 0) return found;
  throw unknown(selector, records);
}

/**
 * The records of a store that `selectors` name, each once. Those of a group are all held, as whoever changes or
 * removes them must; of a database only those that are named are read.
 *
 * @throws UserError `subscription-unknown`, `subscription-ambiguous`
 */
export async function selectFrom(
  store: SubscriptionReader,
  selectors: readonly string[],
): Promise<readonly SubscriptionRecord[]> {
  if (!Number.isFinite(store.mostAtOnce) || selectors.includes("all"))
    return selectRecords(await store.list(), selectors);
  const chosen = new Map<string, SubscriptionRecord>();
  for (const selector of selectors) {
    const found = isTagSelector(selector)
      ? await collected(store.stream({ tag: tagOf(selector) }))
      : await store.named(selector);
    if (found.length === 0) throw unknown(selector, await firstOf(store));
    for (const record of found) chosen.set(record.subscription.endpoint, record);
  }
  return [...chosen.values()];
}

/**
 * The same one after the other, each once, in memory that does not grow with the groups; all of them when nobody is
 * named. That everybody named is there is known before the first comes.
 *
 * @throws UserError `subscription-unknown`, `subscription-ambiguous`
 */
export async function* streamFrom(
  store: SubscriptionReader,
  selectors: readonly string[],
): AsyncGenerator<SubscriptionRecord> {
  if (!Number.isFinite(store.mostAtOnce)) {
    yield* selectRecords(await store.list(), selectors.length === 0 ? ["all"] : selectors);
    return;
  }
  const tags = selectors.filter(isTagSelector).map(tagOf);
  for (const tag of tags)
    if (await isEmpty(store.stream({ tag }))) throw unknown(`${tagPrefix}${tag}`, await firstOf(store));
  const names = selectors.filter((selector) => selector !== "all" && !isTagSelector(selector));
  const named = await selectFrom(store, names);
  if (selectors.length === 0 || selectors.includes("all")) {
    yield* store.stream();
    return;
  }
  yield* named;
  const come = new Set(named.map(({ subscription }) => subscription.endpoint));
  for (const [index, tag] of tags.entries()) {
    const earlier = tags.slice(0, index);
    for await (const record of store.stream({ tag })) {
      const isRepeated = earlier.some((other) => record.tags.includes(other));
      if (!isRepeated && !come.has(record.subscription.endpoint)) yield record;
    }
  }
}

/** Whether nothing comes; what is read is not read on. */
export async function isEmpty(items: AsyncIterable<unknown>): Promise<boolean> {
  const iterator = items[Symbol.asyncIterator]();
  const { done } = await iterator.next();
  await iterator.return?.();
  return done === true;
}

/** As many as a command may hold: whoever misspells somebody in a small database is told whom. */
async function firstOf(store: SubscriptionReader): Promise<readonly SubscriptionRecord[]> {
  const first: SubscriptionRecord[] = [];
  for await (const record of store.stream()) if (first.push(record) >= store.mostAtOnce) break;
  return first;
}

/** The error for a selector of nobody, with the nearest one of those that are `known`. */
function unknown(selector: string, known: readonly SubscriptionRecord[]): UserError {
  const near = nearest(
    selector,
    known.flatMap(({ id, name, tags }) => [id, name ?? id, ...tags.map((tag) => tagPrefix + tag)]),
  );
  return new UserError("subscription-unknown", `no stored subscription is ${JSON.stringify(selector)}`, {
    hints: [near === undefined ? "run `webpush subscriptions list` to see them" : `did you mean ${near}?`],
  });
}

/** All of a stream. */
export async function collected<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/**
 * As `SubscriptionStore.named`, of records at hand.
 *
 * @throws UserError `subscription-ambiguous`
 */
export function named(
  records: readonly SubscriptionRecord[],
  selector: string,
): readonly SubscriptionRecord[] {
  const exact = records.filter((record) => isExactly(record, selector));
  if (exact.length > 1) throw ambiguous(selector, exact);
  if (exact.length > 0 || selector.length < shortestId) return exact;
  const begun = records.filter(({ id }) => id.startsWith(selector));
  if (begun.length > 1) throw ambiguous(selector, begun);
  return begun;
}

/** Whether a record goes by this very text: its id, its name, its endpoint. */
export function isExactly({ id, name, subscription }: SubscriptionRecord, text: string): boolean {
  return id === text || name === text || subscription.endpoint === text;
}

/** The error for the beginning of several ids, or for a text that several records go by. */
export function ambiguous(selector: string, found: readonly SubscriptionRecord[]): UserError {
  const some = found.slice(0, 3);
  const ids = new Set(found.map(({ id }) => id));
  if (ids.size > 1 && !found.some((record) => isExactly(record, selector))) {
    return new UserError("subscription-ambiguous", `${selector} is the beginning of ${found.length} ids`, {
      hints: [`give more of it: ${some.map(({ id }) => id).join(", ")}`],
    });
  }
  const who = some.map(({ name, subscription }) => name ?? shortenEndpoint(subscription.endpoint));
  return new UserError("subscription-ambiguous", `${selector} stands for ${found.length} subscriptions`, {
    hints: some.every(({ name }) => name !== undefined)
      ? [`give a name: ${who.join(", ")}`]
      : [
          `they are ${who.join(", ")}`,
          "give one a name, by its whole endpoint: webpush subscriptions rename ENDPOINT NAME",
        ],
  });
}
