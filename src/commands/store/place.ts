/** A place that keys and subscriptions can be copied from or to. */
import { dirname, resolve } from "node:path";
import { UserError } from "../../base/errors.ts";
import { createConfigStore } from "../../store/config.ts";
import { locationIn } from "../../store/project.ts";
import type { KeyStore } from "../../store/postgres/config-store.ts";
import { isStoreAddress } from "../../store/postgres/address.ts";
import type { RestoringStore, SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";

type Needs = Pick<Context, "settings" | "cwd">;

export interface Place extends AsyncDisposable {
  /** For people. */
  readonly shown: string;
  readonly subscriptions: RestoringStore;
  /** Every record, in stored order. */
  records(): AsyncIterable<SubscriptionRecord>;
  readonly keys: KeyStore;
  /** @throws UserError `store-not-migrated` */
  assertReady(): Promise<void>;
}

/**
 * Opens a place by what a person calls it.
 *
 * @throws UserError `store-place`, `store-address`
 */
export async function openPlace(text: string, context: Needs): Promise<Place> {
  if (text === "local") return openLocal(context);
  if (isStoreAddress(text)) return openDatabasePlace(text);
  throw new UserError("store-place", `${JSON.stringify(text.slice(0, 40))} is no place to copy from or to`, {
    hints: ["say local for the project's files, or give the address of a database: postgres://…"],
  });
}

async function openLocal({ settings, cwd }: Needs): Promise<Place> {
  const { createSubscriptionStore } = await import("../../store/subscription-file.ts");
  const location = locationIn(dirname(resolve(cwd, settings.path)), cwd);
  const subscriptions = createSubscriptionStore(location);
  return {
    shown: subscriptions.path,
    subscriptions,
    records: () => subscriptions.stream(),
    keys: createConfigStore(location),
    assertReady: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function openDatabasePlace(address: string): Promise<Place> {
  const [
    { openDatabase },
    { createPostgresSubscriptionStore },
    { createPostgresConfigStore, noFile },
    { assertMigrated },
  ] = await Promise.all([
    import("../../store/postgres/database.ts"),
    import("../../store/postgres/subscription-store.ts"),
    import("../../store/postgres/config-store.ts"),
    import("../../store/postgres/migrate.ts"),
  ]);
  const database = openDatabase(address);
  const subscriptions = createPostgresSubscriptionStore(database);
  return {
    shown: database.shown,
    subscriptions,
    records: () => subscriptions.stream(),
    keys: createPostgresConfigStore(database, noFile),
    assertReady: () => assertMigrated(database),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
