/**
 * Subscriptions of the application's own table, by a query that only reads.
 *
 * That it only reads is up to the database: each statement is one alone (the extended protocol takes no second), in a
 * transaction that the server refuses every change. What came of messages is kept beside, in `webpush.foreign_results`, by
 * the fingerprint of the endpoint; without the schema `webpush` it is kept nowhere, and those gone are not known as such.
 */
import { UserError, messageOf } from "../../base/errors.ts";
import { groupByKey } from "../key-use.ts";
import { ambiguous, collected, isExactly } from "../selector.ts";
import {
  mostOfDatabase,
  passes,
  type ResultNote,
  type StoredCount,
  type StreamFilter,
  type SubscriptionRecord,
  type SubscriptionStore,
} from "../subscriptions.ts";
import type { Database, Statement } from "./database.ts";
import { failureCode } from "./failure.ts";
import { selectForeignResults, writeForeignResults, type ForeignResultRow } from "./foreign-results.ts";
import {
  recordOfShaped,
  selectShaped,
  shapeOf,
  whereNamed,
  type QueryShape,
  type ShapedRow,
} from "./query-columns.ts";
import { endpointFingerprint, marksOf } from "./rows.ts";

const batchSize = mostOfDatabase;
const idLike = /^[0-9a-z]{4,10}$/;

/** Rows that are no subscription: they are left out. */
export interface DamagedRows {
  readonly count: number;
  /** What is wrong with the first. */
  readonly first: string | undefined;
}

export interface QueryStore extends SubscriptionStore {
  /** What was left out since the store was opened. */
  damaged(): DamagedRows;
}

/** Which rows of the query are meant. */
type Where = Required<Statement>;

/** How the query is read, and whether results can be kept. */
interface Prepared {
  readonly shape: QueryShape;
  readonly keepsResults: boolean;
}

/** The subscriptions that `query` answers. Nothing is asked of the database before a method is called. */
export function createQueryStore(database: Database, query: string): QueryStore {
  const text = query.trim().replace(/[;\s]+$/, "");
  let prepared: Promise<Prepared> | undefined;
  const prepare = (): Promise<Prepared> =>
    (prepared ??= prepareQuery(database, text).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    }));
  const damage = { numbers: new Set<number>(), first: undefined as string | undefined };
  const read = async function* (where?: Where): AsyncGenerator<SubscriptionRecord> {
    const { shape, keepsResults } = await prepare();
    const statement = { text: selectShaped(text, shape, where?.text), values: where?.values ?? [] };
    let number = 0;
    for await (const rows of readQuery<ShapedRow>(database, statement)) {
      const records: SubscriptionRecord[] = [];
      for (const row of rows) {
        number += 1;
        const record = readRow(row, shape, (why) => {
          // Of some rows alone nobody knows which they are among all.
          if (where !== undefined) return;
          damage.numbers.add(number);
          damage.first ??= `row ${number}: ${why}`;
        });
        if (record !== undefined) records.push(record);
      }
      yield* keepsResults ? await withMarks(database, records) : records;
    }
  };
  const stream = async function* (filter: StreamFilter = {}): AsyncGenerator<SubscriptionRecord> {
    for await (const record of read()) if (passes(record, filter)) yield record;
  };
  return {
    path: `a query in ${database.shown}`,
    mostAtOnce: batchSize,
    list: () => collected(stream()),
    stream,
    named: async (name) => named(name, await prepare(), read),
    count: async () => countRows(database, text, await prepare()),
    groupByKey: (times) => groupByKey(stream(), times),
    damaged: () => ({ count: damage.numbers.size, first: damage.first }),
    add: () => Promise.reject(readOnly()),
    remove: () => Promise.reject(readOnly()),
    relabel: () => Promise.reject(readOnly()),
    async note(results) {
      if ((await prepare()).keepsResults) await note(database, results);
    },
  };
}

/**
 * Asks the database what the query answers.
 *
 * @throws UserError `query-malformed`, `query-columns`
 */
async function prepareQuery(database: Database, query: string): Promise<Prepared> {
  if (query === "") throw malformed("it is empty");
  const before = "select * from (\n";
  const columns = await database
    .columns(`${before}${query}\n) as webpush limit 0`)
    .catch((error: unknown) => {
      throw queryFailure(error, before.length);
    });
  const shape = shapeOf(columns);
  const [results] = await database.query<{ readonly kept: boolean | null }>({
    text: `select case when has_schema_privilege(oid, 'usage')
  then has_table_privilege(to_regclass('webpush.foreign_results'), 'select')
    and has_table_privilege(to_regclass('webpush.foreign_results'), 'insert')
    and has_table_privilege(to_regclass('webpush.foreign_results'), 'update')
  end as kept from pg_namespace where nspname = 'webpush'`,
  });
  return { shape, keepsResults: results?.kept === true };
}

