/** The receiver against the emulator, with messages made by other people's code: npm web-push. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import webpush from "web-push";
import type { PushServiceEvent } from "../../src/emulator/events.ts";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { createReceiverKeys } from "../../src/protocol/decryption.ts";
import { formatSubscription, type Subscription } from "../../src/protocol/subscription.ts";
import { createKeyPair } from "../../src/protocol/vapid.ts";
import { subscribe, type HttpReceiver } from "../../src/receiver/http-receiver.ts";
import { call } from "../emulator/wire.ts";

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
const pair = createKeyPair(random);
const clock = { now: () => Date.now() }; // web-push signs for the real time
const restricted = { applicationServerKey: pair.publicKey };

/** An emulator, a receiver on it, and how to send to it as a user of web-push would. */
async function openPair() {
  const events: PushServiceEvent[] = [];
  const emulator = await startEmulator({ clock, random, onEvent: (event) => events.push(event) });
  const receiver = await subscribe(emulator.origin, restricted, createReceiverKeys(random));
  const dispose = async () => {
    await receiver[Symbol.asyncDispose]();
    await emulator.close();
  };
  return { emulator, receiver, events, [Symbol.asyncDispose]: dispose };
}

/** web-push speaks https alone, so its request is made by it and posted by us. */
async function sendAsWebPush(
  subscription: Subscription,
  payload: string | undefined,
  options: webpush.RequestOptions = {},
) {
  const vapidDetails = {
    subject: "mailto:me@example.com",
    publicKey: pair.publicKey,
    privateKey: pair.privateKey.reveal(),
  };
  const made = { vapidDetails, ...options };
  const details: webpush.RequestDetails = webpush.generateRequestDetails(
    formatSubscription(subscription),
    payload,
    made,
  );
  return call("POST", details.endpoint, { headers: details.headers, body: details.body ?? "" });
}

async function next(receiver: HttpReceiver, signal?: AbortSignal) {
  for await (const received of receiver.receive(signal)) return received;
  return undefined;
}

function textOf(received: Awaited<ReturnType<typeof next>>): string | undefined {
  return received?.kind === "message" ? Buffer.from(received.payload ?? "").toString() : undefined;
}

test.each(["aes128gcm", "aesgcm"] as const)(
  "a message web-push made as %s is accepted and decrypted",
  async (contentEncoding) => {
    await using service = await openPair();
    const { receiver, events } = service;
    const sent = await sendAsWebPush(receiver.subscription, "hello, wörld", { contentEncoding, TTL: 60 });
    expect(sent.status).toBe(201);
    const received = await next(receiver);
    expect(received).toMatchObject({ kind: "message", id: sent.headers["location"], contentEncoding });
    expect(textOf(received)).toBe("hello, wörld");
    expect(received?.acceptedAt).toBeGreaterThan(Date.now() - 60_000);
    expect(events.at(-1)).toMatchObject({ type: "acknowledged", how: "received" });
  },
);

test("messages come in order, each once, and one without content has no payload", async () => {
  await using service = await openPair();
  const { receiver } = service;
  for (const text of ["one", "two"]) await sendAsWebPush(receiver.subscription, text);
  await sendAsWebPush(receiver.subscription, undefined);
  const payloads: unknown[] = [];
  for await (const received of receiver.receive()) {
    payloads.push(
      received.kind === "message" ? received.payload && Buffer.from(received.payload).toString() : received,
    );
    if (payloads.length === 3) break;
  }
  expect(payloads).toEqual(["one", "two", undefined]);
});

test("a message sent while it waits arrives, TTL 0 included", async () => {
  await using service = await openPair();
  const { receiver, emulator } = service;
  const arriving = next(receiver);
  while (emulator.service.subscriptions()[0]?.isConnected !== true) await new Promise(setImmediate);
  await sendAsWebPush(receiver.subscription, "now", { TTL: 0 });
  expect(textOf(await arriving)).toBe("now");
});

test("a message made for other keys is undecryptable, acknowledged as such, and does not block the next", async () => {
  await using service = await openPair();
  const { receiver, events } = service;
  const stranger = createReceiverKeys(random);
  const mixedUp = { ...receiver.subscription, p256dh: stranger.publicKey, auth: stranger.auth };
  await sendAsWebPush(mixedUp, "for somebody else");
  await sendAsWebPush(receiver.subscription, "for me");
  const first = await next(receiver);
  expect(first).toMatchObject({ kind: "undecryptable", contentEncoding: "aes128gcm" });
  expect(first?.kind === "undecryptable" && first.reason).toMatch(/\w/);
  expect(events.filter(({ type }) => type === "acknowledged")).toMatchObject([{ how: "undecryptable" }]);
  expect(textOf(await next(receiver))).toBe("for me");
});

