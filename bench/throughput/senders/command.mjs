/**
 * Ours as a command: `webpush send --to FILE --json`, a whole process, its start included and nothing warm.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { childCpuMs } from "../cpu.mjs";
import { runWebpush } from "../webpush.mjs";

export function open({ keys, subject, payload, caFile, folder }) {
  return {
    cold: true,
    prepare(lines) {
      const file = join(folder, `recipients-${lines.length}.ndjson`);
      writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
      return file;
    },
    async send(file) {
      const before = childCpuMs();
      const argv = ["send", "--to", file, "--json", "--yes", "--quiet", "--ca", caFile, "--payload", payload];
      await runWebpush(argv, { keys, subject, folder });
      return { cpuUs: (childCpuMs() - before) * 1000 };
    },
  };
}
