/** Faults on the way to a receiver, over the WebSocket of the autopush door. */
import { expect, test } from "vitest";
import { parseFault } from "../../../src/emulator/faults/read-fault.ts";
import { channel, hello, register } from "../autopush-client.ts";
import { call, openTestEmulator, sealed, until } from "../wire.ts";

async function open(rule: string) {
  const emulator = await openTestEmulator({ faults: [parseFault(rule)] });
  const { client, uaid } = await hello(emulator.origin);
  const endpoint = await register(client, channel(1));
  const send = (text: string) => call("POST", endpoint, { headers: sealed, body: text });
  return { emulator, client, uaid, send, [Symbol.asyncDispose]: () => emulator.close() };
}

const dataOf = (frame: Readonly<Record<string, unknown>>) =>
  Buffer.from(String(frame["data"]), "base64url").toString();

test("drop loses the message on the way; the next connection gets it", async () => {
  await using opened = await open("drop times=1");
  const { emulator, client, uaid, send } = opened;
  await send("lost");
  await send("not lost");
  expect(dataOf(await client.next())).toBe("not lost");
  expect(emulator.control.messages().map(({ outcome }) => outcome)).toEqual(["delivered", "delivered"]);
  client.socket.close();
  const again = await hello(emulator.origin, uaid);
  expect(dataOf(await again.client.next())).toBe("lost");
});

test("disconnect hangs up with the code, and the message waits", async () => {
  await using opened = await open("disconnect=4774 nth=1");
  const { emulator, client, uaid, send } = opened;
  await send("later");
  expect(await client.ended).toMatchObject({ code: 4774 });
  await until(() => emulator.control.messages()[0]?.outcome === "waiting");
  const again = await hello(emulator.origin, uaid);
  expect(dataOf(await again.client.next())).toBe("later");
});

test("forget ends all subscriptions of the browser, which gets a new id when it comes back", async () => {
  await using opened = await open("forget");
  const { emulator, client, uaid, send } = opened;
  await send("x");
  await client.ended;
  expect(emulator.control.messages()).toMatchObject([
    { outcome: "discarded", reason: "subscription-expired" },
  ]);
  expect(await send("y")).toMatchObject({ status: 410 });
  expect((await hello(emulator.origin, uaid)).uaid).not.toBe(uaid);
});

test("delay delivers later, in whatever order that makes", async () => {
  await using opened = await open("delay=50 nth=1");
  const { client, send } = opened;
  await send("first");
  await send("second");
  expect([dataOf(await client.next()), dataOf(await client.next())]).toEqual(["second", "first"]);
});

test("what is late for a connection that is gone is not delivered twice", async () => {
  await using opened = await open("delay=30");
  const { emulator, client, uaid, send } = opened;
  await send("once");
  client.socket.close();
  const again = await hello(emulator.origin, uaid);
  await send("mark");
  // Both were delayed by as much, so the mark comes after all that there was of the first.
  expect([dataOf(await again.client.next()), dataOf(await again.client.next())]).toEqual(["once", "mark"]);
});

test("a user agent of the emulator's own is offline after a disconnect", async () => {
  await using emulator = await openTestEmulator({ faults: [parseFault("disconnect times=1")] });
  const { control } = emulator;
  const { endpoint } = control.subscribe({});
  await call("POST", endpoint, { headers: { ttl: "60" } });
  expect(control.subscription(endpoint)).toMatchObject({ online: false, waiting: 1 });
  control.setOnline(endpoint, true);
  expect(control.messages()).toMatchObject([{ outcome: "acknowledged", deliveries: 2 }]);
});
