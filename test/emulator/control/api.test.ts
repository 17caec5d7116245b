/** The JSON API over real HTTP, with messages that are really encrypted and signed. */
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { formatBase64url } from "../../../src/base/bytes.ts";
import { createReceiverKeys } from "../../../src/protocol/decryption.ts";
import type { MessageRecord } from "../../../src/emulator/message-record.ts";
import type { PushSubscriptionJson } from "../../../src/protocol/subscription.ts";
import { hello, register, channel } from "../autopush-client.ts";
import { senderKeys, sendTo } from "../sending.ts";
import {
  call,
  errorOf,
  openTestEmulator,
  poll,
  subscribeAt,
  until,
  type Answer,
  type TestEmulator,
} from "../wire.ts";

/** The API of an emulator, as a test suite would wrap it. */
function apiOf({ origin, apiToken }: Pick<TestEmulator, "origin" | "apiToken">) {
  const authorization = `Bearer ${apiToken}`;
  return (method: string, path: string, value?: unknown): Promise<Answer> => {
    const json = value === undefined ? {} : { "content-type": "application/json" };
    const body = value === undefined ? "" : JSON.stringify(value);
    return call(method, `${origin}/api/${path}`, { headers: { authorization, ...json }, body });
  };
}

async function open(options: Parameters<typeof openTestEmulator>[0] = {}) {
  const emulator = await openTestEmulator(options);
  return { emulator, api: apiOf(emulator), [Symbol.asyncDispose]: () => emulator.close() };
}

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- says what the test knows to come
function jsonOf<Value>({ body }: Answer): Value {
  return JSON.parse(body.toString()) as Value;
}

async function subscribe(api: ReturnType<typeof apiOf>, fields: object = {}): Promise<PushSubscriptionJson> {
  return jsonOf(await api("POST", "subscriptions", fields));
}

function idOf({ endpoint }: PushSubscriptionJson): string {
  return endpoint.slice(endpoint.lastIndexOf("/") + 1);
}

async function messagesOf(api: ReturnType<typeof apiOf>, query = ""): Promise<readonly MessageRecord[]> {
  return jsonOf<{ messages: MessageRecord[] }>(await api("GET", `messages${query}`)).messages;
}

describe("who may use it", () => {
  test.each([
    ["no token", {}, "token-missing"],
    ["another scheme", { authorization: "Basic YTpi" }, "token-missing"],
    ["another token", { authorization: "Bearer of-bad-news" }, "token-wrong"],
    ["an empty token", { authorization: "Bearer " }, "token-missing"],
  ])("%s gets 401", async (_name, headers, error) => {
    await using emulator = await openTestEmulator();
    for (const [method, path] of [
      ["GET", "messages"],
      ["POST", "reset"],
      ["GET", "events"],
    ] as const) {
      const answer = await call(method, `${emulator.origin}/api/${path}`, { headers });
      expect(errorOf(answer)).toMatchObject({ code: 401, error });
      expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
    }
  });

  test("not even the token opens it to a page of another site", async () => {
    await using emulator = await openTestEmulator();
    const headers = { authorization: `Bearer ${emulator.apiToken}`, origin: "https://evil.example" };
    expect(await call("GET", `${emulator.origin}/api/messages`, { headers })).toMatchObject({ status: 403 });
    const rebound = { authorization: headers.authorization, host: "evil.example" };
    expect(await call("GET", `${emulator.origin}/api/messages`, { headers: rebound })).toMatchObject({
      status: 421,
    });
  });

  test("the token can be chosen, and one that no header carries is refused", async () => {
    await using emulator = await openTestEmulator({ apiToken: "chosen-by-ci" });
    const headers = { authorization: "bearer chosen-by-ci" };
    expect(await call("GET", `${emulator.origin}/api/messages`, { headers })).toMatchObject({ status: 200 });
    await expect(openTestEmulator({ apiToken: "short" })).rejects.toMatchObject({
      code: "emulator-api-token",
    });
    await expect(openTestEmulator({ apiToken: "with space" })).rejects.toMatchObject({
      code: "emulator-api-token",
    });
  });
});

