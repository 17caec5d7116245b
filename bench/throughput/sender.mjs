/**
 * One sender in a process of its own, so that nobody's memory, threads or compiled code are another's.
 *
 * Runs as a child of `throughput.mjs` with the name of a sender and the file that was written for it. Some messages go
 * out before the clock starts: connections are open then and the code is compiled, as in any broadcast that is worth
 * measuring. Says so, waits for a word, and then tells `{ wallMs, cpuUs }`; CPU is user and system time of all threads.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { senders } from "./senders.mjs";

process.on("disconnect", () => process.exit());
const [name, file] = process.argv.slice(2);
const { module, options } = senders.find((sender) => sender.name === name);
const material = JSON.parse(readFileSync(file, "utf8"));
const { open } = await import(`./senders/${module}.mjs`);

const sender = await open({ ...options, ...material });
const [warmUp, measured] = [material.warmUp, material.recipients].map(
  (lines) => sender.prepare?.(lines) ?? lines,
);
if (sender.cold !== true) await sender.send(warmUp);
process.send("warm");
await once(process, "message");

const [cpuBefore, startedAt] = [process.cpuUsage(), performance.now()];
const own = await sender.send(measured);
const wallMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpuBefore);
sender.close?.();
process.send({ wallMs, cpuUs: own?.cpuUs ?? user + system }, () => process.disconnect());
