/**
 * Naming stored subscriptions: an id, a name, `tag:NAME` or `all`.
 *
 * An id may be cut short as long as it stays unambiguous, as with git.
 */
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/suggest.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";

const tagPrefix = "tag:";
const shortestId = 4;

/**
 * The records that `selectors` name, each once, in stored order.
 *
 * @throws UserError `subscription-unknown`, `subscription-ambiguous`
 */
export function selectRecords(
  records: readonly SubscriptionRecord[],
  selectors: readonly string[],
): readonly SubscriptionRecord[] {
  const chosen = new Set(selectors.flatMap((selector) => matching(records, selector)).map(({ id }) => id));
  return records.filter(({ id }) => chosen.has(id));
}

/** Whether `text` can only be meant as a selector of stored subscriptions. */
export function isTagSelector(text: string): boolean {
  return text.startsWith(tagPrefix);
}

function matching(records: readonly SubscriptionRecord[], selector: string): readonly SubscriptionRecord[] {
  if (selector === "all") return records;
  const found = isTagSelector(selector)
    ? records.filter(({ tags }) => tags.includes(selector.slice(tagPrefix.length)))
    : named(records, selector);
  if (found.length > 0) return found;
  const known = records.flatMap(({ id, name, tags }) => [
    id,
    name ?? id,
    ...tags.map((tag) => tagPrefix + tag),
  ]);
  const near = nearest(selector, known);
  throw new UserError("subscription-unknown", `no stored subscription is ${JSON.stringify(selector)}`, {
    hints: [near === undefined ? "run `webpush subscriptions list` to see them" : `did you mean ${near}?`],
  });
}

function named(records: readonly SubscriptionRecord[], selector: string): readonly SubscriptionRecord[] {
  const exact = records.filter(({ id, name }) => id === selector || name === selector);
  if (exact.length > 0 || selector.length < shortestId) return exact;
  const begun = records.filter(({ id }) => id.startsWith(selector));
  if (begun.length > 1) {
    throw new UserError("subscription-ambiguous", `${selector} is the beginning of ${begun.length} ids`, {
      hints: [
        `give more of it: ${begun
          .slice(0, 3)
          .map(({ id }) => id)
          .join(", ")}`,
      ],
    });
  }
  return begun;
}
