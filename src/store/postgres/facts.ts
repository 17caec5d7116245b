/** What there is to say about a database that keeps keys and subscriptions. */
import type { Database, Statement } from "./database.ts";
import { failureCode } from "./failure.ts";
import { schemaStatus } from "./migrate.ts";

/** What is not there yet, or not ours to read, is undefined. */
export interface StoreFacts {
  /** The version of TLS of our connection; undefined without TLS. */
  readonly tls: string | undefined;
  /** Of the schema; 0 where there is none. */
  readonly version: number;
  /** Names of migrations that are still to come. */
  readonly pending: readonly string[];
  readonly total: number | undefined;
  readonly gone: number | undefined;
  /** Those whose push service refused the key. */
  readonly refused: number | undefined;
  readonly keys: number | undefined;
  readonly bytes: number | undefined;
}

const readTls: Statement = { text: "select version from pg_stat_ssl where pid = pg_backend_pid()" };

const countRecords: Statement = {
  text: `select (select count(*) from webpush.subscriptions)::float8 as total, count(gone_at)::float8 as gone,
  count(wrong_key_at)::float8 as refused
from webpush.results`,
};

const countKeys: Statement = { text: "select count(*)::float8 as keys from webpush.key_pairs" };

/** Tables, their indexes and what lies beside them, of the schemas that migrate makes. */
const measure: Statement = {
  text: `select coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 as bytes
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('webpush', 'webpush_queue') and c.relkind = 'r'`,
};

export async function readStoreFacts(database: Database): Promise<StoreFacts> {
  const { version, pending } = await schemaStatus(database);
  const [tls] = await database.query<{ readonly version: string | null }>(readTls);
  const counts = await readable<Pick<StoreFacts, "total" | "gone" | "refused">>(database, countRecords);
  const keys = await readable<Pick<StoreFacts, "keys">>(database, countKeys);
  const size = await readable<Pick<StoreFacts, "bytes">>(database, measure);
  return {
    tls: tls?.version ?? undefined,
    version,
    pending: pending.map(({ name }) => name),
    total: counts?.total,
    gone: counts?.gone,
    refused: counts?.refused,
    keys: keys?.keys,
    bytes: size?.bytes,
  };
}

/** What a statement answers; undefined when there is no such table yet, or the role may not read it. */
async function readable<Row>(database: Database, statement: Statement): Promise<Row | undefined> {
  try {
    return (await database.query<Row>(statement))[0];
  } catch (error) {
    if (/^(?:3F000|42P01|42501)$/.test(failureCode(error))) return undefined;
    throw error;
  }
}
