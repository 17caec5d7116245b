/** Events as a stream of NDJSON: those of before first, then each as it happens, until either side ends it. */
import type { Writable } from "node:stream";
import type { EventLog } from "../event-log.ts";
import type { HttpResponse } from "../http-wire.ts";

export interface StreamOptions {
  /** Begins after the event with this number; 0 with the oldest that is remembered. */
  readonly since: number;
  /** Whether to go on with what happens from now on. */
  readonly follow: boolean;
}

/** What may wait for a client that does not read, before it is dropped. */
const maxBufferedBytes = 16 * 1_048_576;

/** Streams events into a response; resolves when that is over. */
export function streamEvents(
  events: EventLog,
  response: HttpResponse,
  { since, follow }: StreamOptions,
): Promise<undefined> {
  return new Promise((resolve) => {
    response.writeHead(200, {
      "content-type": "application/x-ndjson",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
    });
    const out: Writable = response;
    const write = (record: object) => {
      if (out.writableLength > maxBufferedBytes) out.destroy();
      else out.write(`${JSON.stringify(record)}\n`);
    };
    for (const record of events.since(since)) write(record);
    if (!follow) response.end();
    // So that a client knows it is heard before anything happens. HTTP/2 has it too, its types do not say so.
    else if ("flushHeaders" in response) response.flushHeaders();
    const stop = follow ? events.follow(write) : () => undefined;
    response.once("close", () => {
      stop();
      resolve(undefined);
    });
  });
}
