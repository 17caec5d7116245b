/**
 * A real PostgreSQL for tests: the system's own server, started by whoever needs it first.
 *
 * One server serves a whole run of vitest; each test asks for a database of its own. The server runs from a temporary
 * folder, on loopback, as a user without rights where the tests run as root (PostgreSQL refuses to be root), and it
 * ends with the run: `postgres-run.ts` stops it, and its guard does should the run be killed.
 *
 * A machine without PostgreSQL skips these tests; in CI that is a failure, as with browsers.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { inject, onTestFinished, vi } from "vitest";
import { installQueue } from "../../src/campaigns/queue.ts";
import { openDatabase, type Database } from "../../src/store/postgres/database.ts";
import { migrate } from "../../src/store/postgres/migrate.ts";

const limit = { timeout: 60_000, interval: 50 };

/** Where PostgreSQL's programs are; undefined where it is not installed. */
const binaries = findBinaries();

/** Whether tests that need a database can run here. */
export const hasPostgres = binaries !== undefined;

if (!hasPostgres && process.env["CI"] && process.platform === "linux")
  throw new Error("PostgreSQL is not installed: apt-get install postgresql");

function findBinaries(): string | undefined {
  const onPath = (process.env["PATH"] ?? "").split(delimiter);
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...onPath];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

/** A server that a test may treat as it likes. */
export interface PostgresServer extends AsyncDisposable {
  readonly port: number;
  /** The address of one of its databases, as superuser. */
  url(database?: string): string;
  start(): Promise<void>;
  /** Ends it as a crash would: all its processes, at once. */
  kill(): Promise<void>;
}

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
    await using last = openDatabase(host.url("postgres"));
    await last.change({ text: `drop database if exists ${name} with (force)` }).catch(() => undefined);
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
  const folder = makeFolder();
  const server = await createServerIn(folder, { settings, guarded: process.pid });
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
  });
  await server.start();
  return server;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "webpush-postgres-"));
  const { uid, gid } = serverUser();
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

/** The user the server runs as: ourselves, or one without rights instead of root. */
function serverUser(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => /^(?:postgres|nobody):/.test(entry));
  const [, , uid, gid] = line?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

interface ServerOptions {
  readonly settings: Readonly<Record<string, string>>;
  /** The process whose end ends the server. */
  readonly guarded: number;
}

async function createServerIn(folder: string, { settings, guarded }: ServerOptions): Promise<PostgresServer> {
  if (binaries === undefined) throw new Error("PostgreSQL is not installed");
  const data = join(folder, "data");
  const run = { ...serverUser(), cwd: folder, stdio: "ignore" } as const;
  execFileSync(
    join(binaries, "initdb"),
    ["-D", data, "-U", "webpush", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    run,
  );
  const port = await freePort();
  const all = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    fsync: "off", // a killed process loses nothing by it, only a power cut would
    max_connections: "200",
    ...settings,
  };
  const command = [
    join(binaries, "postgres"),
    "-D",
    data,
    ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  const url = (database = "postgres"): string => `postgres://webpush@127.0.0.1:${port}/${database}`;
  const server: PostgresServer = {
    port,
    url,
    async start() {
      const child = spawn("/bin/sh", ["-c", guardScript, "guard", String(guarded), ...command], {
        ...run,
        detached: true,
      });
      child.unref();
      await answers(url(), child);
    },
    async kill() {
      endServer(data, "SIGKILL");
      await vi.waitUntil(() => !isListening(data), limit);
    },
    async [Symbol.asyncDispose]() {
      endServer(data, "SIGQUIT");
      await vi.waitUntil(() => !isListening(data), limit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return server;
}

/** Starts the server, and stops it when the process that it serves is no more. */
const guardScript = `
guarded=$1; shift
"$@" & server=$!
while [ -d /proc/$guarded ] && kill -0 $server 2>/dev/null; do sleep 1; done
kill -QUIT $server 2>/dev/null
wait $server
`;

/** The processes of a server: the first one, and its children. */
function processesOf(data: string): readonly number[] {
  const file = join(data, "postmaster.pid");
  if (!existsSync(file)) return [];
  const first = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (!existsSync(`/proc/${first}`)) return [];
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === first)
    .map(Number);
  return [first, ...children];
}

function parentOf(pid: string): number {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return 0; // it has ended in this moment
  }
}

function endServer(data: string, signal: "SIGKILL" | "SIGQUIT"): void {
  const [first, ...children] = processesOf(data);
  if (first === undefined) return;
  for (const pid of signal === "SIGKILL" ? [first, ...children] : [first]) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended in this moment
    }
  }
}

function isListening(data: string): boolean {
  return processesOf(data).length > 0;
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  await vi.waitUntil(async () => {
    if (child.exitCode !== null) throw new Error(`PostgreSQL ended at once (${child.exitCode})`);
    await using database = openDatabase(url, { connections: 1 });
    try {
      return (await database.query({ text: "select 1" })).length > 0;
    } catch {
      return false; // not yet
    }
  }, limit);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** The server of this run of vitest: the first test that needs it starts it, the others wait for its address. */
async function sharedServer(): Promise<Pick<PostgresServer, "url">> {
  const { folder, pid } = inject("postgres");
  const ready = join(folder, "url");
  if (isFirst(folder)) {
    const home = makeFolder();
    writeFileSync(join(folder, "home"), home);
    const server = await createServerIn(home, { settings: {}, guarded: pid });
    await server.start();
    writeFileSync(`${ready}.new`, server.url("DATABASE"));
    writeFileSync(ready, readFileSync(`${ready}.new`));
  }
  await vi.waitUntil(() => existsSync(ready) && readFileSync(ready, "utf8") !== "", limit);
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
