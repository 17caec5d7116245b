/** `webpush store migrate`: our schema and the queue's, made or brought up to date. */
import { installQueue, isQueueInstalled, queueScript } from "../../campaigns/queue.ts";
import { openDatabase, type Database } from "../../store/postgres/database.ts";
import { migrate, migrationScript, schemaStatus } from "../../store/postgres/migrate.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { requireStoreAddress } from "../store-address.ts";
import type { MigrateOptions } from "./command.ts";
import { migratedJson, migratedText } from "./render.ts";

type Needs = Pick<Context, "io" | "storeAddress" | "json">;

export async function run({ dryRun }: MigrateOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  await using database = openDatabase(requireStoreAddress(context));
  const hadQueue = await isQueueInstalled(database);
  const { newest, pending } = await schemaStatus(database);
  const sql = dryRun ? await scriptOf(database, hadQueue) : undefined;
  const applied = dryRun ? [] : await migrate(database);
  if (!dryRun) await installQueue(database);
  const steps = [...(dryRun ? pending : applied).map(({ name }) => name), ...(hadQueue ? [] : ["queue"])];
  const report = { store: database.shown, version: newest, steps, sql };
  if (json) io.out(migratedJson(report));
  else if (sql !== undefined && sql !== "") io.out(sql.trimEnd());
  if (!json) for (const line of migratedText(report)) io.say(line);
  return ExitCode.ok;
}

/** What is left to run; nothing when all is there. */
async function scriptOf(database: Database, hasQueue: boolean): Promise<string> {
  const { pending } = await schemaStatus(database);
  return [pending.length === 0 ? "" : migrationScript(pending), hasQueue ? "" : queueScript()].join("");
}
