/**
 * A bound: `node:https` with a keep-alive agent and nothing else to do than to post what is ready.
 */
import { Agent, request } from "node:https";
import { expectCreated, keepInFlight } from "./flight.mjs";
import { prepare } from "./ready.mjs";

const sockets = 50;

export function open(material) {
  const { hostname, port } = new URL(material.origin);
  const { requestOf } = prepare(material);
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });

  function post({ path, headers, body }) {
    return new Promise((resolve, reject) => {
      const outgoing = request({ hostname, port, path, method: "POST", headers, agent }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode));
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  return {
    prepare: (lines) =>
      lines.map(requestOf).map((ready) => ({ ...ready, path: ready.url.slice(material.origin.length) })),
    async send(requests) {
      await keepInFlight(requests.length, sockets, async (index) =>
        expectCreated(await post(requests[index])),
      );
    },
    close: () => agent.destroy(),
  };
}
