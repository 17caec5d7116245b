/** `webpush/emulator` as a test suite uses it, over the names of its public types alone. */
import { request } from "node:https";
import { expect, test } from "vitest";
import { startEmulator, type EmulatorEvent } from "../../src/emulator/index.ts";
import { senderKeys, sendTo } from "./sending.ts";

test("everything is optional, and everything is where a test looks for it", async () => {
  await using push = await startEmulator();
  expect(push.origin).toBe(`http://127.0.0.1:${push.port}`);
  expect(push.httpsOrigin).toBe(`https://127.0.0.1:${push.port}`);
  expect(push.ca).toContain("BEGIN CERTIFICATE");
  const subscription = push.subscribe({ applicationServerKey: senderKeys.publicKey });
  await sendTo(subscription, '{"title":"Hi"}', { now: push.clock.now() });
  const [message] = await push.waitForMessages(1, { subscription });
  expect(message).toMatchObject({
    text: '{"title":"Hi"}',
    outcome: "acknowledged",
    sender: senderKeys.publicKey,
  });
  expect(message?.json()).toEqual({ title: "Hi" });
  expect(message?.payload).toBeInstanceOf(Uint8Array);
  push.unsubscribe(subscription);
  expect(push.subscriptions()).toEqual([]);
});

test("the real clock is the default, another begins where it is told, and reset begins again", async () => {
  await using push = await startEmulator({ now: new Date("2030-01-01T00:00:00Z") });
  push.clock.advance(60_000);
  expect(new Date(push.clock.now()).toISOString()).toMatch(/^2030-01-01T00:01:/);
  push.clock.set(new Date("2031-01-01T00:00:00Z"));
  push.reset();
  expect(new Date(push.clock.now()).toISOString()).toMatch(/^2030-01-01T00:00:/);
});

test("waiting in vain says how many came and what was refused last", async () => {
  await using push = await startEmulator();
  const subscription = push.subscribe();
  await sendTo(subscription, "x", { now: push.clock.now() - 10 * 86_400_000 });
  await expect(push.waitForMessages(2, { timeoutMs: 1 })).rejects.toThrow(
    /^0 of 2 messages came within 1 ms; the last request it refused: the token ended 9 days ago$/,
  );
});

test("closing ends those who wait", async () => {
  const push = await startEmulator();
  const waiting = push.waitForMessages(1);
  const outcome = expect(waiting).rejects.toThrow("0 of 1 messages came before the emulator was closed");
  await push.close();
  await outcome;
});

test("faults as objects and as lines, events as they happen and from before", async () => {
  const heard: EmulatorEvent[] = [];
  await using push = await startEmulator({
    faults: ["status=503 nth=1"],
    onEvent: (event) => heard.push(event),
  });
  push.addFault({ status: 429, retryAfter: 1, nth: 2 });
  const subscription = push.subscribe();
  const statuses: number[] = [];
  for (let count = 0; count < 3; count += 1)
    statuses.push((await sendTo(subscription, "x", { now: push.clock.now() })).status);
  expect(statuses).toEqual([503, 429, 201]);
  expect(push.faults()).toMatchObject([{ applied: 1 }, { applied: 1 }]);
  expect(push.removeFault("1")).toBe(true);
  push.clearFaults();
  expect(push.faults()).toEqual([]);
  expect(push.events()).toEqual(heard);
  expect(push.events(heard.length - 1)).toMatchObject([
    { type: "acknowledged", subscription: push.subscriptions()[0]?.id },
  ]);
  // @ts-expect-error -- what is wrong in an object is wrong for the compiler too
  expect(() => push.addFault({ status: "4x9" })).toThrow("status is given");
});

test("an endpoint over HTTPS is reached with the emulator's own CA", async () => {
  await using push = await startEmulator();
  const { endpoint } = push.subscribe({ endpoint: "https" });
  const status = await new Promise((resolve, reject) => {
    const options = { method: "POST", ca: push.ca, agent: false, headers: { ttl: "60" } };
    request(endpoint, options, ({ statusCode }) => {
      resolve(statusCode);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(201);
});

test("an endpoint at a vendor's host is only for vendors", async () => {
  await using push = await startEmulator();
  expect(push.subscribe({ as: "fcm", endpoint: "vendor" }).endpoint).toMatch(
    /^https:\/\/fcm\.googleapis\.com\/fcm\/send\//,
  );
  expect(() => push.subscribe({ endpoint: "vendor" })).toThrow("strict is no vendor's push service");
});
