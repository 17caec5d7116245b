/**
 * A bound: one session of `node:http2` and nothing else to do than to post what is ready.
 */
import { once } from "node:events";
import { connect } from "node:http2";
import { expectCreated, keepInFlight } from "./flight.mjs";
import { prepare } from "./ready.mjs";

const streams = 100;

export async function open(material) {
  const { requestOf } = prepare(material);
  const session = connect(material.origin, { settings: { enablePush: false } });
  session.setMaxListeners(0);
  await once(session, "remoteSettings");

  function post({ headers, body }) {
    return new Promise((resolve, reject) => {
      const stream = session.request(headers);
      let status;
      stream.on("response", (answer) => (status = answer[":status"]));
      stream.on("error", reject);
      stream.on("close", () => resolve(status));
      stream.resume();
      stream.end(body);
    });
  }

  return {
    prepare: (lines) =>
      lines.map(requestOf).map(({ url, headers, body }) => ({
        headers: { ":method": "POST", ":path": url.slice(material.origin.length), ...headers },
        body,
      })),
    async send(requests) {
      await keepInFlight(requests.length, streams, async (index) =>
        expectCreated(await post(requests[index])),
      );
    },
    close: () => session.close(),
  };
}
