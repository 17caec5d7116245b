/**
 * The stores of a project in PostgreSQL, over one pool of connections. Imported when an address asks for it: nobody
 * without a database loads a client for one.
 */
import type { SubscriptionStore } from "../subscriptions.ts";
import { createPostgresConfigStore, type KeyStore } from "./config-store.ts";
import { openDatabase } from "./database.ts";
import { createQueryStore } from "./query-store.ts";
import { createPostgresSubscriptionStore } from "./subscription-store.ts";

export interface PostgresStoresOptions {
  /** A query over the application's own table, instead of the schema `webpush`. */
  readonly query: string | undefined;
  /** The project's own files: its keys count while the database has none. */
  readonly files: { readonly config: KeyStore };
  /** Told at the end what a person should know: rows of the query that were left out. */
  readonly caution?: (text: string) => void;
}

export interface PostgresStores extends AsyncDisposable {
  readonly config: KeyStore;
  readonly subscriptions: SubscriptionStore;
}

/**
 * Opens the stores; connects with the first use.
 *
 * @throws UserError `store-address`
 */
export function openPostgresStores(address: string, options: PostgresStoresOptions): PostgresStores {
  const { query, files, caution = () => undefined } = options;
  const database = openDatabase(address);
  const asked = query === undefined ? undefined : createQueryStore(database, query);
  return {
    config: createPostgresConfigStore(database, files.config),
    subscriptions: asked ?? createPostgresSubscriptionStore(database),
    async [Symbol.asyncDispose]() {
      const { count, first = "" } = asked?.damaged() ?? { count: 0 };
      if (count > 0) caution(damagedText(count, first));
      await database[Symbol.asyncDispose]();
    },
  };
}

function damagedText(count: number, first: string): string {
  const rows =
    count === 1
      ? "1 row of the query is no subscription and was"
      : `${count} rows of the query are no subscriptions and were`;
  return `${rows} left out: ${first}`;
}