test("aborting ends the waiting quietly, and messages then wait at the service", async () => {
  await using service = await openPair();
  const { receiver, emulator } = service;
  const abort = new AbortController();
  const waiting = next(receiver, abort.signal);
  while (emulator.service.subscriptions()[0]?.isConnected !== true) await new Promise(setImmediate);
  abort.abort();
  expect(await waiting).toBeUndefined();
  expect(await next(receiver, abort.signal)).toBeUndefined();
  await sendAsWebPush(receiver.subscription, "later");
  expect(textOf(await next(receiver))).toBe("later");
});

test("unsubscribing ends the waiting, and senders get 410", async () => {
  await using service = await openPair();
  const { receiver, emulator } = service;
  const waiting = next(receiver);
  while (emulator.service.subscriptions()[0]?.isConnected !== true) await new Promise(setImmediate);
  await receiver.unsubscribe();
  expect(await waiting).toBeUndefined();
  expect(await sendAsWebPush(receiver.subscription, "too late")).toMatchObject({ status: 410 });
  await receiver.unsubscribe();
});

test("a subscription the service ended is an error that says so", async () => {
  await using service = await openPair();
  const { receiver, emulator } = service;
  emulator.service.expireSubscription(emulator.service.subscriptions()[0]?.subscriptionId ?? "");
  await expect(next(receiver)).rejects.toMatchObject({ code: "receiver-gone" });
});

test("a service that is not there, or not on this machine, is an error that says so", async () => {
  const keys = createReceiverKeys(random);
  await expect(subscribe("http://127.0.0.1:1", {}, keys)).rejects.toMatchObject({
    code: "receiver-unreachable",
  });
  for (const origin of ["https://push.example.net", "http://push.example.net", "localhost:80", ""]) {
    await expect(subscribe(origin, {}, keys)).rejects.toMatchObject({ code: "receiver-origin" });
  }
});

/** A service that misbehaves on purpose. */
async function openScripted(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dispose = () =>
    new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  return { origin, [Symbol.asyncDispose]: dispose };
}

const created = { location: "/subscription/s", link: '</push/p>; rel="urn:ietf:params:push"' };

test("a message whose acknowledgement was lost is recognised when it comes again", async () => {
  let polls = 0;
  await using service = await openScripted((request, response) => {
    if (request.method === "POST") response.writeHead(201, created).end();
    else if (request.method === "DELETE") response.writeHead(404).end();
    else response.writeHead(200, { "content-location": `/message/${(polls += 1) < 3 ? 1 : 2}` }).end();
  });
  await using receiver = await subscribe(service.origin, {}, createReceiverKeys(random));
  const ids: string[] = [];
  for await (const { id } of receiver.receive()) {
    ids.push(new URL(id).pathname);
    if (ids.length === 2) break;
  }
  expect(ids).toEqual(["/message/1", "/message/2"]);
});

test("it acknowledges at its own service and nowhere else", async () => {
  await using service = await openScripted((request, response) => {
    if (request.method === "POST") response.writeHead(201, created).end();
    else response.writeHead(200, { "content-location": "http://127.0.0.1:1/message/1" }).end();
  });
  await using receiver = await subscribe(service.origin, {}, createReceiverKeys(random));
  await expect(next(receiver)).rejects.toMatchObject({ code: "receiver-refused" });
});

test("a refusal is passed on in the service's words", async () => {
  await using service = await openScripted((_request, response) => {
    response.writeHead(429).end('{"message":"come back later"}');
  });
  await expect(subscribe(service.origin, {}, createReceiverKeys(random))).rejects.toMatchObject({
    code: "receiver-refused",
    message: 'the push service answered 429 to subscribing: {"message":"come back later"}',
  });
});

test("an answer without end is cut off", async () => {
  await using service = await openScripted((request, response) => {
    if (request.method === "POST") response.writeHead(201, created).end();
    else response.writeHead(200, { "content-location": "/message/1" }).end(Buffer.alloc(2_000_000));
  });
  await using receiver = await subscribe(service.origin, {}, createReceiverKeys(random));
  await expect(next(receiver)).rejects.toMatchObject({ code: "receiver-unreachable" });
});
