/**
 * Subscriptions with the same keys: one browser copied.
 *
 * Two readings: the first learns which keys come twice, in a set that takes some 27 MB for a million; the second takes
 * up the records that have them.
 */
import { FingerprintSet, fingerprintOf } from "../base/fingerprint-set.ts";
import { shortenEndpoint } from "../protocol/subscription.ts";
import type { SubscriptionRecord } from "../store/subscriptions.ts";
import type { Finding } from "./check.ts";
import { nameOf } from "./record-checks.ts";

/** Those behind so many are not compared. */
const mostCompared = 1_000_000;
const repeatedMark = 2;

export class Duplicates {
  readonly #keys = new FingerprintSet();
  readonly #byKey = new Map<string, SubscriptionRecord[]>();
  readonly #most: number;
  #repeats = 0;
  #held = 0;

  /** Keeps `most` records at most. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether a second reading has anything to take up. */
  get areThere(): boolean {
    return this.#repeats > 0;
  }

  /** Those of the first reading. */
  meet({ gone, subscription }: SubscriptionRecord): void {
    if (gone !== undefined) return;
    const digest = fingerprintOf(subscription.p256dh);
    if (this.#keys.has(digest)) {
      this.#keys.mark(digest, repeatedMark);
      this.#repeats += 1;
    } else if (this.#keys.size < mostCompared) this.#keys.add(digest);
  }

  /** Those of the second. */
  meetAgain(record: SubscriptionRecord): void {
    const { p256dh } = record.subscription;
    if (record.gone !== undefined || this.#held > this.#most) return;
    if (this.#keys.markOf(fingerprintOf(p256dh)) !== repeatedMark) return;
    this.#byKey.set(p256dh, [...(this.#byKey.get(p256dh) ?? []), record]);
    this.#held += 1;
  }

  /** What is wrong with all but the newest of each; how many there are, told or not. */
  findings(): { readonly first: readonly Finding[]; readonly count: number } {
    const first = [...this.#byKey.values()].flatMap((same) => {
      const newest = same.reduce((a, b) => (b.registeredAt > a.registeredAt ? b : a));
      return same.filter((record) => record !== newest).map((record) => findingOf(record, newest));
    });
    return { first, count: Math.max(this.#repeats, first.length) };
  }
}

function findingOf(record: SubscriptionRecord, newest: SubscriptionRecord): Finding {
  return {
    level: "warning",
    what: `it has the same keys as ${nameOf(newest)}, at another endpoint (${shortenEndpoint(record.subscription.endpoint)})`,
    fix: `remove the one that is out of date, most likely webpush subscriptions remove ${record.id}`,
    where: nameOf(record),
  };
}