describe("a subscription of the API", () => {
  test("takes a message, acknowledges it, and the log shows it decrypted", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    const subscription = await subscribe(api, { applicationServerKey: senderKeys.publicKey });
    const now = emulator.clock.now();
    expect(await sendTo(subscription, "Grüße", { now, topic: "news", urgency: "high" })).toMatchObject({
      status: 201,
    });
    const [message, ...others] = await messagesOf(api);
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      subscription: idOf(subscription),
      acceptedAt: "2026-11-24T12:00:00.000Z",
      ttlSeconds: 60,
      grantedTtlSeconds: 60,
      urgency: "high",
      topic: "news",
      sender: senderKeys.publicKey,
      claims: { aud: emulator.origin, exp: now / 1000 + 3600, sub: "mailto:ops@harbour.shop" },
      contentEncoding: "aes128gcm",
      text: "Grüße",
      payload: formatBase64url(Buffer.from("Grüße")),
      sealed: null,
      outcome: "acknowledged",
      acknowledgement: "received",
      deliveries: 1,
      endedAt: "2026-11-24T12:00:00.000Z",
    });
    expect(message?.headers).toMatchObject({
      ttl: "60",
      urgency: "high",
      "content-encoding": "aes128gcm",
      authorization: expect.stringMatching(/^vapid t=/) as string,
      host: `127.0.0.1:${emulator.port}`,
    });
    expect(Buffer.from(message?.body ?? "", "base64url").length).toBe(
      Number(message?.headers["content-length"]),
    );
    expect(jsonOf(await api("GET", `messages/${message?.id ?? ""}`))).toEqual(message);
  });

  test("is bound to its key, as a browser's is", async () => {
    await using opened = await open();
    const subscription = await subscribe(opened.api, {
      applicationServerKey: createReceiverKeys({ bytes: (n) => randomBytes(n) }).publicKey,
    });
    expect(await sendTo(subscription, "x", { now: opened.emulator.clock.now() })).toMatchObject({
      status: 403,
    });
    expect(await messagesOf(opened.api)).toEqual([]);
  });

  test("an empty message has no text and nothing is sealed", async () => {
    await using opened = await open();
    await sendTo(await subscribe(opened.api), undefined, { now: opened.emulator.clock.now() });
    expect(await messagesOf(opened.api)).toMatchObject([
      {
        body: "",
        payload: null,
        text: null,
        sealed: null,
        outcome: "acknowledged",
        acknowledgement: "received",
      },
    ]);
  });

  test("what it cannot decrypt it acknowledges as undecryptable, and the log says why", async () => {
    await using opened = await open();
    const [one, other] = [await subscribe(opened.api), await subscribe(opened.api)];
    await sendTo({ ...one, keys: other.keys }, "for another", { now: opened.emulator.clock.now() });
    expect(await messagesOf(opened.api)).toMatchObject([
      {
        text: null,
        payload: null,
        sealed: "made for other keys, or changed on the way",
        acknowledgement: "undecryptable",
      },
    ]);
  });

  test("offline it lets messages wait, and takes them when it is switched on", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    const subscription = await subscribe(api, { online: false });
    await sendTo(subscription, "later", { now: emulator.clock.now() });
    expect(await messagesOf(api)).toMatchObject([{ outcome: "waiting", text: "later", deliveries: 0 }]);
    const path = `subscriptions/${idOf(subscription)}`;
    expect(jsonOf(await api("GET", path))).toMatchObject({ waiting: 1, connected: false, online: false });
    expect(jsonOf(await api("PATCH", path, { online: true }))).toMatchObject({
      waiting: 0,
      connected: true,
      online: true,
    });
    expect(await messagesOf(api)).toMatchObject([{ outcome: "acknowledged" }]);
    await api("PATCH", path, { online: false });
    await sendTo(subscription, "again", { now: emulator.clock.now(), ttlSeconds: 0 });
    expect(await messagesOf(api)).toMatchObject([{}, { outcome: "discarded", reason: "nobody-listening" }]);
  });

  test("unsubscribes with 410 and expires with 404", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    const [gone, expired] = [await subscribe(api), await subscribe(api)];
    expect(await api("DELETE", `subscriptions/${idOf(gone)}`)).toMatchObject({ status: 204 });
    expect(await api("POST", `subscriptions/${idOf(expired)}/expire`)).toMatchObject({ status: 204 });
    expect(await sendTo(gone, "x", { now: emulator.clock.now() })).toMatchObject({ status: 410 });
    expect(await sendTo(expired, "x", { now: emulator.clock.now() })).toMatchObject({ status: 404 });
    const again = await api("DELETE", `subscriptions/${idOf(gone)}`);
    expect(errorOf(again)).toMatchObject({ code: 404, error: "emulator-subscription" });
  });
});

