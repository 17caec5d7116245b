/**
 * PROTOCOL.md A.1 the whole way: what cannot be decrypted is carried like any message, told as such by the
 * receiver, acknowledged as undecryptable, and costs none of the messages after it.
 */
import { describe, expect, test } from "vitest";
import type { TestEmulator } from "../emulator/wire.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { listen, type ListenEvent } from "../../src/receiver/autopush.ts";
import { subscribe } from "../../src/receiver/http-receiver.ts";
import { channel, hello, register } from "../emulator/autopush-client.ts";
import { countingRandom } from "../emulator/machine.ts";
import { call, openTestEmulator, sealed, until } from "../emulator/wire.ts";
import { badBodies, changed, sealRecord } from "../protocol/bad-bodies.ts";
import { bytesOf, receiverOf, vectors } from "../protocol/push-parties.ts";

const keys = receiverOf(vectors.rfc8291);
const good = bytesOf(vectors.rfc8291.body);
const plaintext = bytesOf(vectors.rfc8291.plaintext);

/** An empty body is an empty message, and nothing to decrypt. */
const damaged = badBodies.filter(([, body]) => body.length > 0);

/** What is well-formed though it looks odd. */
const fine: readonly (readonly [string, Buffer, Buffer])[] = [
  ["a record of exactly the record size", changed((copy) => void copy.writeUInt32BE(58, 16)), plaintext],
  ["an empty plaintext", sealRecord(Buffer.of(2)), Buffer.alloc(0)],
  [
    "the longest padding",
    sealRecord(Buffer.concat([Buffer.from("h\u0002"), Buffer.alloc(3992)])),
    Buffer.from("h"),
  ],
  [
    "3993 bytes, a body of 4096",
    sealRecord(Buffer.concat([Buffer.alloc(3993, 104), Buffer.of(2)])),
    Buffer.alloc(3993, 104),
  ],
];

interface Received {
  /** The plaintext, or `undefined` when there is none to be had. */
  readonly payload: Buffer | undefined;
}

/** Sends bodies, and says what came of each in the order of their arrival. */
type Carry = (emulator: TestEmulator, bodies: readonly Buffer[]) => Promise<readonly Received[]>;

async function send(endpoint: string, bodies: readonly Buffer[]): Promise<void> {
  for (const body of bodies)
    expect((await call("POST", endpoint, { headers: sealed, body })).status).toBe(201);
}

const overHttp: Carry = async (emulator, bodies) => {
  await using receiver = await subscribe(emulator.origin, {}, keys);
  await send(receiver.subscription.endpoint, bodies);
  const received: Received[] = [];
  for await (const message of receiver.receive()) {
    const payload = message.kind === "message" ? Buffer.from(message.payload ?? "") : undefined;
    received.push({ payload });
    if (received.length === bodies.length) break;
  }
  return received;
};

const overWebSocket: Carry = async (emulator, bodies) => {
  const first = await hello(emulator.origin);
  const endpoint = await register(first.client, channel(1));
  first.client.socket.close();
  await first.client.ended;
  await send(endpoint, bodies);
  const identity = {
    service: emulator.origin.replace("http", "ws"),
    userAgentId: first.uaid,
    channelId: channel(1),
    endpoint: parseEndpoint(endpoint),
    keys,
    applicationServerKey: undefined,
  };
  const stop = new AbortController();
  const asked = { service: identity.service, identity, applicationServerKey: undefined, signal: stop.signal };
  const received: Received[] = [];
  const isMessage = (event: ListenEvent) => event.type === "message" || event.type === "undecryptable";
  for await (const event of listen(asked, { clock: emulator.clock, random: countingRandom() })) {
    if (!isMessage(event)) continue;
    received.push({ payload: event.type === "message" ? Buffer.from(event.payload ?? "") : undefined });
    if (received.length === bodies.length) break;
  }
  return received;
};

describe.each<[string, Carry]>([
  ["polling over HTTP", overHttp],
  ["listening over the WebSocket", overWebSocket],
])("%s", (_name, carry) => {
  test.each(damaged)(
    "%s is told, acknowledged as such, and the next message arrives",
    async (_what, body) => {
      await using emulator = await openTestEmulator();
      const [bad, next] = await carry(emulator, [body, good]);
      expect(bad).toEqual({ payload: undefined });
      expect(next).toEqual({ payload: plaintext });
      const acknowledged = () => emulator.events.filter((event) => event.type === "acknowledged");
      await until(() => acknowledged().length === 2);
      expect(acknowledged().map(({ how }) => how)).toEqual(["undecryptable", "received"]);
    },
  );

  test.each(fine)("%s is a message", async (_what, body, wanted) => {
    await using emulator = await openTestEmulator();
    expect(await carry(emulator, [body])).toEqual([{ payload: wanted }]);
  });
});

test("one byte more than 3993 of plaintext is refused before anybody receives it", async () => {
  await using emulator = await openTestEmulator();
  await using receiver = await subscribe(emulator.origin, {}, keys);
  const body = sealRecord(Buffer.concat([Buffer.alloc(3994, 104), Buffer.of(2)]));
  const { endpoint } = receiver.subscription;
  expect((await call("POST", endpoint, { headers: sealed, body })).status).toBe(413);
});
