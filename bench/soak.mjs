/**
 * Soak: a million recipients through one `webpush send --to - --json`, and how much memory that takes.
 *
 *   npm run soak -- [--count 1000000] [--http1] [--journal]
 *
 * The recipients are made while they are read, and the results read while they come, so what grows is the command's own
 * memory: resident size, each second, from /proc (Linux only). At the end every recipient must have one result, accepted,
 * and the service (`throughput/server.mjs`, a process of its own) must have counted as many messages. Exits 1 otherwise.
 * dist/ must be built; nothing here needs a network.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createKeyPair, formatKeys, subscriptionId } from "../dist/index.js";
import { childCpuMs } from "./throughput/cpu.mjs";
import { payload, subject, subscriptions } from "./throughput/recipients.mjs";
import { authority, startService } from "./throughput/service.mjs";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000000" },
    http1: { type: "boolean", default: false },
    journal: { type: "boolean", default: false },
  },
});
const count = Number(values.count);
const protocol = values.http1 ? "http1" : "http2";
const webpush = fileURLToPath(new URL("../bin/webpush.js", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "webpush-soak-"));
/** What the command says on stderr; shown when something is wrong. */
const talk = join(folder, "stderr");
const service = await startService();
try {
  const loadBefore = loadavg()[0];
  const outcome = await soak();
  print(outcome, loadBefore);
  if (outcome.problems.length > 0) process.exitCode = 1;
} finally {
  service.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function soak() {
  const startedAt = performance.now();
  const child = startSend();
  const ended = once(child, "close");
  const [given, received] = [emptyTally(), emptyTally()];
  const samples = [];
  const sampler = setInterval(() => {
    const at = (performance.now() - startedAt) / 1000;
    samples.push({ at, results: received.count, residentMb: residentMb(child.pid) });
  }, 1000);
  // A command that ends early breaks the pipe; its exit code and the counts tell.
  const feeding = pipeline(Readable.from(recipients(given)), child.stdin).catch(() => undefined);
  for await (const line of createInterface({ input: child.stdout })) {
    const { id, outcome } = JSON.parse(line);
    add(received, id ?? "");
    if (outcome !== "accepted") received.refused += 1;
  }
  await feeding;
  const [code] = await ended;
  clearInterval(sampler);
  const seconds = (performance.now() - startedAt) / 1000;
  const served = await service.report();
  const problems = [
    code === 0 ? "" : `webpush send ended with ${code}`,
    received.count === count ? "" : `${received.count} results for ${count} recipients`,
    received.sum === given.sum ? "" : "some recipients have two results, or none",
    received.refused === 0 ? "" : `${received.refused} were not accepted`,
    served.messages === count ? "" : `the service counted ${served.messages} messages`,
  ].filter((problem) => problem !== "");
  return { seconds, samples, served, problems, cpuMs: childCpuMs() };
}

function startSend() {
  const pair = createKeyPair({ bytes: randomBytes });
  const keys = JSON.parse(formatKeys(pair, undefined, "json"));
  const journal = values.journal ? ["--journal", join(folder, "journal")] : [];
  const argv = ["send", "--to", "-", "--json", "--yes", "--ca", authority, "--payload", payload, ...journal];
  return spawn(process.execPath, [webpush, ...argv], {
    cwd: folder,
    stdio: ["pipe", "pipe", openSync(talk, "w")],
    env: {
      ...process.env,
      VAPID_PUBLIC_KEY: keys.publicKey,
      VAPID_PRIVATE_KEY: keys.privateKey,
      VAPID_SUBJECT: subject,
    },
  });
}

/** The lines for stdin, some hundred at a time. */
function* recipients(tally) {
  let chunk = "";
  for (const line of subscriptions(service.origins[protocol], count)) {
    add(tally, subscriptionId(JSON.parse(line).endpoint));
    chunk += `${line}\n`;
    if (chunk.length < 100_000) continue;
    yield chunk;
    chunk = "";
  }
  yield chunk;
}

/** How many ids there were, and a sum over them that does not depend on their order. */
function emptyTally() {
  return { count: 0, sum: 0n, refused: 0 };
}

function add(tally, id) {
  tally.count += 1;
  tally.sum += BigInt(`0x0${Buffer.from(id).toString("hex")}`);
}

/** Resident memory of a process in megabytes; undefined once it has ended. */
function residentMb(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1000;
  } catch {
    return undefined;
  }
}

function print({ seconds, samples, served, problems, cpuMs }, loadBefore) {
  const row = (...cells) => console.log(cells.map((cell) => String(cell).padStart(12)).join(""));
  const load = [loadBefore, loadavg()[0]].map((number) => number.toFixed(1)).join(" to ");
  const name = values.http1 ? "HTTP/1.1" : "HTTP/2";
  console.log(`Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model}), load ${load}`);
  console.log(`${count} recipients over ${name}${values.journal ? ", with a journal" : ""}\n`);
  row("seconds", "results", "msg/s", "resident");
  const alive = samples.filter(({ residentMb }) => residentMb !== undefined);
  const step = Math.ceil(alive.length / 12);
  for (let index = step; index < alive.length; index += step) {
    const [before, now] = [alive[index - step], alive[index]];
    const perSecond = (now.results - before.results) / (now.at - before.at);
    row(now.at.toFixed(0), now.results, perSecond.toFixed(0), `${now.residentMb.toFixed(0)} MB`);
  }
  const sizes = alive.map(({ residentMb }) => residentMb);
  if (sizes.length === 0) sizes.push(Number.NaN); // it ended within a second
  const [least, most, last] = [Math.min(...sizes), Math.max(...sizes), sizes.at(-1)];
  console.log(
    `\nresident: least ${least.toFixed(0)} MB, most ${most.toFixed(0)} MB, last ${last.toFixed(0)} MB`,
  );
  const [perSecond, cpuUs] = [count / seconds, (cpuMs * 1000) / count];
  console.log(
    `${seconds.toFixed(1)} s, ${perSecond.toFixed(0)} msg/s, ${cpuUs.toFixed(0)} µs of CPU per message, ` +
      `${served.connections} connections`,
  );
  console.log(
    problems.length === 0 ? "one result for each, and all were accepted once" : problems.join("\n"),
  );
}
