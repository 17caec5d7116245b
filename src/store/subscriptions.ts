/**
 * The port of stored subscriptions, and what a record of one is.
 *
 * Whatever keeps them (a file here, a database elsewhere) promises: a record is
 * identified by its endpoint; changes of two processes never lose each other;
 * and a record that was registered anew since it was read is not touched by
 * results of the older registration (PROTOCOL.md §4.8 guard 4).
 */
import { UserError } from "../base/errors.ts";
import { formatSubscription, type Endpoint, type Subscription } from "../protocol/subscription.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { KeyGroup } from "./key-use.ts";

/** One stored subscription. Times are ms since 1970. */
export interface SubscriptionRecord {
  /** Short, stable, from the endpoint, for people to type; in a very large store two may have the same. */
  readonly id: string;
  readonly name: string | undefined;
  readonly tags: readonly string[];
  readonly subscription: Subscription;
  /** When this endpoint was first stored. */
  readonly createdAt: number;
  /** When the page last handed it in; differs from `createdAt` after a re-registration. */
  readonly registeredAt: number;
  readonly lastResult: LastResult | undefined;
  /** Set when a push service said it is gone; such records are kept for a while, but not sent to. */
  readonly gone: GoneMark | undefined;
  /** Set when a push service refused a key as not the one this was made with; only the page can mend that. */
  readonly wrongKey: WrongKeyMark | undefined;
}

/** What came of the last message sent to a subscription. */
export interface LastResult {
  readonly at: number;
  readonly outcome: string;
  /** Id of the diagnosis, for example `ok` or `fcm.gone`. */
  readonly cause: string;
  readonly status: number | undefined;
}

export interface GoneMark {
  readonly at: number;
  readonly cause: string;
}

/** A push service's word that a subscription was made with another key than the one that signed. */
export interface WrongKeyMark {
  readonly at: number;
  readonly cause: string;
  /** The key that was refused. */
  readonly publicKey: VapidPublicKey;
}

/** A subscription to store, with what the person says about it. */
export interface Addition {
  readonly subscription: Subscription;
  readonly name: string | undefined;
  readonly tags: readonly string[];
}

export type AddOutcome = "added" | "updated" | "unchanged";

/** A result to remember, for the registration it was sent to. */
export interface ResultNote {
  readonly endpoint: Endpoint;
  readonly registeredAt: number;
  readonly result: LastResult;
  readonly gone: GoneMark | undefined;
  readonly wrongKey: WrongKeyMark | undefined;
  /** The key it turned out to be made with, for a subscription that did not say. */
  readonly madeWith?: VapidPublicKey;
}

/** What answers questions about stored subscriptions and changes nothing. */
export interface SubscriptionReader {
  /** Every record, in the order they were first stored; only for those who can hold them all. */
  list(): Promise<readonly SubscriptionRecord[]>;
  /** The same one after the other, however many there are. */
  stream(filter?: StreamFilter): AsyncIterable<SubscriptionRecord>;
  /**
   * The one whose id, name or endpoint this is, else the one whose id begins with it; none when there is no such.
   *
   * @throws UserError `subscription-ambiguous` when it is said of several
   */
  named(text: string): Promise<readonly SubscriptionRecord[]>;
  /** How many there are; about that many, where rows of somebody else's table are counted. */
  count(): Promise<StoredCount>;
  /**
   * How many hang on each key. Those that name none are grouped by how many of `times`, ascending, had come when they
   * were registered: such are signed for alike.
   */
  groupByKey(times: readonly number[]): Promise<readonly KeyGroup[]>;
  /** How many records a command may hold at once; infinite where the store itself holds them all. */
  readonly mostAtOnce: number;
}

/** Where a project's subscriptions are kept. */
export interface SubscriptionStore extends SubscriptionReader {
  /** Stores new ones and refreshes those whose endpoint is known; answers in the order given. */
  add(additions: readonly Addition[], now: number): Promise<readonly Added[]>;
  /**
   * Removes those of these endpoints; answers the removed records. With `isDoomed`, which must be pure, only those that
   * it holds for at that moment: a page may have registered again since they were read.
   */
  remove(
    endpoints: readonly Endpoint[],
    isDoomed?: (record: SubscriptionRecord) => boolean,
  ): Promise<readonly SubscriptionRecord[]>;
  /** Replaces name or tags of the given records; `change` must be pure. */
  relabel(
    endpoints: readonly Endpoint[],
    change: (labels: Labels) => Labels,
  ): Promise<readonly SubscriptionRecord[]>;
  /** Remembers results; those for an older registration are ignored. */
  note(results: readonly ResultNote[]): Promise<void>;
  /** The file, for messages to people. */
  readonly path: string;
}

/** Which records a stream is to have. */
export interface StreamFilter {
  readonly tag?: string;
  /** Only those that are not marked gone. */
  readonly living?: boolean;
}

export interface StoredCount {
  readonly total: number;
  /** Of them, those marked gone. */
  readonly gone: number;
}

/** How many records of a database are held at once. */
export const mostOfDatabase = 1000;

/** A store that takes whole records, times, results and marks included, as another store had them. */
export interface RestoringStore {
  /**
   * Merges them in: of an endpoint that is known, the later registration stays. A name that another subscription has is
   * left out.
   */
  restore(records: readonly SubscriptionRecord[]): Promise<RestoredCounts>;
}

/** How many whole records came in, and what became of them. */
export interface RestoredCounts {
  readonly added: number;
  /** Of known endpoints, where the record that came in was the later one. */
  readonly updated: number;
  readonly unchanged: number;
  /** Of those added or updated, how many lost their name because another has it. */
  readonly unnamed: number;
}

export interface Added {
  readonly outcome: AddOutcome;
  readonly record: SubscriptionRecord;
}

export interface Labels {
  readonly name: string | undefined;
  readonly tags: readonly string[];
}

/** Whether two subscriptions are the same registration: endpoint, keys, and the key they were made with. */
export function isSameRegistration(a: Subscription, b: Subscription): boolean {
  return JSON.stringify(formatSubscription(a)) === JSON.stringify(formatSubscription(b));
}

/** Whether a push service called this registration gone, marked or not: a page that hands it in again proves the contrary. */
export function isCalledGone({ gone, lastResult, registeredAt }: SubscriptionRecord): boolean {
  return gone !== undefined || (lastResult?.outcome === "gone" && lastResult.at >= registeredAt);
}

/** Whether a stream with this filter has the record. */
export function passes({ tags, gone }: SubscriptionRecord, { tag, living = false }: StreamFilter): boolean {
  return (tag === undefined || tags.includes(tag)) && !(living && gone !== undefined);
}

/** The error for a name that another subscription has. */
export function nameTaken(name: string, owner: string): UserError {
  return new UserError("name-taken", `the name ${JSON.stringify(name)} belongs to subscription ${owner}`, {
    hints: [`choose another name, or run \`webpush subscriptions remove ${owner}\` first`],
  });
}
