/** What `webpush store status` says of a database. Imported when there is one: it loads the client. */
import { isQueueInstalled } from "../../campaigns/queue.ts";
import { openDatabase } from "../../store/postgres/database.ts";
import { readStoreFacts } from "../../store/postgres/facts.ts";
import type { StoreStatus } from "./render.ts";

/** @throws UserError `store-address`, `store-version`, `store-unreachable` */
export async function readDatabaseStatus(address: string): Promise<StoreStatus> {
  await using database = openDatabase(address);
  const facts = await readStoreFacts(database);
  const hasQueue = await isQueueInstalled(database);
  const pending = [...facts.pending, ...(hasQueue ? [] : ["queue"])];
  return { ...facts, store: database.shown, kind: "database", pending };
}
