/**
 * Stored subscriptions in PostgreSQL.
 *
 * A change locks the rows that it is about, merges as every store does (merging.ts), and writes back what changed. Nothing
 * here is larger than a batch: reading goes from place to place, with no transaction kept open meanwhile.
 */
import { UserError } from "../../base/errors.ts";
import type { Subscription } from "../../protocol/subscription.ts";
import { assertNamesFree, mergeAdditions, mergeWhole, withResult } from "../merging.ts";
import { ambiguous, collected } from "../selector.ts";
import {
  mostOfDatabase,
  passes,
  type Added,
  type Addition,
  type RestoredCounts,
  type RestoringStore,
  type StoredCount,
  type StreamFilter,
  type SubscriptionRecord,
  type SubscriptionStore,
} from "../subscriptions.ts";
import type { Database, Queries, Transaction } from "./database.ts";
import { failureCode } from "./failure.ts";
import { keyGroupOf, recordOf, type KeyGroupRow, type RecordRow } from "./rows.ts";
import * as sql from "./subscription-sql.ts";

const batchSize = mostOfDatabase;
/** Up to here values in a statement are as fast as `COPY`. */
const mostInStatement = 100;
const shortestId = 4;
const mostAttempts = 10;

/** The subscriptions of the schema `webpush`. */
export function createPostgresSubscriptionStore(database: Database): SubscriptionStore & RestoringStore {
  const transaction = <Result>(work: (queries: Transaction) => Promise<Result>): Promise<Result> =>
    retried(() => database.transaction(work));
  return {
    path: database.shown,
    mostAtOnce: batchSize,
    list: () => collected(stream(database, {})),
    stream: (filter = {}) => stream(database, filter),
    named: (text) => named(database, text),
    async count() {
      const [row] = await database.query<StoredCount>(sql.countAll);
      return row ?? { total: 0, gone: 0 };
    },
    groupByKey: async (times) => (await database.query<KeyGroupRow>(sql.groupByKey(times))).map(keyGroupOf),
    add: (additions, now) =>
      additions.length === 0
        ? Promise.resolve([])
        : transaction((queries) => add(queries, additions.map(storable), now)),
    restore: (records) => transaction((queries) => restore(queries, records.map(storable))),
    remove: (endpoints, isDoomed = () => true) =>
      transaction(async (queries) => {
        const doomed = (await placed(queries, sql.lockKnown(endpoints, []))).filter(({ record }) =>
          isDoomed(record),
        );
        const seqs = doomed.map(({ seq }) => seq);
        await queries.change(sql.deleteRecords(seqs));
        await queries.change(sql.deleteResults(seqs));
        return recordsOf(doomed);
      }),
    relabel: (endpoints, change) =>
      transaction(async (queries) => {
        const chosen = await placed(queries, sql.lockKnown(endpoints, []));
        const changed = chosen.map(({ seq, record }) => ({ seq, record: { ...record, ...change(record) } }));
        const names = changed.flatMap(({ record: { name } }) => (name === undefined ? [] : [name]));
        const seqs = new Set(chosen.map(({ seq }) => seq));
        const others = (await placed(queries, sql.lockKnown([], names))).filter(({ seq }) => !seqs.has(seq));
        assertNamesFree(recordsOf(changed), recordsOf(others));
        if (changed.length > 0) await queries.change(sql.updateRecords(changed));
        return recordsOf(changed);
      }),
    note: (results) =>
      transaction(async (queries) => {
        const notes = new Map(results.map((note) => [note.endpoint, note]));
        const known = await placed(queries, sql.lockKnown([...notes.keys()], []));
        const noted = known
          .map(({ seq, record }) => ({
            seq,
            record: withResult(record, notes.get(record.subscription.endpoint)),
            before: record,
          }))
          .filter(({ record, before }) => record !== before);
        const keyed = noted.filter(({ record, before }) => record.subscription !== before.subscription);
        if (noted.length > 0) await queries.change(sql.writeResults(noted));
        if (keyed.length > 0) await queries.change(sql.updateRecords(keyed));
      }),
  };
}

async function* stream(database: Queries, filter: StreamFilter): AsyncGenerator<SubscriptionRecord> {
  let after = "0";
  for (;;) {
    const batch = await placed(database, sql.selectNext(after, batchSize, filter));
    for (const { record } of batch) if (passes(record, filter)) yield record;
    const last = batch.at(-1);
    if (last === undefined || batch.length < batchSize) return;
    after = last.seq;
  }
}

async function named(database: Queries, text: string): Promise<readonly SubscriptionRecord[]> {
  const exact = recordsOf(await placed(database, sql.selectExactly(text, 4)));
  if (exact.length > 1) throw ambiguous(text, exact);
  if (exact.length > 0 || text.length < shortestId) return exact;
  const begun = recordsOf(await placed(database, sql.selectBegunWith(text, 4)));
  if (begun.length > 1) throw ambiguous(text, begun);
  return begun;
}

