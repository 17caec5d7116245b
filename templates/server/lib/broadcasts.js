/**
 * Sends a message to everybody: page by page out of the table, never all in memory, so many at a time.
 *
 * A broadcast is a row of its own, and each subscription remembers the last one that reached it. So one that was
 * stopped goes on where it was when the server starts again, and nobody gets it twice.
 */
import { shorten } from "./log.js";

const batchSize = 500;

export function createBroadcasts({ store, sender, log, concurrency }) {
  const stopping = new AbortController();
  let running;

  /** Sends what waits, one broadcast after the other; a second call while it runs does nothing. */
  function start() {
    running ??= work()
      .catch((error) => log("broadcast-failed", { message: error.stack }))
      .finally(() => (running = undefined));
  }

  async function work() {
    for (;;) {
      const broadcast = stopping.signal.aborted ? undefined : store.nextBroadcast();
      if (!broadcast) return;
      await send(broadcast);
      if (stopping.signal.aborted) return;
      store.finishBroadcast(broadcast.id);
      const { accepted, gone, failed } = store.findBroadcast(broadcast.id);
      log("broadcast-finished", { id: broadcast.id, accepted, gone, failed, pruned: store.prune() });
    }
  }

  async function send(broadcast) {
    const message = { payload: broadcast.payload, options: JSON.parse(broadcast.options) };
    const recipients = read(broadcast);
    const worker = async () => {
      for (const row of recipients) await sendOne(row, message, broadcast.id);
    };
    // Workers share the one iterator: each takes the next as soon as it is free. One that fails, because nothing can
    // be written any more, ends the iterator for all.
    const ended = await Promise.allSettled(Array.from({ length: concurrency }, worker));
    const failure = ended.find(({ status }) => status === "rejected");
    if (failure) throw failure.reason;
  }

  function* read(broadcast) {
    for (let after = 0; ;) {
      const rows = store.batch(broadcast, after, batchSize);
      for (const row of rows) {
        if (stopping.signal.aborted) return;
        yield row;
      }
      if (rows.length < batchSize) return;
      after = rows.at(-1).id;
    }
  }

  async function sendOne(row, message, id) {
    try {
      const result = await sender.deliver(row, message, { signal: stopping.signal });
      store.record(row, result, id);
      if (result.outcome === "accepted") return;
      log("not-delivered", {
        endpoint: shorten(row.endpoint),
        outcome: result.outcome,
        detail: result.detail,
      });
    } catch (error) {
      if (!stopping.signal.aborted) throw error; // stopped while it waited: the next start sends it
    }
  }

  return {
    start,
    /** Takes no new ones; resolves when those on their way are answered and written down. */
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
