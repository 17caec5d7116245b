/**
 * Which subscriptions may be marked gone: guards against forgetting living ones (PROTOCOL.md §4.8).
 *
 * A 410 is not always true at once (FCM answers it for brand-new subscriptions),
 * nor final for many at a time (a service's bad hour). What is marked is kept and
 * can come back; what is not marked is tried again next time.
 */
import type { SubscriptionRecord } from "./subscriptions.ts";

/** A stored subscription that is called gone. */
export interface GoneReport {
  readonly record: SubscriptionRecord;
  /** A push service said so; otherwise its address alone tells, and no guard is needed. */
  readonly answered: boolean;
  /** An emulator on this machine said so: it is never mistaken about its own, and tests do not wait a minute. */
  readonly isLocal: boolean;
  /** Since when, by the service's own word (Apple); undefined when it does not say. */
  readonly goneSince: number | undefined;
  readonly origin: string;
}

export interface PruneVerdict {
  /** To be marked gone. */
  readonly gone: readonly SubscriptionRecord[];
  /** Too young, or registered again since: kept. */
  readonly spared: readonly SubscriptionRecord[];
  /** Origins that called so many gone at once that a person should look. */
  readonly doubtful: readonly { readonly origin: string; readonly gone: number; readonly of: number }[];
}

/** A subscription this young may be called gone by mistake. */
export const youngMs = 60_000;
/** Half of at least twenty results of one origin: rather a fault of the service, or a very old list. */
const doubtFrom = 20;
const doubtShare = 0.5;

/** Decides what to do with those called gone; `resultsByOrigin` counts all results of the run. */
export function judgeGone(
  reports: readonly GoneReport[],
  resultsByOrigin: ReadonlyMap<string, number>,
  now: number,
): PruneVerdict {
  const counts = new Map<string, number>();
  for (const { origin, answered } of reports) if (answered) counts.set(origin, (counts.get(origin) ?? 0) + 1);
  const doubtful = [...counts].flatMap(([origin, gone]) => {
    const of = resultsByOrigin.get(origin) ?? gone;
    return of >= doubtFrom && gone > of * doubtShare ? [{ origin, gone, of }] : [];
  });
  const distrusted = new Set(doubtful.map(({ origin }) => origin));
  const trusted = reports.filter(({ origin, answered }) => !answered || !distrusted.has(origin));
  const isSpared = ({ record, answered, isLocal, goneSince }: GoneReport): boolean =>
    answered &&
    ((!isLocal && now - record.registeredAt < youngMs) ||
      (goneSince !== undefined && goneSince < record.registeredAt));
  return {
    gone: trusted.filter((report) => !isSpared(report)).map(({ record }) => record),
    spared: trusted.filter(isSpared).map(({ record }) => record),
    doubtful,
  };
}
