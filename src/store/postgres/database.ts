/**
 * A database and what may go wrong with it, in our words.
 *
 * The only home of `pg`. Statements are texts with `$1` for values; nothing is ever pasted into them. No session is
 * kept between two statements outside of a transaction, so a pooler such as pgbouncer may stand between.
 */
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { parseStoreAddress } from "./address.ts";
import { Client } from "./client.ts";
import { explained } from "./failure.ts";

/** A statement and its values. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** What statements can be given to: a database, or one transaction of it. */
export interface Queries {
  /**
   * Runs one statement (the protocol refuses a second one behind a semicolon) and answers its rows.
   *
   * `Row` is believed, as in a cast: it says what the statement selects.
   *
   * @throws UserError those of `failure.ts`
   */
  query<Row>(statement: Statement): Promise<readonly Row[]>;
  /** Runs a statement and answers how many rows it changed. */
  change(statement: Statement): Promise<number>;
}

/** A transaction under way. */
export interface Transaction extends Queries {
  /** `COPY … FROM STDIN`, with the lines that `copy.ts` writes. */
  copyIn(text: string, lines: AsyncIterable<string> | Iterable<string>): Promise<void>;
  /** `COPY … TO STDOUT`, in pieces as they come. */
  copyOut(text: string): AsyncIterable<Buffer>;
}

/** A column of what a statement answers. */
export interface Column {
  readonly name: string;
  /** The number of its type, as in `pg_type`. */
  readonly type: number;
}

export interface Database extends Queries, AsyncDisposable {
  /** For people: without password. */
  readonly shown: string;
  /** Runs a text of several statements, such as a library's; it takes no values and answers the last one's rows. */
  script(text: string): Promise<readonly unknown[]>;
  /** All of `work`, or nothing of it. */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** The columns that a statement would answer. The database refuses to change anything for it. */
  columns(text: string): Promise<readonly Column[]>;
  /**
   * The rows of a statement, `size` at a time, as they were when the first was asked for. The database refuses to
   * change anything for it. Takes a connection until the end, however slowly the rows are read.
   */
  batches<Row>(statement: Statement, size: number): AsyncIterable<readonly Row[]>;
}

export interface DatabaseOptions {
  /** The most connections at a time. */
  readonly connections?: number;
  /** What the database's own views call us. */
  readonly applicationName?: string;
}

const defaultConnections = 4;
const connectMs = 10_000;
/** A process that hangs in a transaction must not hold its locks for ever. */
const idleInTransactionMs = 60_000;

/**
 * Opens a database; connects with the first statement.
 *
 * @throws UserError `store-address`
 */
export function openDatabase(address: string, options: DatabaseOptions = {}): Database {
  const { connectionString, ssl, shown } = parseStoreAddress(address);
  const pool = new pg.Pool({
    Client,
    connectionString,
    ssl,
    max: options.connections ?? defaultConnections,
    connectionTimeoutMillis: connectMs,
    application_name: options.applicationName ?? "webpush",
    keepAlive: true,
    allowExitOnIdle: true,
  });
  // A connection that breaks while nobody uses it; the next statement gets another.
  pool.on("error", () => undefined);
  const queries = queriesOf(pool, shown);
  const readings: Readings = new Set();
  return {
    shown,
    ...queries,
    script: (text) => runScript(pool, { text, shown }),
    async transaction(work) {
      const client = await connect(pool, shown);
      try {
        const result = await within(client, shown, work);
        client.release();
        return result;
      } catch (error) {
        // What is left of the transaction goes with its connection.
        client.release(true);
        throw error;
      }
    },
    async columns(text) {
      await using session = await openReading(pool, shown, readings);
      return await session.columns(text);
    },
    async *batches<Row>(statement: Statement, size: number) {
      await using session = await openReading(pool, shown, readings);
      yield* session.batches<Row>(statement, size);
    },
    async [Symbol.asyncDispose]() {
      // Who stopped reading half way never gives the connection back, and the pool would wait for it.
      for (const cut of readings) cut();
      await pool.end();
    },
  };
}

