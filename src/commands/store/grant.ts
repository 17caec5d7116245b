/** `webpush store grant`: gives roles of the database the rights that their commands need, and no others. */
import { UserError } from "../../base/errors.ts";
import { isQueueInstalled } from "../../campaigns/queue.ts";
import { openDatabase, type Database } from "../../store/postgres/database.ts";
import { grantScript, grantStatements, purposes, type Grantee } from "../../store/postgres/grants.ts";
import { assertMigrated } from "../../store/postgres/migrate.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { requireStoreAddress } from "../store-address.ts";
import type { GrantOptions } from "./command.ts";
import { grantedJson, grantedText } from "./render.ts";

type Needs = Pick<Context, "io" | "storeAddress" | "json">;

export async function run(options: GrantOptions, context: Needs): Promise<ExitCode> {
  const { io, json } = context;
  const grantees = granteesOf(options);
  const sql = options.dryRun ? grantScript(grantees) : undefined;
  const store = options.dryRun ? undefined : await grant(requireStoreAddress(context), grantees);
  const granted = { store, grantees, sql };
  if (json) io.out(grantedJson(granted));
  else if (sql !== undefined) io.out(sql.trimEnd());
  if (!json) for (const line of grantedText(granted)) io.say(line);
  return ExitCode.ok;
}

/** @throws UserError `grant-roles` */
function granteesOf(options: GrantOptions): readonly Grantee[] {
  const grantees = purposes.flatMap((purpose) => {
    const role = options[purpose];
    return role === undefined ? [] : [{ role, purpose }];
  });
  if (grantees.length > 0) return grantees;
  throw new UserError("grant-roles", "no role was named", {
    hints: ["name at least one role of the database: --sender ROLE, --worker ROLE, --reader ROLE"],
  });
}

/** Answers the database for people. */
async function grant(address: string, grantees: readonly Grantee[]): Promise<string> {
  await using database = openDatabase(address);
  await assertMigrated(database);
  if (!(await isQueueInstalled(database))) throw noQueue(database);
  await assertRoles(database, grantees);
  await database.transaction(async (transaction) => {
    for (const text of grantStatements(grantees)) await transaction.change({ text });
  });
  return database.shown;
}

/** @throws UserError `role-unknown` */
async function assertRoles(database: Database, grantees: readonly Grantee[]): Promise<void> {
  const known = await database.query<{ readonly rolname: string }>({
    text: "select rolname from pg_roles where rolname = any($1)",
    values: [grantees.map(({ role }) => role)],
  });
  const missing = grantees.find(({ role }) => !known.some(({ rolname }) => rolname === role));
  if (missing === undefined) return;
  throw new UserError("role-unknown", `${database.shown} has no role ${JSON.stringify(missing.role)}`, {
    hints: ["make it first, as an administrator: create role NAME login"],
  });
}

function noQueue({ shown }: Database): UserError {
  return new UserError("store-not-migrated", `${shown} has no queue for campaigns yet`, {
    kind: "failed",
    hints: ["run `webpush store migrate` with a role that may create schemas"],
  });
}