test("a foreign subscription is sealed until its keys are told, then what came before is read too", async () => {
  await using opened = await open();
  const { api, emulator } = opened;
  const { endpoint } = await subscribeAt(emulator.origin);
  const keys = createReceiverKeys({ bytes: (length) => randomBytes(length) });
  const json = { endpoint, expirationTime: null, keys: { p256dh: keys.publicKey, auth: keys.auth.reveal() } };
  await sendTo(json, "secret", { now: emulator.clock.now() });
  expect(await messagesOf(api)).toMatchObject([
    { text: null, sealed: "the keys of its user agent are not known here", outcome: "waiting" },
  ]);
  const told = { privateKey: keys.privateKey.reveal(), auth: keys.auth.reveal() };
  const path = `subscriptions/${idOf(json)}`;
  expect(jsonOf(await api("PATCH", path, { keys: told }))).toMatchObject({ readable: true, online: null });
  expect(await messagesOf(api)).toMatchObject([{ text: "secret", sealed: null }]);
  expect(errorOf(await api("PATCH", path, { online: true }))).toMatchObject({ code: 404 });
  for (const wrong of [{ ...told, auth: "AAAA" }, { ...told, privateKey: "AAAA" }, { auth: told.auth }])
    expect(errorOf(await api("PATCH", path, { keys: wrong }))).toMatchObject({
      code: 400,
      error: "emulator-api",
    });
});

describe("waiting", () => {
  test("ends as soon as there are so many, those of before included", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    const subscription = await subscribe(api);
    await sendTo(subscription, "one", { now: emulator.clock.now() });
    const waiting = api(
      "GET",
      `wait?count=2&timeoutMs=60000&subscription=${encodeURIComponent(subscription.endpoint)}`,
    );
    await sendTo(await subscribe(api), "not this", { now: emulator.clock.now() });
    await sendTo(subscription, "two", { now: emulator.clock.now() });
    const answer = await waiting;
    expect(answer.status).toBe(200);
    expect(jsonOf<{ messages: MessageRecord[] }>(answer).messages.map(({ text }) => text)).toEqual([
      "one",
      "two",
    ]);
  });

  test("for an outcome waits for the receiver", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    const subscription = await subscribe(api, { online: false });
    await sendTo(subscription, "x", { now: emulator.clock.now() });
    const waiting = api("GET", "wait?outcome=acknowledged&timeoutMs=60000");
    await api("PATCH", `subscriptions/${idOf(subscription)}`, { online: true });
    expect(jsonOf(await waiting)).toMatchObject({ messages: [{ text: "x" }] });
  });

  test("in vain gets 504 with what did come", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    await sendTo(await subscribe(api), "only one", { now: emulator.clock.now() });
    const answer = await api("GET", "wait?count=2&timeoutMs=0");
    expect(answer.status).toBe(504);
    expect(jsonOf(answer)).toMatchObject({
      error: "messages-missing",
      message: "1 of 2 messages came within 0 ms",
      messages: [{ text: "only one" }],
    });
  });

  test("is over when the emulator is closed", async () => {
    const emulator = await openTestEmulator();
    const waiting = apiOf(emulator)("GET", "wait?timeoutMs=300000");
    waiting.catch(() => undefined);
    await apiOf(emulator)("GET", "clock");
    await emulator.close();
    await expect(waiting).rejects.toThrow();
  });
});