/** What ends each reading under way, at once. */
type Readings = Set<() => void>;

/**
 * A connection whose transaction only reads. It is rolled back, not committed: so not even a setting that somebody's
 * statement makes for its session outlives it.
 */
async function openReading(pool: pg.Pool, shown: string, readings: Readings) {
  const client = await connect(pool, shown);
  const release = (isBroken: boolean): void => {
    if (readings.delete(cut)) client.release(isBroken);
  };
  const cut = (): void => {
    release(true);
  };
  readings.add(cut);
  const run = (text: string, values: readonly unknown[] = []) => runOn(client, shown, { text, values });
  try {
    // Whoever sends to a thousand readers before asking for the next ones may take long.
    const text = "begin transaction read only; set local idle_in_transaction_session_timeout = 0";
    await runScript(client, { text, shown });
  } catch (error) {
    cut();
    throw error;
  }
  return {
    async columns(text: string): Promise<readonly Column[]> {
      const { fields } = await run(text);
      return fields.map(({ name, dataTypeID: type }) => ({ name, type }));
    },
    async *batches<Row>({ text, values }: Statement, size: number): AsyncGenerator<readonly Row[]> {
      await run(`declare webpush_batches no scroll cursor for ${text}`, values);
      for (;;) {
        const rows = (await run(`fetch ${size} from webpush_batches`)).rows as readonly Row[];
        if (rows.length > 0) yield rows;
        if (rows.length < size) return;
      }
    },
    async [Symbol.asyncDispose]() {
      const undone = await client.query("rollback").catch(() => undefined);
      release(undone === undefined);
    },
  };
}

async function connect(pool: pg.Pool, shown: string): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw explained(error, shown);
  }
}

async function within<Result>(
  client: pg.PoolClient,
  shown: string,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const queries = queriesOf(client, shown);
  // Not a setting of the connection: pgbouncer refuses those that it does not know.
  await runScript(client, {
    text: `begin; set local idle_in_transaction_session_timeout = ${idleInTransactionMs}`,
    shown,
  });
  const result = await work({
    ...queries,
    copyIn: (text, lines) => copyIn(client, { text, shown }, lines),
    copyOut: (text) => copyOut(client, { text, shown }),
  });
  await queries.change({ text: "commit" });
  return result;
}

function queriesOf(client: pg.Pool | pg.PoolClient, shown: string): Queries {
  return {
    query: async <Row>(statement: Statement) =>
      (await runOn(client, shown, statement)).rows as readonly Row[],
    change: async (statement) => (await runOn(client, shown, statement)).rowCount ?? 0,
  };
}

async function runOn(
  client: pg.Pool | pg.PoolClient,
  shown: string,
  { text, values = [] }: Statement,
): Promise<pg.QueryResult> {
  try {
    // The extended protocol takes one statement at a time, whatever a text contains.
    return await client.query({ text, values: [...values], queryMode: "extended" } as pg.QueryConfig);
  } catch (error) {
    throw explained(error, shown);
  }
}

interface Copying {
  readonly text: string;
  readonly shown: string;
}

async function runScript(
  client: pg.Pool | pg.PoolClient,
  { text, shown }: Copying,
): Promise<readonly unknown[]> {
  try {
    // Its types do not say so, but several statements have as many results.
    const results: unknown = await client.query(text);
    const last: unknown = Array.isArray(results) ? results.at(-1) : results;
    return (last as pg.QueryResult<object> | undefined)?.rows ?? [];
  } catch (error) {
    throw explained(error, shown);
  }
}

async function copyIn(
  client: pg.PoolClient,
  { text, shown }: Copying,
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  try {
    await pipeline(Readable.from(lines), client.query(copyFrom(text)));
  } catch (error) {
    throw explained(error, shown);
  }
}

async function* copyOut(client: pg.PoolClient, { text, shown }: Copying): AsyncGenerator<Buffer> {
  try {
    for await (const piece of client.query(copyTo(text))) yield piece as Buffer;
  } catch (error) {
    throw explained(error, shown);
  }
}
