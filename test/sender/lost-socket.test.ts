/**
 * What is sent over a socket that is lost and has not said so yet: `close` comes some turns of the
 * event loop after the end.
 */
import { on, once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ConnectionOwner } from "../../src/sender/connection.ts";
import { Exchange, type Answer } from "../../src/sender/exchange.ts";
import { Http1Connection } from "../../src/sender/http1/connection.ts";
import { Http2Connection } from "../../src/sender/http2/connection.ts";
import { frameOf, types } from "../support/scripted-http2-service.ts";
import { forever, requestTo } from "../support/transport-client.ts";

const answers: Answer[] = [];
const server = createServer({ allowHalfOpen: true });
let near: Socket;
let far: Socket;
const closed = vi.fn();
const unprocessed = vi.fn();
const owner: ConnectionOwner = {
  limits: { timeoutMs: 5000, connectTimeoutMs: 5000 },
  freed: () => undefined,
  retired: () => undefined,
  closed,
  overloaded: () => undefined,
  misunderstood: () => undefined,
  unprocessed,
  wantsHttp1: () => undefined,
};

beforeEach(async () => {
  answers.length = 0;
  closed.mockClear();
  unprocessed.mockClear();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  near = connect((server.address() as AddressInfo).port, "127.0.0.1");
  near.on("error", () => undefined);
  const [accepted] = (await once(server, "connection")) as [Socket];
  far = accepted;
  far.on("error", () => undefined);
});

afterEach(async () => {
  near.destroy();
  far.destroy();
  server.close();
  await once(server, "close");
});

function exchange(): Exchange {
  const request = requestTo("https://push.example.net/1", { ttl: "60" }, Buffer.alloc(4000));
  return new Exchange(request, { host: "push.example.net", path: "/1" }, (answer) => answers.push(answer));
}

async function openHttp2(): Promise<Http2Connection> {
  far.write(frameOf(types.settings, 0, 0, Buffer.alloc(0)));
  return await Http2Connection.open(near, owner, forever);
}

describe.each([
  ["HTTP/1.1", () => Promise.resolve(new Http1Connection(near, owner))],
  ["HTTP/2", openHttp2],
])("over %s", (_, open) => {
  test.each([
    ["destroyed", () => near.destroy()],
    ["ended", () => near.end()],
  ])("a socket that was %s a moment ago takes no request", async (_how, lose) => {
    const connection = await open();
    expect([connection.room > 0, connection.readiness(performance.now())]).toEqual([true, "ready"]);
    lose();
    expect([connection.room, connection.readiness(performance.now())]).toEqual([0, "stale"]);
  });

  test("a service that has said its last word is left before the socket is closed", async () => {
    const connection = await open();
    const socketClosed = vi.fn();
    near.once("close", socketClosed);
    far.end();
    await once(near, "end");
    expect(closed.mock.lastCall?.[0]).toBe(connection);
    expect(socketClosed).not.toHaveBeenCalled();
  });
});

test("requests of which nothing has left go over another connection, those that have do not", async () => {
  const connection = await openHttp2();
  const [sent, unsent] = [exchange(), exchange()];
  connection.begin(sent, performance.now());
  let received = 0;
  for await (const chunk of on(far, "data")) if ((received += (chunk as [Buffer])[0].length) > 4000) break;
  connection.begin(unsent, performance.now());
  near.destroy();
  await once(near, "close");
  expect(unprocessed.mock.calls).toEqual([[unsent]]);
  expect(answers).toMatchObject([{ kind: "ambiguous" }]);
});

test("however much is begun on a lost socket, nothing throws and nothing is in doubt", async () => {
  const connection = await openHttp2();
  near.destroy();
  for (let count = 0; count < 40; count += 1) connection.begin(exchange(), performance.now());
  await once(near, "close");
  expect(answers).toEqual([]);
  expect(unprocessed).toHaveBeenCalledTimes(40);
});
