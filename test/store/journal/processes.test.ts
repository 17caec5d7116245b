/** Journals of processes that are killed, and of two at a time. They run the built program: `npm test` builds it first. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { CampaignIdentity } from "../../../src/store/journal/identity.ts";
import { seededRandom } from "../../support/test-context.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { open, recipient } from "./broadcast.ts";

const script = fileURLToPath(new URL("writer.mjs", import.meta.url));
/** What the script sends. */
const sent: CampaignIdentity = { payload: "payload", options: {}, keys: [], inputs: [{ kind: "stream" }] };

function startWriter(path: string, from: string): ChildProcessByStdio<Writable, Readable, null> {
  const child = spawn(process.execPath, [script, path, from], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Makes the lock of a killed process look as it will in some seconds, instead of waiting for that. */
function ageLock(path: string): void {
  const then = new Date(statSync(`${path}.lock`).mtimeMs - 60_000);
  utimesSync(`${path}.lock`, then, then);
}

/** Starts a writer, kills it some turns of the event loop after so many lines, and answers the last it said of each recipient. */
async function saidUntilKilled(
  path: string,
  from: string,
  { lines, turns }: { readonly lines: number; readonly turns: number },
): Promise<ReadonlyMap<string, string>> {
  const writer = startWriter(path, from);
  const closed = once(writer, "close");
  const said = new Map<string, string>();
  let count = 0;
  for await (const line of createInterface({ input: writer.stdout })) {
    const [who, state] = line.split(" ");
    if (who !== undefined && state !== undefined) said.set(who, state);
    count += 1;
    if (count !== lines) continue;
    for (let left = turns; left > 0; left -= 1) await turn();
    writer.kill("SIGKILL");
  }
  expect(await closed).toEqual([null, "SIGKILL"]);
  return said;
}

test("a process that is killed at any instant leaves on record all it said was, and at most what was in flight as ambiguous", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  const random = seededRandom("kill the writer");
  const said = new Map<string, string>();
  for (let round = 0; round < 10; round += 1) {
    const [lines = 0, turns = 0] = random.bytes(2);
    const inRound = await saidUntilKilled(path, `${round * 1_000_000}`, {
      lines: 1 + lines,
      turns: turns % 50,
    });
    for (const [who, state] of inRound) said.set(who, state);
    ageLock(path);
    await using journal = await open(path, sent);
    const wrong = [...said].filter(([who, state]) => {
      const known = journal.stateOf(recipient(who));
      // The line that would have said so may not have come through any more.
      return known !== state && !(state === "ambiguous" && known === "accepted");
    });
    expect(wrong).toEqual([]);
    expect(journal.resumed?.ambiguous).toBeLessThanOrEqual(5 * (round + 1));
    expect(journal.resumed?.damagedLines).toBe(0);
  }
  expect([...said.values()].filter((state) => state === "accepted").length).toBeGreaterThan(10);
});

test("one process at a time has a journal, by whatever name; when that one is killed, the next gets it", async () => {
  const folder = tempFolder();
  const path = join(folder, "broadcast.journal");
  const holder = startWriter(path, "hold");
  const [said] = (await once(createInterface({ input: holder.stdout }), "line")) as [string];
  expect(said).toBe("open");
  const link = join(folder, "link");
  symlinkSync("broadcast.journal", link);
  const refusals = await Promise.allSettled([open(path, sent), open(link, sent)]);
  expect(refusals).toMatchObject(
    [path, link].map((name) => {
      return { reason: { code: "journal-locked", message: `another webpush is writing ${name}` } };
    }),
  );
  const closed = once(holder, "close");
  holder.kill("SIGKILL");
  await closed;
  expect(existsSync(`${path}.lock`)).toBe(true);
  ageLock(path);
  {
    await using journal = await open(path, sent);
    expect(journal.resumed).toBeDefined();
  }
  expect(readdirSync(folder)).toEqual(["broadcast.journal", "link"]);
});
