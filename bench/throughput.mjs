/**
 * Throughput: how fast messages go out, ours and others', to one push service on this machine.
 *
 *   npm run throughput -- [--count 20000] [--runs 5] [--only WORDS] [--quick]
 *
 * Every sender is a process of its own and sends the same message of 300 bytes to the same kind of subscriptions, made
 * beforehand, over TLS to a service in another process (`throughput/server.mjs`). They take turns (A B C A B C …), so a
 * busy second on the machine falls on all of them alike. What counts most is CPU per message, user and system time of
 * the whole sending process: messages per second also depend on what else the cores have to do, the service included.
 * Slow senders get fewer messages. Below the line stand bounds: what one part of the work costs when it is done alone.
 * dist/ must be built; nothing here needs a network.
 */
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createKeyPair, formatKeys } from "../dist/index.js";
import { payload, subject, subscriptions } from "./throughput/recipients.mjs";
import { reference, senders } from "./throughput/senders.mjs";
import { authority, startService } from "./throughput/service.mjs";

const { values } = parseArgs({
  options: {
    count: { type: "string" },
    runs: { type: "string" },
    only: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
  },
});
const most = Number(values.count ?? (values.quick ? 2000 : 20_000));
const runs = Number(values.runs ?? (values.quick ? 1 : 5));
const chosen = senders.filter(({ name }) => name === reference || name.includes(values.only));
const senderProcess = fileURLToPath(new URL("throughput/sender.mjs", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "webpush-throughput-"));
const service = await startService();
try {
  const loadBefore = loadavg()[0];
  const files = writeMaterial();
  const samples = new Map(chosen.map((sender) => [sender, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const [sender, list] of samples) list.push(await measure(sender, files.get(sender)));
  }
  print(samples, loadBefore);
} finally {
  service.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Files with what senders are given, by sender. */
function writeMaterial() {
  const pair = createKeyPair({ bytes: randomBytes });
  const shared = {
    keys: JSON.parse(formatKeys(pair, undefined, "json")),
    subject,
    payload,
    ca: readFileSync(authority, "utf8"),
    caFile: authority,
    folder,
  };
  const lines = Object.fromEntries(
    Object.entries(service.origins).map(([protocol, origin]) => [protocol, [...subscriptions(origin, most)]]),
  );
  return new Map(
    chosen.map((sender, index) => {
      const file = join(folder, `sender-${index}.json`);
      const recipients = lines[sender.protocol].slice(0, messagesOf(sender));
      const origin = service.origins[sender.protocol];
      const warmUp = recipients.slice(0, recipients.length / 10);
      writeFileSync(file, JSON.stringify({ ...shared, origin, recipients, warmUp }));
      return [sender, file];
    }),
  );
}

function messagesOf({ share = 1 }) {
  return Math.max(Math.round(most * share), Math.min(most, 1000));
}

/** One run of one sender: what it and the service used for each message. */
async function measure(sender, file) {
  const child = fork(senderProcess, [sender.name, file], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: authority },
  });
  await answerOf(child, sender);
  await service.report();
  child.send("go");
  const { wallMs, cpuUs } = await answerOf(child, sender);
  const served = await service.report();
  const messages = messagesOf(sender);
  const expected = sender.offline === true ? 0 : messages;
  if (served.messages !== expected)
    throw new Error(`${sender.name}: the service counted ${served.messages} of ${expected} messages`);
  return {
    perSecond: (messages / wallMs) * 1000,
    cpuUs: cpuUs / messages,
    serviceUs: served.cpuUs / messages,
  };
}

async function answerOf(child, { name }) {
  const [answer] = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`))),
  ]);
  return answer;
}

function median(numbers) {
  const list = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(list.length / 2);
  return list.length % 2 === 1 ? list[middle] : (list[middle - 1] + list[middle]) / 2;
}

function print(samples, loadBefore) {
  const summary = [...samples].map(([sender, list]) => {
    const of = (field) => list.map((sample) => sample[field]);
    return {
      ...sender,
      perSecond: median(of("perSecond")),
      most: Math.max(...of("perSecond")),
      cpuUs: median(of("cpuUs")),
      least: Math.min(...of("cpuUs")),
      serviceUs: median(of("serviceUs")),
    };
  });
  const compared = summary.find(({ name }) => name === reference);
  const columns = [
    ["", ({ name }) => name],
    ["msg/s", ({ perSecond }) => perSecond.toFixed(0)],
    ["most", ({ most }) => most.toFixed(0)],
    ["×", ({ perSecond }) => (perSecond / compared.perSecond).toFixed(1)],
    ["CPU/msg", ({ cpuUs }) => `${cpuUs.toFixed(0)} µs`],
    ["least", ({ least }) => `${least.toFixed(0)} µs`],
    ["×", ({ cpuUs }) => (compared.cpuUs / cpuUs).toFixed(1)],
    ["service", ({ serviceUs, offline }) => (offline === true ? "" : `${serviceUs.toFixed(0)} µs`)],
  ];
  const row = (sender) => columns.map(([, cell]) => cell(sender));
  const rows = [columns.map(([title]) => title), ...summary.map(row)];
  const widths = columns.map((_, index) => Math.max(...rows.map((cells) => cells[index].length)));
  const line = (cells) =>
    cells
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[index])))
      .join("  ");
  const [machine, load] = [cpus()[0]?.model, [loadBefore, loadavg()[0]].map((number) => number.toFixed(1))];
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores (${machine}), load ${load.join(" to ")}`,
  );
  console.log(`${most} messages of ${payload.length} bytes, ${runs} runs each, × is against ${reference}\n`);
  console.log(line(rows[0]));
  for (const sender of summary.filter(({ limit }) => limit !== true)) console.log(line(row(sender)));
  console.log("-".repeat(line(rows[0]).length));
  for (const sender of summary.filter(({ limit }) => limit === true)) console.log(line(row(sender)));
}
