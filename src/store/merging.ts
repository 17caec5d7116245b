/**
 * What becomes of stored records by what comes in: additions, results, labels. Pure, and the same for every store.
 */
import type { Subscription } from "../protocol/subscription.ts";
import { subscriptionId } from "../protocol/subscription.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import {
  isCalledGone,
  isSameRegistration,
  nameTaken,
  type Added,
  type Addition,
  type RestoredCounts,
  type ResultNote,
  type SubscriptionRecord,
} from "./subscriptions.ts";

type Records = readonly SubscriptionRecord[];

/** Records after a merge, and what became of each addition. */
export interface Merged {
  /** The same array when nothing changed. */
  readonly records: Records;
  /** In the order of the additions. */
  readonly added: readonly Added[];
}

/**
 * Records with the additions merged in by endpoint. `records` need be no more than those with the endpoints and the
 * names that the additions have.
 *
 * @throws UserError `name-taken`
 */
export function mergeAdditions(records: Records, additions: readonly Addition[], now: number): Merged {
  const byEndpoint = new Map<string, SubscriptionRecord>(
    records.map((record) => [record.subscription.endpoint, record]),
  );
  const owners = new Map(
    records.flatMap((record) => (record.name === undefined ? [] : [[record.name, record]])),
  );
  const added = additions.map((addition) => {
    const one = mergeOne(byEndpoint.get(addition.subscription.endpoint), addition, now);
    const { name, subscription } = one.record;
    const owner = name === undefined ? undefined : owners.get(name);
    if (name !== undefined && owner !== undefined && owner.subscription.endpoint !== subscription.endpoint)
      throw nameTaken(name, owner.id);
    if (name !== undefined) owners.set(name, one.record);
    byEndpoint.set(subscription.endpoint, one.record);
    return one;
  });
  const changed = added.some(({ outcome }) => outcome !== "unchanged");
  return { records: changed ? [...byEndpoint.values()] : records, added };
}

function mergeOne(known: SubscriptionRecord | undefined, addition: Addition, now: number): Added {
  const subscription = completed(addition.subscription, known?.subscription);
  if (known === undefined) {
    const id = subscriptionId(subscription.endpoint);
    const fresh = {
      createdAt: now,
      registeredAt: now,
      lastResult: undefined,
      gone: undefined,
      wrongKey: undefined,
    };
    return { outcome: "added", record: { id, ...addition, ...fresh } };
  }
  const name = addition.name ?? known.name;
  const tags = [...new Set([...known.tags, ...addition.tags])];
  const isSame =
    !isCalledGone(known) &&
    name === known.name &&
    tags.length === known.tags.length &&
    isSameRegistration(known.subscription, subscription);
  if (isSame) return { outcome: "unchanged", record: known };
  return {
    outcome: "updated",
    record: { ...known, name, tags, subscription, registeredAt: now, gone: undefined, wrongKey: undefined },
  };
}

/** Handed in again without the key that is known by now: an endpoint and its keys go with one for ever. */
function completed(added: Subscription, known: Subscription | undefined): Subscription {
  const isSame = known?.p256dh === added.p256dh && known.auth.reveal() === added.auth.reveal();
  return isSame ? withKey(added, known.applicationServerKey) : added;
}

/** The subscription with the key it was made with, unless it says that itself. */
function withKey(subscription: Subscription, madeWith: VapidPublicKey | undefined): Subscription {
  const { applicationServerKey = madeWith } = subscription;
  return applicationServerKey === subscription.applicationServerKey
    ? subscription
    : { ...subscription, applicationServerKey };
}

/** The record with a result; the same one when the result is that of another registration. */
export function withResult(record: SubscriptionRecord, note: ResultNote | undefined): SubscriptionRecord {
  if (note?.registeredAt !== record.registeredAt) return record;
  const wasAccepted = note.result.outcome === "accepted";
  return {
    ...record,
    subscription: withKey(record.subscription, note.madeWith),
    lastResult: note.result,
    gone: note.gone ?? (wasAccepted ? undefined : record.gone),
    wrongKey: note.wrongKey ?? (wasAccepted ? undefined : record.wrongKey),
  };
}

/**
 * Refuses names for records that others have, or that two of them would have.
 *
 * @throws UserError `name-taken`
 */
export function assertNamesFree(renamed: Records, others: Records): void {
  const owners = new Map(others.flatMap(({ name, id }) => (name === undefined ? [] : [[name, id]])));
  for (const { name, id } of renamed) {
    if (name === undefined) continue;
    const owner = owners.get(name);
    if (owner !== undefined) throw nameTaken(name, owner);
    owners.set(name, id);
  }
}

/**
 * Records with whole ones of another store merged in by endpoint: the later registration wins, of the same registration
 * the later result. `records` need be no more than those with the endpoints and names that come in.
 */
export function mergeWhole(
  records: Records,
  incoming: Records,
): { readonly records: Records; readonly counts: RestoredCounts } {
  const byEndpoint = new Map<string, SubscriptionRecord>(
    records.map((record) => [record.subscription.endpoint, record]),
  );
  const owners = new Map(
    records.flatMap(({ name, subscription }) => (name === undefined ? [] : [[name, subscription.endpoint]])),
  );
  const counts = { added: 0, updated: 0, unchanged: 0, unnamed: 0 };
  for (const record of incoming) {
    const { endpoint } = record.subscription;
    const known = byEndpoint.get(endpoint);
    const merged = known === undefined ? record : laterOf(known, record);
    if (merged === known) {
      counts.unchanged += 1;
      continue;
    }
    const owner = merged.name === undefined ? endpoint : owners.get(merged.name);
    const isTaken = owner !== undefined && owner !== endpoint;
    if (isTaken) counts.unnamed += 1;
    else if (merged.name !== undefined) owners.set(merged.name, endpoint);
    byEndpoint.set(endpoint, isTaken ? { ...merged, name: known?.name } : merged);
    counts[known === undefined ? "added" : "updated"] += 1;
  }
  const changed = counts.added + counts.updated > 0;
  return { records: changed ? [...byEndpoint.values()] : records, counts };
}

function laterOf(known: SubscriptionRecord, other: SubscriptionRecord): SubscriptionRecord {
  if (!isLater(other, known)) return known;
  return {
    ...other,
    name: other.name ?? known.name,
    tags: [...new Set([...known.tags, ...other.tags])],
    createdAt: Math.min(known.createdAt, other.createdAt),
  };
}

function isLater(one: SubscriptionRecord, other: SubscriptionRecord): boolean {
  if (one.registeredAt !== other.registeredAt) return one.registeredAt > other.registeredAt;
  return (one.lastResult?.at ?? 0) > (other.lastResult?.at ?? 0);
}