describe("the clock", () => {
  test("moved past a TTL ends the message at once, and its Date says the new time", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    await sendTo(await subscribe(api, { online: false }), "brief", { now: emulator.clock.now() });
    const moved = await api("POST", "clock", { advanceMs: 60_000 });
    expect(jsonOf(moved)).toEqual({ now: "2026-11-24T12:01:00.000Z", offsetMs: 60_000 });
    expect(emulator.events.map(({ type }) => type).slice(-2)).toEqual(["clock-moved", "expired"]);
    expect(await messagesOf(api)).toMatchObject([
      { outcome: "expired", endedAt: "2026-11-24T12:01:00.000Z" },
    ]);
    expect((await api("GET", "clock")).headers["date"]).toBe("Tue, 24 Nov 2026 12:01:00 GMT");
  });

  test("set to a time makes a token expired", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    const subscription = await subscribe(api);
    await api("POST", "clock", { now: "2026-11-24T13:30:00+00:00" });
    const answer = await sendTo(subscription, "x", { now: emulator.clock.now() });
    expect(errorOf(answer)).toMatchObject({ code: 403, error: "vapid-invalid" });
  });
});

describe("reset", () => {
  test("forgets subscriptions, messages, keys and the clock, and hangs up on browsers", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    const subscription = await subscribe(api);
    const { client, uaid } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1));
    await sendTo(subscription, "x", { now: emulator.clock.now() });
    await api("POST", "clock", { advanceMs: 1000 });
    expect(await api("POST", "reset")).toMatchObject({ status: 204 });
    expect(jsonOf(await api("GET", "subscriptions"))).toEqual({ subscriptions: [] });
    expect(await messagesOf(api)).toEqual([]);
    expect(jsonOf(await api("GET", "clock"))).toMatchObject({ offsetMs: 0 });
    expect(await sendTo(subscription, "x", { now: emulator.clock.now() })).toMatchObject({ status: 404 });
    await until(() => emulator.events.some(({ type }) => type === "user-agent-disconnected"));
    expect((await hello(emulator.origin, uaid)).uaid).not.toBe(uaid);
    expect(await call("POST", endpoint, { headers: { ttl: "1" } })).toMatchObject({ status: 404 });
    expect(emulator.events.filter(({ type }) => type === "reset")).toHaveLength(1);
  });

  test("ends a poll that waits", async () => {
    await using opened = await open();
    const { resource } = await subscribeAt(opened.emulator.origin);
    const waiting = call("GET", resource, { headers: { prefer: "wait=60" } });
    await until(() => opened.emulator.events.at(-1)?.type === "connected");
    await opened.api("POST", "reset");
    expect(await waiting).toMatchObject({ status: 410 });
    expect(await poll(resource)).toMatchObject({ status: 404 });
  });
});

test("the log of messages can be forgotten alone", async () => {
  await using opened = await open();
  const { api, emulator } = opened;
  const subscription = await subscribe(api, { online: false });
  await sendTo(subscription, "x", { now: emulator.clock.now() });
  expect(await api("DELETE", "messages")).toMatchObject({ status: 204 });
  expect(await messagesOf(api)).toEqual([]);
  expect(jsonOf(await api("GET", `subscriptions/${idOf(subscription)}`))).toMatchObject({ waiting: 1 });
});

