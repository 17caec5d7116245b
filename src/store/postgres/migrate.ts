/**
 * Brings a database to the schema that this webpush expects, and tells how far it is.
 */
import { UserError } from "../../base/errors.ts";
import type { Database, Queries } from "./database.ts";
import { migrations, schema, type Migration } from "./migrations.ts";

/** The migrations a database has had, and those it still needs. */
export interface SchemaStatus {
  readonly version: number;
  readonly newest: number;
  readonly pending: readonly Migration[];
}

/** One number for all who migrate, so that two of them take turns. */
const migrationLock = 7_369_221_108;

const createSchema = [
  `create schema if not exists ${schema}`,
  `create table if not exists ${schema}.migrations (
  version integer primary key,
  name text not null,
  applied_at timestamptz not null default now()
)`,
];

/**
 * How far a database is.
 *
 * @throws UserError `store-version` when a newer webpush has been there
 */
export async function schemaStatus(database: Queries): Promise<SchemaStatus> {
  const [found] = await database.query<{ readonly exists: boolean }>({
    text: "select to_regclass($1) is not null as exists",
    values: [`${schema}.migrations`],
  });
  const version = found?.exists === true ? await versionOf(database) : 0;
  const newest = migrations.at(-1)?.version ?? 0;
  if (version > newest) {
    throw new UserError(
      "store-version",
      `the database's schema is version ${version}, this webpush knows ${newest}`,
      {
        kind: "failed",
        hints: ["update webpush: a newer one has migrated the database"],
      },
    );
  }
  return { version, newest, pending: migrations.filter((one) => one.version > version) };
}

/**
 * Refuses a database that is not at the newest version.
 *
 * @throws UserError `store-not-migrated`, `store-version`
 */
export async function assertMigrated(database: Database): Promise<void> {
  const { version, newest, pending } = await schemaStatus(database);
  if (pending.length === 0) return;
  const what = version === 0 ? "has no schema webpush yet" : `is at version ${version} of ${newest}`;
  throw new UserError("store-not-migrated", `${database.shown} ${what}`, {
    kind: "failed",
    hints: ["run `webpush store migrate` with a role that may create schemas"],
  });
}

async function versionOf(database: Queries): Promise<number> {
  const [row] = await database.query<{ readonly version: number | null }>({
    text: `select max(version) as version from ${schema}.migrations`,
  });
  return row?.version ?? 0;
}

/** Applies what is pending, all of it or nothing; answers what was applied. */
export async function migrate(database: Database): Promise<readonly Migration[]> {
  return database.transaction(async (transaction) => {
    await transaction.query({ text: "select pg_advisory_xact_lock($1)", values: [migrationLock] });
    for (const text of createSchema) await transaction.change({ text });
    const { pending } = await schemaStatus(transaction);
    for (const { version, name, statements } of pending) {
      for (const text of statements) await transaction.change({ text });
      await transaction.change({
        text: `insert into ${schema}.migrations (version, name) values ($1, $2)`,
        values: [version, name],
      });
    }
    return pending;
  });
}

/** What `migrate` would run, for whoever runs it by hand. */
export function migrationScript(pending: readonly Migration[]): string {
  const steps = pending.flatMap(({ version, name, statements }) => [
    ...statements,
    `insert into ${schema}.migrations (version, name) values (${version}, '${name}')`,
  ]);
  return ["begin", ...createSchema, ...steps, "commit"].map((text) => `${text};\n`).join("\n");
}
