/**
 * A campaign of a million in the database alone: what planning, taking, recording and finishing cost there.
 *
 *   npm run scale -- [--count 1000000] [--explain]
 *
 * Nothing is sent: every chunk is taken, recorded as accepted in lots of a hundred, and finished, as a worker would. So
 * what is measured is the database's part: milliseconds for taking a chunk at the beginning, in the middle and at the end
 * of the campaign, CPU of all processes of the server for each message, WAL and disk. A PostgreSQL of its own is started
 * for it, as it comes, with fsync on. dist/ must be built; nothing here needs a network.
 */
import { createECDH, randomBytes } from "node:crypto";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { openCampaigns } from "../dist/campaigns/campaigns.js";
import { installQueue } from "../dist/campaigns/queue.js";
import { openTurns } from "../dist/campaigns/turns.js";
import { claimChunk, selectRecipients } from "../dist/campaigns/turn-sql.js";
import { createKeyPair } from "../dist/index.js";
import { openDatabase } from "../dist/store/postgres/database.js";
import { migrate } from "../dist/store/postgres/migrate.js";
import { createPostgres } from "../test/support/postgres-server.mjs";
import { importReaders, planFor, serverCpuMs, walPosition } from "./database.mjs";

const { values } = parseArgs({
  options: { count: { type: "string", default: "1000000" }, explain: { type: "boolean", default: false } },
});
const count = Number(values.count);
const lot = 100;
const { publicKey } = createKeyPair({ bytes: randomBytes });

const server = await createPostgres({ settings: { fsync: "on" } });
await server.start();
const database = openDatabase(server.url());
try {
  await migrate(database);
  await installQueue(database);
  const rows = [];
  const row = (what, value, note = "") => rows.push({ what, value, note });

  const imported = await timed(() => importReaders(database, readers()));
  row("import by COPY", `${perSecond(count, imported.ms)}/s`, `${seconds(imported.ms)}`);

  const campaigns = await openCampaigns(database);
  const planned = await timed(() =>
    campaigns.create(planFor({ publicKey, payload: "hello" }), { id: "million", dueInMs: 0 }),
  );
  row("plan", seconds(planned.ms), `${planned.result.chunks} chunks`);
  if (values.explain) await explain();

  const turns = await openTurns(database, { worker: "bench", version: "0" });
  const walBefore = await walPosition(database);
  const sent = await timed(() => sendAll(turns));
  const takes = sent.result;
  for (const [name, from] of [
    ["first", 0],
    ["middle", Math.floor(takes.length / 2) - 10],
    ["last", takes.length - 20],
  ]) {
    const part = takes.slice(Math.max(0, from), Math.max(0, from) + 20).sort((a, b) => a - b);
    row(
      `take a chunk, ${name} 20`,
      `${part[Math.floor(part.length / 2)].toFixed(1)} ms`,
      `most ${part.at(-1).toFixed(1)} ms`,
    );
  }
  row("record and finish", `${perSecond(count, sent.ms)}/s`, "messages, one connection, nothing sent");
  row("database CPU a message", `${((sent.cpuMs * 1000) / count).toFixed(1)} µs`);
  row("WAL a message", `${Math.round(((await walPosition(database)) - walBefore) / count)} B`);
  for (const table of ["subscriptions", "results", "chunks"]) {
    const [{ bytes, indexes }] = await database.query({
      text: "select pg_total_relation_size($1)::float8 as bytes, pg_indexes_size($1)::float8 as indexes",
      values: [`webpush.${table}`],
    });
    row(
      `disk: ${table}`,
      `${Math.round(bytes / count)} B`,
      `a subscription, ${Math.round(indexes / count)} B of it indexes`,
    );
  }
  const done = await campaigns.find("million");
  row("counted", String(done.counts["accepted:ok"]), done.state);
  await turns[Symbol.asyncDispose]();
  await campaigns[Symbol.asyncDispose]();
  print(rows);
} finally {
  await database[Symbol.asyncDispose]();
  await server.stop();
}

function* readers() {
  const p256dh = createECDH("prime256v1").generateKeys();
  for (let index = 0; index < count; index += 1) {
    const endpoint = `https://fcm.googleapis.com/fcm/send/${randomBytes(114).toString("base64url")}`;
    yield { endpoint, p256dh, auth: randomBytes(16) };
  }
}

async function sendAll(turns) {
  const takes = [];
  for (;;) {
    const before = performance.now();
    const [turn] = await turns.take(1, [publicKey]);
    if (turn === undefined) return takes;
    takes.push(performance.now() - before);
    for (let from = 0; from < turn.recipients.length; from += lot) {
      const outcomes = turn.recipients.slice(from, from + lot).map((recipient) => ({
        recipient,
        outcome: "accepted",
        cause: "ok",
        sent: { status: 201, refusedKey: undefined, madeWith: undefined },
      }));
      await turns.record(turn, outcomes);
    }
    await turns.finish(turn, []);
  }
}

/** What the database does to find a job, to claim its chunk and to read its recipients; changes nothing. */
async function explain() {
  const chunk = { campaign: "million", chunk: 200, worker: "bench", leaseMs: 120_000 };
  const range = { to_seq: "200000", position: "199000", beyond: [] };
  const campaign = { id: "million", source: "subscriptions", selection: ["all"] };
  const job = {
    text: `select id from webpush_queue.job where name = 'chunks' and state < 'active' and start_after < now()
order by priority desc, created_on, id limit 2 for update skip locked`,
  };
  for (const [name, statement] of [
    ["a job (as pg-boss looks for it)", job],
    ["the chunk", claimChunk(chunk)],
    ["its recipients", selectRecipients(campaign, range)],
  ]) {
    console.log(`-- ${name}`);
    const undo = new Error("undo");
    await database
      .transaction(async (transaction) => {
        const plans = await transaction.query({
          text: `explain (analyze, buffers, costs off, timing off) ${statement.text}`,
          values: statement.values ?? [],
        });
        for (const line of plans) console.log(line["QUERY PLAN"]);
        throw undo;
      })
      .catch((error) => {
        if (error !== undo) throw error;
      });
  }
}

async function timed(work) {
  const cpuBefore = serverCpuMs(server);
  const before = performance.now();
  const result = await work();
  return { result, ms: performance.now() - before, cpuMs: serverCpuMs(server) - cpuBefore };
}

function perSecond(n, ms) {
  return Math.round((n * 1000) / ms)
    .toLocaleString("en")
    .replaceAll(",", " ");
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

function print(rows) {
  const [{ model }] = cpus();
  console.log(
    `${count.toLocaleString("en").replaceAll(",", " ")} subscriptions, ${cpus().length} × ${model.trim()}, PostgreSQL beside\n`,
  );
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, value, note } of rows)
    console.log(`${what.padEnd(width)}  ${value.padStart(12)}  ${note}`);
}
