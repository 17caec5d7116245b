/**
 * What each runtime dependency costs: bytes on the disk, and time to import.
 *
 *   node bench/dependencies.mjs
 *
 * Sizes are of the installed folders, alone and with everything they bring along. Import times are CPU time of whole
 * processes over a process that imports an empty module, medians, taken in turns. The table goes into docs/dependencies.md, with
 * the sums and the licences below it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const runs = 15;
const names = Object.keys(manifestOf(root).dependencies);

/** What we import of a package, where that is not all of it. */
const importedAs = new Map([["@bufbuild/protobuf", "@bufbuild/protobuf/wire"]]);

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/** Where Node finds `name` when a module in `from` asks for it. */
function folderOf(name, from) {
  for (let at = from; at.startsWith(root) || at === root.slice(0, -1); at = join(at, "..")) {
    const folder = join(at, "node_modules", name);
    if (existsSync(folder)) return folder;
  }
  throw new Error(`${name} is not installed`);
}

/** Bytes of the files of a package, what it brings along in a node_modules of its own left out. */
function bytesOf(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules")
    .reduce((sum, entry) => {
      const path = join(folder, entry.name);
      return sum + (entry.isDirectory() ? bytesOf(path) : statSync(path).size);
    }, 0);
}

/** Folders of a package and of all it depends on. */
function closureOf(folder, seen = new Set()) {
  if (seen.has(folder)) return seen;
  seen.add(folder);
  for (const name of Object.keys(manifestOf(folder).dependencies ?? {}))
    closureOf(folderOf(name, folder), seen);
  return seen;
}

/** CPU milliseconds of a process that imports `specifier`. */
function importMs(specifier) {
  const report =
    "process.stdout.write(String(Object.values(process.cpuUsage()).reduce((a, b) => a + b) / 1000))";
  const code = `import ${JSON.stringify(specifier)}; ${report}`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: root,
    encoding: "utf8",
  });
  return Number(stdout);
}

const scratch = mkdtempSync(join(tmpdir(), "webpush-bench-"));
const empty = join(scratch, "empty.mjs");
writeFileSync(empty, "export {};\n");
const samples = new Map([empty, ...names].map((name) => [name, []]));
for (let run = 0; run < runs; run += 1) {
  for (const [name, list] of samples) list.push(importMs(importedAs.get(name) ?? name));
}
rmSync(scratch, { recursive: true, force: true });
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;

console.log("| package | version | licence | own size | with what it brings | import |");
console.log("|---|---|---|---|---|---|");
for (const name of names) {
  const folder = folderOf(name, root);
  const { version, license } = manifestOf(folder);
  const closure = [...closureOf(folder)];
  const total = closure.reduce((sum, one) => sum + bytesOf(one), 0);
  const cost = Math.round(median(samples.get(name)) - median(samples.get(empty)));
  const others = closure.length - 1;
  const brings = others === 0 ? "nothing" : `${kilobytes(total)}, ${others} more`;
  console.log(
    `| ${name} | ${version} | ${license} | ${kilobytes(bytesOf(folder))} | ${brings} | ${cost} ms |`,
  );
}
const foldersWith = (...some) => new Set(some.flatMap((name) => [...closureOf(folderOf(name, root))]));
const inAll = (folders) =>
  `${folders.size} packages, ${([...folders].reduce((sum, one) => sum + bytesOf(one), 0) / 1e6).toFixed(1)} MB`;
console.log(
  `\nwhat we bring: ${inAll(foldersWith(...names))}; what web-push is: ${inAll(foldersWith("web-push"))}`,
);

const licences = new Map();
for (const folder of foldersWith(...names)) {
  const { name, license = "none named" } = manifestOf(folder);
  licences.set(license, [...(licences.get(license) ?? []), name]);
}
for (const [licence, held] of [...licences].sort((a, b) => b[1].length - a[1].length)) {
  console.log(`${held.length} ${licence}${held.length > 5 ? "" : `: ${held.join(", ")}`}`);
}
console.log(`Node ${process.version}, ${runs} runs each`);
