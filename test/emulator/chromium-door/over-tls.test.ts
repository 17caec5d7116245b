/** The door as a browser finds it: on the emulator's one port, in TLS. */
import { connect as connectTcp } from "node:net";
import { connect } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { McsClient, tags } from "../../support/mcs-client.ts";
import { created, textMessage } from "../machine.ts";
import { openTestEmulator, until, type TestEmulator } from "../wire.ts";
import { app, appId, device, pair, subscribe } from "./parts.ts";

function dial({ port, tls }: TestEmulator): McsClient {
  const socket = connect({ host: "127.0.0.1", port, ca: tls.caPem });
  onTestFinished(() => void socket.destroy());
  return new McsClient(socket);
}

function send({ service }: TestEmulator, token: string, text: string): string {
  return created(service.send(token, textMessage(text, { sender: pair.publicKey }))).messageId;
}

test("check-in, registration and messages go over one port", async () => {
  await using emulator = await openTestEmulator();
  const token = await subscribe(emulator);
  const messageId = send(emulator, token, "waiting");
  const client = dial(emulator);
  expect((await client.login(device)).tag).toBe(tags.loginResponse);
  expect(await client.nextMessage()).toMatchObject({
    persistentId: messageId,
    from: pair.publicKey,
    category: app,
    appData: { subtype: appId },
  });
  client.acknowledge();
  await until(() => emulator.events.some(({ type }) => type === "acknowledged"));
});

test("a large message and a hundred more arrive whole and in order", async () => {
  await using emulator = await openTestEmulator();
  const token = await subscribe(emulator);
  const client = dial(emulator);
  await client.login(device);
  const texts = ["x".repeat(4096), ...Array.from({ length: 100 }, (_, n) => `no. ${n}`)];
  for (const text of texts) send(emulator, token, text);
  const received: (string | undefined)[] = [];
  while (received.length < texts.length) received.push((await client.nextMessage()).body?.toString());
  expect(received).toEqual(texts);
});

test("a browser that hangs up in the middle of the handshake, or at any moment later, is no error", async () => {
  await using emulator = await openTestEmulator();
  const token = await subscribe(emulator);
  const { port } = emulator;
  const hello = connectTcp({ host: "127.0.0.1", port });
  hello.write(Buffer.from([22, 3, 1, 0, 200]));
  await new Promise((resolve) => hello.once("connect", resolve));
  hello.resetAndDestroy();
  const greeted = dial(emulator);
  await greeted.login(device);
  greeted.socket.destroy();
  const client = dial(emulator);
  await client.login(device);
  send(emulator, token, "x");
  expect((await client.nextMessage()).body?.toString()).toBe("x");
  expect(emulator.events.filter(({ type }) => type === "refused")).toEqual([]);
});

test("an emulator that closes ends its streams, and waits for none of them", async () => {
  const emulator = await openTestEmulator();
  const client = dial(emulator);
  await client.login(device);
  await emulator.close();
  await client.ended;
  expect(emulator.events.at(-1)).toMatchObject({ type: "user-agent-disconnected", userAgentId: device });
});