async function* readQuery<Row>(database: Database, statement: Statement): AsyncGenerator<readonly Row[]> {
  try {
    yield* database.batches<Row>(statement, batchSize);
  } catch (error) {
    throw queryFailure(error);
  }
}

/**
 * About how many there are. Reading a million rows only to count them takes half a minute, so rows that are no
 * subscription are counted too, and whoever was found gone counts as one of them, whichever query it came from.
 */
async function countRows(
  database: Database,
  query: string,
  { keepsResults }: Prepared,
): Promise<StoredCount> {
  const marks = keepsResults
    ? "(select count(*) from webpush.foreign_results where gone_at is not null)"
    : "0";
  const text = `select count(*)::float8 as total, ${marks}::float8 as gone from (\n${query}\n) as webpush`;
  for await (const [row] of readQuery<StoredCount>(database, { text }))
    if (row !== undefined) return { total: row.total, gone: Math.min(row.gone, row.total) };
  return { total: 0, gone: 0 };
}

function readRow(
  row: ShapedRow,
  shape: QueryShape,
  onDamage: (why: string) => void,
): SubscriptionRecord | undefined {
  try {
    return recordOfShaped(row, shape);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    onDamage(error.message);
    return undefined;
  }
}

/** The records with what is known of earlier messages to the same registration. */
async function withMarks(
  database: Database,
  records: readonly SubscriptionRecord[],
): Promise<readonly SubscriptionRecord[]> {
  const fingerprints = records.map(({ subscription }) => endpointFingerprint(subscription.endpoint));
  const rows = await database.query<ForeignResultRow>(selectForeignResults(fingerprints));
  if (rows.length === 0) return records;
  const results = new Map(rows.map((row) => [row.fingerprint.toString("hex"), row]));
  return records.map((record, index) => {
    const row = results.get(fingerprints[index]?.toString("hex") ?? "");
    const isOfThis = row !== undefined && row.registered_at.getTime() >= record.registeredAt;
    return isOfThis ? { ...record, ...marksOf(row) } : record;
  });
}

async function note(database: Database, results: readonly ResultNote[]): Promise<void> {
  const known = new Map(results.map((one) => [one.endpoint, one]));
  if (known.size > 0) await database.change(writeForeignResults([...known]));
}

/**
 * One by its endpoint or the name that it has in its table, which the database finds, or by its id here: that means to
 * look at all, and is done only for what may be one.
 */
async function named(
  text: string,
  { shape }: Prepared,
  read: (where?: Where) => AsyncIterable<SubscriptionRecord>,
): Promise<readonly SubscriptionRecord[]> {
  const isEndpoint = /^https?:/i.test(text);
  const where = whereNamed(shape, isEndpoint ? "endpoint" : "name");
  if (where !== undefined) {
    const found = await matching(text, read({ text: where, values: [text] }));
    if (found.length > 0) return found;
  }
  const mayBeElsewhere = isEndpoint ? where === undefined : idLike.test(text);
  return mayBeElsewhere ? matching(text, read()) : [];
}

async function matching(
  text: string,
  records: AsyncIterable<SubscriptionRecord>,
): Promise<readonly SubscriptionRecord[]> {
  const exact: SubscriptionRecord[] = [];
  const begun: SubscriptionRecord[] = [];
  for await (const record of records) {
    if (isExactly(record, text)) exact.push(record);
    else if (idLike.test(text) && record.id.startsWith(text)) begun.push(record);
  }
  const found = exact.length > 0 ? exact : begun;
  if (found.length > 1) throw ambiguous(text, found);
  return found;
}

function readOnly(): UserError {
  return new UserError(
    "store-read-only-query",
    "these subscriptions come from your own table, which is only read",
    {
      hints: [
        "change them where your application does, or leave --query out to use those that webpush keeps",
      ],
    },
  );
}

function malformed(why: string, cause?: unknown): UserError {
  return new UserError("query-malformed", `the database does not take the query: ${why}`, {
    hints: ["try it with psql; give one select, without a semicolon behind it"],
    cause,
  });
}

/** Classes of SQLSTATE that a query is to blame for; what may not be read or is written to is said as everywhere. */
const ofTheQuery = /^(?:0A|21|22|42|54)/;

function queryFailure(error: unknown, before = Number.POSITIVE_INFINITY): unknown {
  const code = failureCode(error);
  if (!ofTheQuery.test(code) || code === "42501") return error;
  const said = error instanceof UserError ? error.cause : error;
  const position = Number((said as { readonly position?: string }).position) - before;
  return malformed(`${messageOf(said)}${position > 0 ? ` (at character ${position})` : ""}`, error);
}
