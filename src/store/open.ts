/**
 * Where a project's keys and subscriptions are: its own files, or a database when an address is given.
 *
 * Which of them is decided at the first use, and only then is anything read or connected: a command that needs no
 * store must not fail for a database that is away.
 */
import { createConfigStore, type ConfigStore } from "./config.ts";
import type { PostgresStores } from "./postgres/open.ts";
import { isStoreAddress, withoutPassword } from "./postgres/address.ts";
import { shownPath, type ProjectLocation } from "./project.ts";
import { mostOfDatabase, type SubscriptionStore } from "./subscriptions.ts";

export interface StoreChoice {
  /** The address of the database; undefined for the project's files. */
  readonly address: () => string | undefined;
  /** Throws where the setting that would say so cannot be read: a change must not go to the wrong place. */
  readonly assertKnown: () => void;
  /** A query of the application's own table, instead of our schema there; throws where there is no database to ask. */
  readonly query: () => string | undefined;
  /** Told at the end what a person should know. */
  readonly caution: (text: string) => void;
}

export interface Stores extends AsyncDisposable {
  readonly config: ConfigStore;
  readonly subscriptions: SubscriptionStore;
}

/** The stores of a project, opened at their first use. */
export function openStores(location: ProjectLocation, choice: StoreChoice): Stores {
  const files = { config: createConfigStore(location) };
  let opening: Promise<PostgresStores> | undefined;
  const database = (address: string): Promise<PostgresStores> => {
    opening ??= import("./postgres/open.ts").then(({ openPostgresStores }) =>
      openPostgresStores(address, { query: choice.query(), files, caution: choice.caution }),
    );
    return opening;
  };
  const config = async (): Promise<ConfigStore> => {
    const address = choice.address();
    return address === undefined ? files.config : (await database(address)).config;
  };
  // Its module is read at the first use too: `keys` gets by without.
  const subscriptions = async (): Promise<SubscriptionStore> => {
    const address = choice.address();
    if (address !== undefined) return (await database(address)).subscriptions;
    choice.query(); // which would be for nothing
    return (await import("./subscription-file.ts")).createSubscriptionStore(location);
  };
  const writable = (): Promise<SubscriptionStore> => {
    choice.assertKnown();
    return subscriptions();
  };
  const shown = (file: string): string => {
    const address = choice.address();
    return address === undefined ? shownPath(file, location) : shownAddress(address);
  };
  return {
    config: {
      get path() {
        return shown(location.configFile);
      },
      get isFile() {
        return choice.address() === undefined;
      },
      read: async () => (await config()).read(),
      async update(change) {
        choice.assertKnown();
        return (await config()).update(change);
      },
    },
    subscriptions: {
      get path() {
        return shown(location.subscriptionsFile);
      },
      get mostAtOnce() {
        return choice.address() === undefined ? Number.POSITIVE_INFINITY : mostOfDatabase;
      },
      list: async () => (await subscriptions()).list(),
      async *stream(filter) {
        yield* (await subscriptions()).stream(filter);
      },
      named: async (text) => (await subscriptions()).named(text),
      count: async () => (await subscriptions()).count(),
      groupByKey: async (times) => (await subscriptions()).groupByKey(times),
      add: async (additions, now) => (await writable()).add(additions, now),
      remove: async (endpoints, isDoomed) => (await writable()).remove(endpoints, isDoomed),
      relabel: async (endpoints, change) => (await writable()).relabel(endpoints, change),
      note: async (results) => (await writable()).note(results),
    },
    async [Symbol.asyncDispose]() {
      // What kept it from opening was told to whoever asked.
      await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

function shownAddress(address: string): string {
  return isStoreAddress(address) ? withoutPassword(address) : "(not an address)";
}