describe("events", () => {
  const typesOf = (text: string) =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { sequence: number; type: string });

  test("are numbered, can be read again, and from any on", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    await sendTo(await subscribe(api), "x", { now: emulator.clock.now() });
    const all = typesOf((await api("GET", "events?follow=false")).body.toString());
    expect(all.map(({ type }) => type)).toEqual([
      "subscribed",
      "connected",
      "accepted",
      "delivered",
      "acknowledged",
    ]);
    expect(all.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    const later = await api("GET", "events?follow=false&since=3");
    expect(typesOf(later.body.toString())).toEqual(all.slice(3));
  });

  test("are followed as they happen", async () => {
    await using opened = await open();
    const { api, emulator } = opened;
    const abort = new AbortController();
    const headers = { authorization: `Bearer ${emulator.apiToken}` };
    const response = await fetch(`${emulator.origin}/api/events`, { headers, signal: abort.signal });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    await subscribe(api);
    let text = "";
    const decoder = new TextDecoder();
    if (response.body === null) throw new Error("no stream");
    for await (const chunk of response.body) {
      text += decoder.decode(chunk as Uint8Array);
      if (text.includes('"connected"')) break;
    }
    abort.abort();
    expect(typesOf(text).map(({ type }) => type)).toEqual(["subscribed", "connected"]);
  });
});

describe("requests that are wrong", () => {
  test.each<[string, string, unknown, string]>([
    ["POST", "subscriptions", { applicationserverkey: "x" }, "did you mean applicationServerKey?"],
    ["POST", "subscriptions", { applicationServerKey: 1 }, "applicationServerKey is 1, not text"],
    ["POST", "subscriptions", { online: "yes" }, 'online is "yes", not true or false'],
    ["POST", "subscriptions", { endpoint: "ftp" }, 'endpoint is "ftp", not one of http'],
    ["POST", "subscriptions", [], "the body is not a JSON object"],
    ["POST", "subscriptions", null, "the body is not a JSON object"],
    ["POST", "clock", {}, "give advanceMs or now, and not both"],
    ["POST", "clock", { advanceMs: 1.5 }, "advanceMs is 1.5, not a whole number"],
    ["POST", "clock", { now: "tomorrow" }, "not a time in ISO 8601"],
    ["GET", "messages?subscriptions=x", undefined, "did you mean subscription?"],
    ["GET", "messages?outcome=acked", undefined, "not one of waiting, delivered"],
    ["GET", "wait?count=0", undefined, 'count is "0", not a whole number from 1 to'],
    ["GET", "wait?count=1&count=2", undefined, '"count" is given more than once'],
    ["GET", "wait?timeoutMs=300001", undefined, "not a whole number from 0 to 300000"],
    ["GET", "subscriptions?x=1", undefined, "it takes no fields"],
    ["GET", "events?since=x", undefined, "since is"],
  ])("%s %s %j", async (method, path, value, words) => {
    await using opened = await open();
    const answer = await opened.api(method, path, value);
    expect(answer.status).toBe(400);
    expect(errorOf(answer).message).toContain(words);
  });

  test.each([
    ["text/plain", "{}", 415],
    ["application/json", "{", 400],
    ["application/json", JSON.stringify({ applicationServerKey: "x".repeat(70_000) }), 413],
    ["application/json", '{"__proto__":{"online":true}}', 400],
  ])("a body of %s", async (type, body, status) => {
    await using opened = await open();
    const headers = { authorization: `Bearer ${opened.emulator.apiToken}`, "content-type": type };
    const url = `${opened.emulator.origin}/api/subscriptions`;
    expect(await call("POST", url, { headers, body })).toMatchObject({ status });
  });

  test("too many subscriptions get 429, and a message nobody sent 404", async () => {
    await using opened = await open({ limits: { maxSubscriptions: 1 } });
    await subscribe(opened.api);
    expect(await opened.api("POST", "subscriptions", {})).toMatchObject({ status: 429 });
    expect(await opened.api("GET", "messages/AAAA")).toMatchObject({ status: 404 });
    expect(await opened.api("PUT", "messages")).toMatchObject({ status: 405 });
  });
});

test("a payload that is no text comes as base64url alone", async () => {
  await using opened = await open();
  const subscription = await subscribe(opened.api);
  const bytes = createHash("sha256").update("no UTF-8").digest();
  await sendTo(subscription, bytes, { now: opened.emulator.clock.now() });
  expect(await messagesOf(opened.api)).toMatchObject([
    { text: null, payload: formatBase64url(bytes), sealed: null },
  ]);
});
