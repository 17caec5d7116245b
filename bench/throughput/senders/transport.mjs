/**
 * How near our transport is to the bounds: it alone, with requests that are ready.
 */
import { setMaxListeners } from "node:events";
import { openTransport } from "../../../dist/sender/transport.js";
import { expectCreated, keepInFlight } from "./flight.mjs";
import { prepare } from "./ready.mjs";

export function open(material) {
  const { requestOf } = prepare(material);
  const transport = openTransport({
    timeoutMs: 30_000,
    proxy: { url: undefined, environment: {} },
    ca: material.ca,
    allow: { private: false, hosts: [] },
  });
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  return {
    prepare: (lines) => lines.map(requestOf),
    async send(requests) {
      await keepInFlight(requests.length, 100, async (index) => {
        const { status, message } = await transport.exchange(requests[index], signal);
        expectCreated(status ?? message);
      });
    },
    close: () => transport[Symbol.dispose](),
  };
}
