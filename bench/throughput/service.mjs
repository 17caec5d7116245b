/**
 * The push service of the measurements, as the parent sees it: a process of its own, so that its CPU is not the sender's.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const server = fileURLToPath(new URL("server.mjs", import.meta.url));

/** The certificate that senders must trust. */
export const authority = fileURLToPath(new URL("../../test/support/tls/cert.pem", import.meta.url));

/**
 * Starts the service. `report()` tells what it has counted since it was last asked:
 * `{ messages, bytes, connections, cpuUs }`.
 */
export async function startService() {
  const child = fork(server);
  const [{ ports }] = await once(child, "message");
  return {
    origins: { http2: `https://127.0.0.1:${ports.http2}`, http1: `https://127.0.0.1:${ports.http1}` },
    async report() {
      const answer = once(child, "message");
      child.send("report");
      return (await answer)[0];
    },
    stop: () => child.disconnect(),
  };
}
