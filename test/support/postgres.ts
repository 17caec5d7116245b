/**
 * A real PostgreSQL for tests: the system's own server, started by whoever needs it first.
 *
 * One server serves a whole run of vitest; each test asks for a database of its own. It ends with the run:
 * `postgres-run.ts` stops it, and its guard does should the run be killed. A machine without PostgreSQL skips these
 * tests; in CI that is a failure, as with browsers.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject, onTestFinished, vi } from "vitest";
import { installQueue } from "../../src/campaigns/queue.ts";
import { openDatabase, type Database } from "../../src/store/postgres/database.ts";
import { migrate } from "../../src/store/postgres/migrate.ts";
import { createPostgres, findPostgres, type PostgresServer } from "./postgres-server.mjs";

const limit = { timeout: 60_000, interval: 50 };

/** Whether tests that need a database can run here. */
export const hasPostgres = findPostgres() !== undefined;

if (!hasPostgres && process.env["CI"] && process.platform === "linux")
  throw new Error("PostgreSQL is not installed: apt-get install postgresql");

/** A fresh database that is dropped when the test ends. */
export interface TestDatabase {
  readonly url: string;
  /** For looking into it; closed when the test ends. */
  readonly database: Database;
}

interface TestDatabaseOptions {
  /** With the schema of this webpush and its queue; true unless given. */
  readonly migrated?: boolean;
  readonly server?: Pick<PostgresServer, "url">;
}

/** A database of the test's own, on the server of the run unless another is given. */
export async function openTestDatabase({
  migrated = true,
  server,
}: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const host = server ?? (await sharedServer());
  const name = `test_${randomBytes(8).toString("hex")}`;
  await using admin = openDatabase(host.url("postgres"));
  await admin.change({ text: `create database ${name}` });
  const url = host.url(name);
  const database = openDatabase(url);
  onTestFinished(async () => {
    await database[Symbol.asyncDispose]();
    if (server !== undefined) return; // it ends with its databases
    await using last = openDatabase(host.url("postgres"));
    await last.change({ text: `drop database if exists ${name} with (force)` });
  });
  if (!migrated) return { url, database };
  await migrate(database);
  await installQueue(database);
  return { url, database };
}

/** A server of the test's own: to be killed, or with settings of its own such as `ssl=on`. Ends with the test. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const server = await createPostgres({ settings });
  onTestFinished(() => server.stop());
  await server.start();
  return server;
}

/** The server of this run of vitest: the first test that needs it starts it, the others wait for its address. */
async function sharedServer(): Promise<Pick<PostgresServer, "url">> {
  const { folder, pid } = inject("postgres");
  const ready = join(folder, "url");
  if (isFirst(folder)) {
    const server = await createPostgres({ guarded: pid });
    writeFileSync(join(folder, "home"), server.folder);
    await server.start();
    writeFileSync(`${ready}.new`, server.url("DATABASE"));
    renameSync(`${ready}.new`, ready);
  }
  await vi.waitUntil(() => existsSync(ready), limit);
  const address = readFileSync(ready, "utf8");
  return { url: (database = "postgres") => address.replace("DATABASE", database) };
}

/** Whether nobody was here before: making a folder is atomic. */
function isFirst(folder: string): boolean {
  try {
    mkdirSync(join(folder, "taken"));
    return true;
  } catch {
    return false;
  }
}
