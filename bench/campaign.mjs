/**
 * A campaign in a database, sent by one worker and by two, beside `webpush send` of the same subscriptions.
 *
 *   npm run campaign -- [--count 20000] [--runs 3]
 *
 * All send the same message of 300 bytes to the same subscriptions, over TLS to a push service in another process, each
 * as whole processes, their start included. They take turns (A B C A B C …), so a busy second on the machine falls on all
 * of them alike. Service, database and senders share this machine: messages per second say how the work is shared here;
 * CPU per message is what to plan with. A PostgreSQL of its own is started for it, as it comes, with fsync on. dist/ must
 * be built; nothing here needs a network.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openCampaigns } from "../dist/campaigns/campaigns.js";
import { installQueue } from "../dist/campaigns/queue.js";
import { createKeyPair, formatKeys } from "../dist/index.js";
import { openDatabase } from "../dist/store/postgres/database.js";
import { migrate } from "../dist/store/postgres/migrate.js";
import { createPostgres } from "../test/support/postgres-server.mjs";
import { importReaders, planFor, serverCpuMs, walPosition } from "./database.mjs";
import { childCpuMs } from "./throughput/cpu.mjs";
import { payload, subject, subscriptions } from "./throughput/recipients.mjs";
import { authority, startService } from "./throughput/service.mjs";
import { runWebpush } from "./throughput/webpush.mjs";

const { values } = parseArgs({
  options: { count: { type: "string", default: "20000" }, runs: { type: "string", default: "3" } },
});
const count = Number(values.count);
const keys = JSON.parse(formatKeys(createKeyPair({ bytes: randomBytes }), undefined, "json"));

const folder = mkdtempSync(join(tmpdir(), "webpush-campaign-"));
const service = await startService();
const server = await createPostgres({ settings: { fsync: "on" } });
await server.start();
const database = openDatabase(server.url());
const campaigns = await prepare();
const here = ["--ca", authority, "--allow-host", "localhost", "--allow-host", "127.0.0.1"];
const send = ["send", "--json", "--yes", "--quiet", ...here, "--payload", payload];
const worker = ["worker", "--json", "--until-idle", ...here];
const senders = [
  { name: "send, from a file", commands: [[...send, "--to", join(folder, "readers.ndjson")]] },
  { name: "send, from the database", commands: [[...send, "--to", "all"]], store: true },
  { name: "one worker", commands: [worker], store: true, queued: true },
  { name: "two workers", commands: [worker, worker], store: true, queued: true },
];
try {
  const samples = new Map(senders.map((sender) => [sender, []]));
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const [sender, list] of samples) list.push(await measure(sender, run));
  }
  print(samples);
} finally {
  await campaigns[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await server.stop();
  service.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function prepare() {
  await migrate(database);
  await installQueue(database);
  const lines = [...subscriptions(service.origins.http2, count)];
  writeFileSync(join(folder, "readers.ndjson"), lines.map((line) => `${line}\n`).join(""));
  const bytes = (text) => Buffer.from(text, "base64url");
  await importReaders(
    database,
    lines.map((line) => {
      const { endpoint, keys: readerKeys } = JSON.parse(line);
      return { endpoint, p256dh: bytes(readerKeys.p256dh), auth: bytes(readerKeys.auth) };
    }),
  );
  return openCampaigns(database);
}

/** One run: what all processes together used for each message. */
async function measure({ name, commands, store, queued }, run) {
  const id = `${commands.length}-${run}`;
  if (queued) await campaigns.create(planFor({ publicKey: keys.publicKey, payload }), { id, dueInMs: 0 });
  await service.report();
  const before = { cpuMs: childCpuMs(), serverMs: serverCpuMs(server), wal: await walPosition(database) };
  const env = store ? { WEBPUSH_STORE: server.url() } : {};
  const startedAt = performance.now();
  await Promise.all(commands.map((argv) => runWebpush(argv, { keys, subject, folder, env })));
  const wallMs = performance.now() - startedAt;
  const served = await service.report();
  if (served.messages !== count)
    throw new Error(`${name}: the service counted ${served.messages} of ${count} messages`);
  if (queued && (await campaigns.find(id)).counts["accepted:ok"] !== count)
    throw new Error(`${name}: the campaign did not count all`);
  return {
    perSecond: (count / wallMs) * 1000,
    cpuUs: ((childCpuMs() - before.cpuMs) * 1000) / count,
    databaseUs: ((serverCpuMs(server) - before.serverMs) * 1000) / count,
    walBytes: ((await walPosition(database)) - before.wal) / count,
    serviceUs: served.cpuUs / count,
  };
}

function median(numbers) {
  const list = numbers.toSorted((a, b) => a - b);
  return list[Math.floor(list.length / 2)];
}

function print(samples) {
  const rows = [...samples].map(([{ name }, list]) => {
    const of = (field) => median(list.map((sample) => sample[field]));
    return { name, perSecond: of("perSecond"), ...each(of) };
  });
  const [first] = rows;
  const micro = (number) => `${number.toFixed(0)} µs`;
  const columns = [
    ["", ({ name }) => name],
    ["msg/s", ({ perSecond }) => perSecond.toFixed(0)],
    ["×", ({ perSecond }) => (perSecond / first.perSecond).toFixed(2)],
    ["CPU/msg", ({ cpuUs }) => micro(cpuUs)],
    ["×", ({ cpuUs }) => (cpuUs / first.cpuUs).toFixed(2)],
    ["database", ({ databaseUs }) => micro(databaseUs)],
    ["WAL", ({ walBytes }) => `${walBytes.toFixed(0)} B`],
    ["service", ({ serviceUs }) => micro(serviceUs)],
  ];
  const table = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))];
  const widths = columns.map((_, index) => Math.max(...table.map((cells) => cells[index].length)));
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model.trim()}), load ${loadavg()[0].toFixed(1)}`,
  );
  console.log(`${count} messages of ${payload.length} bytes, median of ${values.runs} runs each\n`);
  for (const cells of table)
    console.log(
      cells
        .map((cell, index) => (index === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[index])))
        .join("  "),
    );
}

function each(of) {
  return Object.fromEntries(
    ["cpuUs", "databaseUs", "walBytes", "serviceUs"].map((field) => [field, of(field)]),
  );
}
