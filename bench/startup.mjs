/**
 * Start-up: how long whole processes take, ours and web-push's, beside a bare Node of the same moment.
 *
 *   npm run bench -- [--runs 20]
 *
 * The commands take turns (A B C A B C …), so a busy second on the machine falls on all of them alike. Wall
 * times are medians; CPU is the mean of user and system time, which a busy machine disturbs less (Linux only).
 * dist/ must be built; nothing here needs a network.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { runs: { type: "string", default: "20" } } });
const runs = Number(values.runs);

const webpush = fileURLToPath(new URL("../bin/webpush.js", import.meta.url));
const peer = join(dirname(createRequire(import.meta.url).resolve("web-push/package.json")), "src/cli.js");

const scratch = mkdtempSync(join(tmpdir(), "webpush-bench-"));
/** A project that has keys, and one folder per run that has none. */
const kept = join(scratch, "kept");
const fresh = (run) => join(scratch, `fresh-${run}`);

const bare = "node -e 0";
const peerName = "web-push generate-vapid-keys";
const cases = [
  { name: bare, args: () => ["-e", "0"] },
  { name: "webpush --version", args: () => [webpush, "--version"] },
  { name: "webpush --help", args: () => [webpush, "--help"] },
  { name: "webpush keys --print", args: () => [webpush, "keys", "--print"] },
  { name: "webpush keys (shows)", args: () => [webpush, "keys", "--config-dir", kept] },
  { name: "webpush keys (makes, stores)", args: (run) => [webpush, "keys", "--config-dir", fresh(run)] },
  { name: peerName, args: () => [peer, "generate-vapid-keys"] },
];

/** What a process that was waited for has used: wall and CPU milliseconds, from spawn to exit. */
function time(args) {
  const [start, cpuStart] = [process.hrtime.bigint(), childCpuMs()];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: scratch, encoding: "utf8" });
  const wall = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0) throw new Error(`node ${args.join(" ")} exited ${status}: ${stderr}`);
  return { wall, cpu: childCpuMs() - cpuStart };
}

/** CPU time of all children so far (`cutime` and `cstime` of proc(5), in ticks of 10 ms); NaN elsewhere. */
function childCpuMs() {
  if (!existsSync("/proc/self/stat")) return Number.NaN;
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

const sorted = (numbers) => numbers.toSorted((a, b) => a - b);
const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const median = (numbers) => {
  const list = sorted(numbers);
  const middle = Math.floor(list.length / 2);
  return list.length % 2 === 1 ? list[middle] : (list[middle - 1] + list[middle]) / 2;
};

try {
  time([webpush, "keys", "--config-dir", kept]);
  const times = new Map(cases.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const { name, args } of cases) times.get(name).push(time(args(run)));
  }
  print(times);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function print(times) {
  const summary = [...times].map(([name, list]) => ({
    name,
    wall: median(list.map(({ wall }) => wall)),
    least: sorted(list.map(({ wall }) => wall))[0],
    cpu: mean(list.map(({ cpu }) => cpu)),
  }));
  const of = (wanted) => summary.find(({ name }) => name === wanted);
  const columns = [
    ["", ({ name }) => name],
    ["wall", ({ wall }) => `${wall.toFixed(0)} ms`],
    ["least", ({ least }) => `${least.toFixed(0)} ms`],
    ["over bare", ({ wall }) => `${(wall - of(bare).wall).toFixed(0)} ms`],
    ["× web-push", ({ wall }) => (wall / of(peerName).wall).toFixed(2)],
    ["CPU", ({ cpu }) => `${cpu.toFixed(0)} ms`],
    ["over bare", ({ cpu }) => `${(cpu - of(bare).cpu).toFixed(0)} ms`],
    ["× web-push", ({ cpu }) => (cpu / of(peerName).cpu).toFixed(2)],
  ];
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model}), ${runs} runs each\n`,
  );
  const rows = [
    columns.map(([title]) => title),
    ...summary.map((row) => columns.map(([, cell]) => cell(row))),
  ];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index].length)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, index) => (index === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[index])))
        .join("  "),
    );
  }
}
