/** What processes do to each other's writes. They run the built program: `npm test` builds it first. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { locateProject } from "../../src/store/project.ts";
import { createSubscriptionStore } from "../../src/store/subscription-file.ts";
import { seededRandom } from "../support/test-context.ts";
import { sampleSubscription } from "../support/samples.ts";
import { tempFolder } from "../support/temp-folder.ts";

const script = fileURLToPath(new URL("writer.mjs", import.meta.url));
const someTime = Date.parse("2026-11-02T12:00:00.000Z");

type Writer = ChildProcessByStdio<null, Readable, null>;

function startWriter(cwd: string, name: string, count: number, batch: number): Writer {
  const child = spawn(process.execPath, [script, cwd, name, String(count), String(batch)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function projectAt(cwd: string) {
  const location = locateProject({ cwd, configDir: undefined, profile: undefined });
  return { ...location, store: createSubscriptionStore(location) };
}

async function endpointsIn(cwd: string): Promise<ReadonlySet<string>> {
  const records = await projectAt(cwd).store.list();
  return new Set(records.map(({ subscription }) => subscription.endpoint));
}

function oneMore(who: string) {
  return [{ subscription: sampleSubscription(who), name: undefined, tags: [] }];
}

/** Makes a file or folder look untouched for `seconds`, as it would be after that time. */
function age(path: string, seconds: number): void {
  const then = new Date(statSync(path).mtimeMs - seconds * 1000);
  utimesSync(path, then, then);
}

test("ten processes that add a hundred subscriptions each, four at a time, lose none", async () => {
  const cwd = tempFolder();
  const writers = Array.from({ length: 10 }, (_, index) => startWriter(cwd, `writer-${index}`, 100, 4));
  for (const writer of writers) writer.stdout.resume();
  const ends = await Promise.all(
    writers.map(async (writer) => (await once(writer, "close")) as [number | null]),
  );
  expect(ends.map(([exitCode]) => exitCode)).toEqual(Array.from({ length: 10 }, () => 0));
  const expected = writers.flatMap((_, writer) =>
    Array.from({ length: 100 }, (_, number) => `https://push.example.net/writer-${writer}/${number}`),
  );
  expect([...(await endpointsIn(cwd))].sort()).toEqual(expected.sort());
});

test("a process killed at any instant of its writes damages nothing and loses nothing it said was stored", async () => {
  const cwd = tempFolder();
  const { folder, store, subscriptionsFile } = projectAt(cwd);
  const random = seededRandom("kill");
  const confirmed = new Set<string>();
  let locksLeft = 0;
  for (let round = 0; round < 20; round += 1) {
    const [lines = 0, turns = 0] = random.bytes(2);
    for (const line of await confirmedUntilKilled(cwd, `round-${round}`, 1 + (lines % 6), turns % 80))
      confirmed.add(line);

    const stored = await endpointsIn(cwd);
    expect([...confirmed].filter((endpoint) => !stored.has(endpoint))).toEqual([]);
    for (const name of readdirSync(folder)) {
      if (name === ".gitignore" || name.endsWith(".lock")) continue;
      expect(`${name} ${modeOf(join(folder, name))}`).toBe(`${name} 600`);
      if (name.includes(".tmp-")) age(join(folder, name), 120);
    }
    if (!existsSync(`${subscriptionsFile}.lock`)) continue;
    locksLeft += 1;
    age(`${subscriptionsFile}.lock`, 60); // Instead of waiting for it to grow stale.
  }
  await store.add(oneMore("afterwards"), someTime);
  expect(readdirSync(folder).sort()).toEqual([".gitignore", "subscriptions.json"]);
  expect(locksLeft, "rounds that were killed inside of a write").toBeGreaterThan(0);
});

/** Starts a writer, kills it some turns of the event loop after it confirmed so many, and answers all it confirmed. */
async function confirmedUntilKilled(
  cwd: string,
  name: string,
  lines: number,
  turns: number,
): Promise<readonly string[]> {
  const writer = startWriter(cwd, name, 1000, 1);
  const closed = once(writer, "close");
  const confirmed: string[] = [];
  for await (const line of createInterface({ input: writer.stdout })) {
    confirmed.push(line);
    if (confirmed.length !== lines) continue;
    for (let left = turns; left > 0; left -= 1) await turn();
    writer.kill("SIGKILL");
  }
  const [, signal] = (await closed) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  return confirmed;
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

test("a lock whose owner was killed is taken over when it has grown stale", async () => {
  const { folder, store, subscriptionsFile } = projectAt(tempFolder());
  mkdirSync(`${subscriptionsFile}.lock`, { recursive: true });
  age(`${subscriptionsFile}.lock`, 10);
  await store.add(oneMore("alice"), someTime);
  expect(readdirSync(folder)).toEqual(["subscriptions.json"]);
});

test("a lock that is held is waited for", async () => {
  const { store, subscriptionsFile } = projectAt(tempFolder());
  await store.add(oneMore("alice"), someTime);
  mkdirSync(`${subscriptionsFile}.lock`);
  const adding = store.add(oneMore("bob"), someTime);
  await turn();
  expect(await store.list()).toHaveLength(1);
  age(`${subscriptionsFile}.lock`, 10);
  await adding;
  expect(await store.list()).toHaveLength(2);
});

test("temporary files of killed writers are removed by the next write, young ones may still be in use", async () => {
  const { folder, store, subscriptionsFile } = projectAt(tempFolder());
  await store.add(oneMore("alice"), someTime);
  const [old, young] = [
    `${subscriptionsFile}.tmp-1700000000aaaaaa`,
    `${subscriptionsFile}.tmp-1700000000bbbbbb`,
  ];
  for (const path of [old, young]) writeFileSync(path, "{", { mode: 0o600 });
  age(old, 120);
  await store.add(oneMore("bob"), someTime);
  expect(readdirSync(folder).sort()).toEqual([
    ".gitignore",
    "subscriptions.json",
    "subscriptions.json.tmp-1700000000bbbbbb",
  ]);
});
