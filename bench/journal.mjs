/**
 * The journal of a broadcast: what a record costs, how long a journal takes to read, and the memory of both.
 *
 *   npm run build && node bench/journal.mjs [--recipients 1000000] [--folder /tmp]
 *
 * Each part runs in a process of its own, so that the memory is its own too. CPU is user and system time, which
 * a busy machine disturbs less than wall time.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FingerprintSet, fingerprintOf } from "../dist/base/fingerprint-set.js";
import { openJournal } from "../dist/store/journal/journal.js";

const { values } = parseArgs({
  options: {
    recipients: { type: "string", default: "1000000" },
    folder: { type: "string", default: tmpdir() },
    part: { type: "string" },
    path: { type: "string" },
  },
});
const recipients = Number(values.recipients);

const parts = {
  "fingerprint set": () => {
    const set = new FingerprintSet();
    for (let number = 0; number < recipients; number += 1) set.add(digestOf(number));
  },
  digests: () => {
    for (let number = 0; number < recipients; number += 1) digestOf(number);
  },
  "journal, written": async () => {
    const journal = await open();
    for (let number = 0; number < recipients; number += 1) {
      const digest = digestOf(number);
      journal.intend(digest);
      journal.record(digest, "accepted", { status: 201 });
      if (number % 100 === 0) await new Promise(setImmediate); // as a sender that waits for its sockets
    }
    await journal[Symbol.asyncDispose]();
  },
  "journal, read": async () => {
    const journal = await open();
    if (journal.resumed?.accepted !== recipients) throw new Error("not all were read");
    await journal[Symbol.asyncDispose]();
  },
};

function digestOf(number) {
  return fingerprintOf(`https://push.example.net/${number}`);
}

function open() {
  const identity = { payload: "payload", options: {}, keys: [], inputs: [{ kind: "stream" }] };
  return openJournal(values.path, identity, { clock: Date, campaignId: "bench", resumeAnyway: false });
}

if (values.part !== undefined) {
  const [before, began] = [process.resourceUsage(), performance.now()];
  const memoryBefore = process.memoryUsage().rss;
  await parts[values.part]();
  const after = process.resourceUsage();
  const cpuMicros = after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime;
  const figures = {
    "CPU us per recipient": (cpuMicros / recipients).toFixed(2),
    "CPU s": (cpuMicros / 1e6).toFixed(2),
    "wall s": ((performance.now() - began) / 1000).toFixed(2),
    "memory added at most, MB": ((after.maxRSS * 1024 - memoryBefore) / 1e6).toFixed(0),
  };
  console.log(JSON.stringify(figures));
} else {
  const scratch = mkdtempSync(join(values.folder, "webpush-bench-"));
  try {
    const path = join(scratch, "broadcast.journal");
    const rows = Object.keys(parts).map((part) => [part, JSON.parse(runPart(part, path))]);
    console.log(`${recipients} recipients, Node ${process.version}`);
    console.table(Object.fromEntries(rows));
    console.log(`the journal takes ${(statSync(path).size / recipients).toFixed(0)} bytes per recipient`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function runPart(part, path) {
  const script = fileURLToPath(import.meta.url);
  const { stdout, status } = spawnSync(
    process.execPath,
    [script, "--part", part, "--path", path, "--recipients", String(recipients)],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  if (status !== 0) throw new Error(`${part}: exit ${status}`);
  return stdout;
}
