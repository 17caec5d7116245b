/**
 * Ours as a command: `webpush send --to FILE --json`, a whole process, its start included and nothing warm.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childCpuMs } from "../cpu.mjs";

const webpush = fileURLToPath(new URL("../../../bin/webpush.js", import.meta.url));

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
      const child = spawn(process.execPath, [webpush, ...argv], {
        cwd: folder,
        stdio: ["ignore", "ignore", "inherit"],
        env: {
          ...process.env,
          VAPID_PUBLIC_KEY: keys.publicKey,
          VAPID_PRIVATE_KEY: keys.privateKey,
          VAPID_SUBJECT: subject,
        },
      });
      const [code] = await once(child, "close");
      if (code !== 0) throw new Error(`webpush send ended with ${code}`);
      return { cpuUs: (childCpuMs() - before) * 1000 };
    },
  };
}
