/**
 * What the measurements ask of a PostgreSQL server of their own: subscriptions put into it, its CPU, how much it logs.
 */
import { readdirSync, readFileSync } from "node:fs";
import { copyLine } from "../dist/store/postgres/copy.js";
import { endpointFingerprint } from "../dist/store/postgres/rows.js";
import { subscriptionId } from "../dist/protocol/subscription.js";

/** Stores `{ endpoint, p256dh, auth }`, the keys as bytes, as `subscriptions import` does, all registered yesterday. */
export async function importReaders(database, readers) {
  const at = new Date(Date.now() - 86_400_000);
  function* lines() {
    for (const { endpoint, p256dh, auth } of readers)
      yield copyLine([
        endpointFingerprint(endpoint),
        subscriptionId(endpoint),
        endpoint,
        p256dh,
        auth,
        at,
        at,
      ]);
  }
  await database.transaction((transaction) =>
    transaction.copyIn(
      "copy webpush.subscriptions (fingerprint, id, endpoint, p256dh, auth, created_at, registered_at) from stdin",
      lines(),
    ),
  );
  await database.change({ text: "analyze webpush.subscriptions" });
}

/** A campaign of one message to all of them. */
export function planFor({ publicKey, payload }) {
  const message = { payload: Buffer.from(payload), ttlSeconds: 86_400, urgency: undefined, topic: undefined };
  const plan = { message, encoding: undefined, selection: ["all"], publicKey };
  return { ...plan, rate: undefined, retries: 4, prune: true };
}

/** CPU of all processes of the server so far, those that ended included; in ms. */
export function serverCpuMs(server) {
  const first = Number(readFileSync(`${server.folder}/data/postmaster.pid`, "utf8").split("\n")[0]);
  let ticks = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ")
        .map((field) => Number(field));
      const [parent, user, system, childUser, childSystem] = [1, 11, 12, 13, 14].map((at) => fields[at]);
      if (Number(pid) === first) ticks += user + system + childUser + childSystem;
      else if (parent === first) ticks += user + system;
    } catch {
      // it has ended in this moment
    }
  }
  return ticks * 10; // 100 ticks a second on Linux
}

/** How many bytes the server has logged ahead (WAL) so far. */
export async function walPosition(database) {
  const [{ bytes }] = await database.query({
    text: "select (pg_current_wal_lsn() - '0/0')::float8 as bytes",
  });
  return bytes;
}
