/** `webpush` as a whole process, with keys out of the environment; resolves when it has ended well. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const webpush = fileURLToPath(new URL("../../bin/webpush.js", import.meta.url));

export async function runWebpush(argv, { keys, subject, folder, env = {} }) {
  const child = spawn(process.execPath, [webpush, ...argv], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      VAPID_PUBLIC_KEY: keys.publicKey,
      VAPID_PRIVATE_KEY: keys.privateKey,
      VAPID_SUBJECT: subject,
      ...env,
    },
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`webpush ${argv[0]} ended with ${code}`);
}
