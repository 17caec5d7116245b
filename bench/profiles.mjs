/**
 * Fresh profiles in a row: does every one of them subscribe, receive and show, and how soon.
 *
 *   npm run profiles -- [--runs 10] [--browser chromium]
 *
 * Each run is `webpush demo --browser NAME --headless`, a whole process with a browser and a profile that nobody has
 * used before. `pushed` is the time from the push service's acceptance of the message to the browser's acknowledgement,
 * `shown` that to the notification. Exits 1 when a single run fails. Nothing here needs a network; dist/ must be built.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "10" }, browser: { type: "string" } },
});
const runs = Number(values.runs);
const browsers = values.browser === undefined ? ["chromium", "firefox"] : [values.browser];
const webpush = fileURLToPath(new URL("../bin/webpush.js", import.meta.url));
const limitMs = 180_000;

function play(browser) {
  const startedAt = performance.now();
  const argv = [webpush, "demo", "--browser", browser, "--headless", "--json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    encoding: "utf8",
    timeout: limitMs,
  });
  const totalMs = Math.round(performance.now() - startedAt);
  if (status !== 0) return { problem: `exit ${status}: ${stderr.trim().split("\n").at(-1)}`, totalMs };
  const { title, acknowledgedMs, shownMs } = JSON.parse(stdout);
  if (title !== "Hello from your terminal") return { problem: `it showed ${JSON.stringify(title)}`, totalMs };
  return { acknowledgedMs, shownMs, totalMs };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const row = (...cells) =>
  console.log(
    cells.map((cell, index) => (index === 0 ? cell.padEnd(10) : String(cell).padStart(16))).join(""),
  );

let failures = 0;
row("", "passed", "pushed, median", "pushed, worst", "shown, median", "shown, worst", "whole, median");
for (const browser of browsers) {
  const results = Array.from({ length: runs }, () => play(browser));
  const passed = results.filter(({ problem }) => problem === undefined);
  failures += runs - passed.length;
  const figures = (name) => passed.map((result) => result[name]);
  const pair = (name) => [median(figures(name)), Math.max(...figures(name))];
  const times =
    passed.length === 0 ? [] : [...pair("acknowledgedMs"), ...pair("shownMs"), median(figures("totalMs"))];
  row(browser, `${passed.length} of ${runs}`, ...times.map((time) => `${time} ms`));
  for (const { problem } of results) if (problem !== undefined) console.log(`  ${problem}`);
}
process.exitCode = failures === 0 ? 0 : 1;
