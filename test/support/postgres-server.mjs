/**
 * Starts and ends a PostgreSQL of its own: the system's binaries, a temporary folder, loopback.
 *
 * Plain JavaScript, because benchmarks use it too. PostgreSQL refuses to be root, so root starts it as a user without
 * rights. A guard beside it ends it when the process it serves is no more, however that came.
 */
import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";

const limitMs = 60_000;
const stepMs = 50;

/** Where PostgreSQL's programs are; undefined where it is not installed. */
export function findPostgres() {
  const onPath = (process.env["PATH"] ?? "").split(delimiter);
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...onPath];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

/** Makes a server, not started yet; `guarded` is the process whose end ends it. */
export async function createPostgres({ settings = {}, guarded = process.pid } = {}) {
  const binaries = findPostgres();
  if (binaries === undefined) throw new Error("PostgreSQL is not installed: apt-get install postgresql");
  const user = serverUser();
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "webpush-postgres-"));
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const run = { ...user, cwd: folder, stdio: "ignore" };
  const initial = ["-D", data, "-U", "webpush", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  execFileSync(join(binaries, "initdb"), initial, run);
  const port = await freePort();
  const all = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    fsync: "off", // a killed process loses nothing by it, only a power cut would
    max_connections: "200",
    ...settings,
  };
  const options = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [join(binaries, "postgres"), "-D", data, ...options];
  const url = (database = "postgres") => `postgres://webpush@127.0.0.1:${port}/${database}`;
  return {
    port,
    folder,
    url,
    async start() {
      const child = spawn("/bin/sh", ["-c", guardScript, "guard", String(guarded), ...command], {
        ...run,
        detached: true,
      });
      child.unref();
      await until(async () => {
        if (child.exitCode !== null) throw new Error(`PostgreSQL ended at once (${child.exitCode})`);
        return answers(url());
      });
    },
    /** Ends it as a crash would: all its processes, at once. */
    async kill() {
      for (const pid of processesOf(data)) end(pid, "SIGKILL");
      await until(() => processesOf(data).length === 0);
    },
    async stop() {
      for (const pid of processesOf(data).slice(0, 1)) end(pid, "SIGQUIT");
      await until(() => processesOf(data).length === 0);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The user it runs as: ourselves, or one without rights instead of root. */
function serverUser() {
  if (process.getuid?.() !== 0) return {};
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => /^(?:postgres|nobody):/.test(entry));
  const [, , uid, gid] = line?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

const guardScript = `
guarded=$1; shift
"$@" & server=$!
while [ -d /proc/$guarded ] && kill -0 $server 2>/dev/null; do sleep 1; done
kill -QUIT $server 2>/dev/null
wait $server
`;

/** The processes of a server: the first one, then its children. */
function processesOf(data) {
  const file = join(data, "postmaster.pid");
  if (!existsSync(file)) return [];
  const first = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (!existsSync(`/proc/${first}`)) return [];
  const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(name) === first);
  return [first, ...others.map(Number)];
}

function parentOf(pid) {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return 0; // it has ended in this moment
  }
}

function end(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended in this moment
  }
}

async function answers(url) {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false; // not yet
  }
}

async function until(isSo) {
  const deadline = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("PostgreSQL did not do what it was told within a minute");
    await wait(stepMs);
  }
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