async function add(
  queries: Transaction,
  additions: readonly Addition[],
  now: number,
): Promise<readonly Added[]> {
  const known = await lockKnown(queries, additions);
  const { records, added } = mergeAdditions(recordsOf(known), additions, now);
  const { changed } = await write(queries, known, records);
  if (changed.length > 0) await queries.change(sql.clearMarks(changed));
  return added;
}

async function restore(
  queries: Transaction,
  incoming: readonly SubscriptionRecord[],
): Promise<RestoredCounts> {
  const known = await lockKnown(queries, incoming);
  const { records, counts } = mergeWhole(recordsOf(known), incoming);
  const { fresh, changed } = await write(queries, known, records);
  const results = [
    ...(await placesOf(queries, fresh.filter(hasResult))),
    ...changed.filter(({ record }) => hasResult(record)),
  ];
  if (results.length > 0) await queries.change(sql.writeResults(results));
  return counts;
}

function hasResult({ lastResult, gone, wrongKey }: SubscriptionRecord): boolean {
  return lastResult !== undefined || gone !== undefined || wrongKey !== undefined;
}

/** Locks what additions or records may meet with: the same endpoints, and the same names. */
async function lockKnown(
  queries: Queries,
  coming: readonly Pick<SubscriptionRecord, "subscription" | "name">[],
): Promise<readonly sql.Placed[]> {
  const endpoints = [...new Set(coming.map(({ subscription }) => subscription.endpoint))];
  const names = coming.flatMap(({ name }) => (name === undefined ? [] : [name]));
  return placed(queries, sql.lockKnown(endpoints, names));
}

/** Writes what differs from the known ones; `records` hold them, changed or not, and new ones. */
async function write(
  queries: Transaction,
  known: readonly sql.Placed[],
  records: readonly SubscriptionRecord[],
): Promise<{ readonly fresh: readonly SubscriptionRecord[]; readonly changed: readonly sql.Placed[] }> {
  const before = new Map(known.map((one) => [one.record.subscription.endpoint as string, one]));
  const fresh = records.filter(({ subscription }) => !before.has(subscription.endpoint));
  const changed = records.flatMap((record) => {
    const one = before.get(record.subscription.endpoint);
    return one === undefined || one.record === record ? [] : [{ seq: one.seq, record }];
  });
  await insert(queries, fresh);
  if (changed.length > 0) await queries.change(sql.updateRecords(changed));
  return { fresh, changed };
}

/** The records with the places that they got. */
async function placesOf(
  queries: Queries,
  records: readonly SubscriptionRecord[],
): Promise<readonly sql.Placed[]> {
  if (records.length === 0) return [];
  const byEndpoint = new Map(records.map((record) => [record.subscription.endpoint as string, record]));
  const rows = await queries.query<{ readonly seq: string; readonly endpoint: string }>(
    sql.selectPlaces(records.map(({ subscription }) => subscription.endpoint)),
  );
  return rows.flatMap(({ seq, endpoint }) => {
    const record = byEndpoint.get(endpoint);
    return record === undefined ? [] : [{ seq, record }];
  });
}

async function insert(queries: Transaction, records: readonly SubscriptionRecord[]): Promise<void> {
  if (records.length > mostInStatement)
    await queries.copyIn(sql.copySubscriptions, records.map(sql.subscriptionLine));
  else if (records.length > 0) await queries.change(sql.insertRecords(records));
}

async function placed(
  queries: Queries,
  statement: Parameters<Queries["query"]>[0],
): Promise<readonly sql.Placed[]> {
  const rows = await queries.query<RecordRow>(statement);
  return rows.map((row) => ({ seq: row.seq, record: readRow(row) }));
}

/**
 * @throws UserError `store-damaged` for a row that somebody else wrote
 */
function readRow(row: RecordRow): SubscriptionRecord {
  try {
    return recordOf(row);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError("store-damaged", `row ${row.seq} of webpush.subscriptions: ${cause.message}`, {
      kind: "failed",
      hints: [`correct it, or delete from webpush.subscriptions where seq = ${row.seq}`],
      cause,
    });
  }
}

function recordsOf(found: readonly sql.Placed[]): readonly SubscriptionRecord[] {
  return found.map(({ record }) => record);
}

/** The last moment of the year 9999, in ms: databases and dates agree up to there. */
const latestTime = 253_402_300_799_999;

/** What is to be stored as it will be read back: times have whole milliseconds and end with the year 9999. */
function storable<Item extends { readonly subscription: Subscription }>(item: Item): Item {
  const { subscription } = item;
  const { expirationTime } = subscription;
  if (expirationTime === null) return item;
  const stored: Subscription = {
    ...subscription,
    expirationTime: Math.min(Math.floor(expirationTime), latestTime),
  };
  return { ...item, subscription: stored };
}

/** Unique violation, serialization failure, deadlock: somebody else was there in the same moment. */
const raceCodes = ["23505", "40001", "40P01"];

async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === mostAttempts || !raceCodes.includes(failureCode(error))) throw error;
    }
  }
}
