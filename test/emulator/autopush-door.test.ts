import { describe, expect, test } from "vitest";
import { signToken } from "../../src/protocol/vapid-token.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import { samplePair } from "../support/samples.ts";
import { channel, hello, RawClient, register } from "./autopush-client.ts";
import { accepted, k, refused } from "./vapid-cases.ts";
import { call, openTestEmulator, sealed, until, type TestEmulator } from "./wire.ts";

const pair = samplePair("ours");

function vapid({ origin, clock }: TestEmulator, signer = pair): Readonly<Record<string, string>> {
  const subject = parseSubject("mailto:ops@harbour.shop").subject;
  const expiresAt = clock.now() + 3_600_000;
  return signToken({ audience: origin, subject, pair: signer, expiresAt, encoding: "aes128gcm" });
}

function post(endpoint: string, body = "sealed", headers: Readonly<Record<string, string>> = {}) {
  return call("POST", endpoint, { headers: { ...sealed, ...headers }, body });
}

function textOf(frame: Readonly<Record<string, unknown>>): string {
  return Buffer.from(String(frame["data"]), "base64url").toString();
}

describe("hello", () => {
  test("without an id gets one of 32 hex digits", async () => {
    await using emulator = await openTestEmulator();
    const client = await new RawClient(emulator.origin).opened();
    expect(await client.ask({ messageType: "hello", use_webpush: true, broadcasts: {} })).toEqual({
      messageType: "hello",
      uaid: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      status: 200,
      use_webpush: true,
      broadcasts: {},
    });
  });

  test.each([
    ["never seen", "0123456789abcdef0123456789abcdef"],
    ["not an id at all", "x"],
    ["empty", ""],
  ])("with an id %s gets a new one", async (_name, uaid) => {
    await using emulator = await openTestEmulator();
    expect((await hello(emulator.origin, uaid)).uaid).not.toBe(uaid);
  });

  test("with an id that never registered a channel gets a new one", async () => {
    await using emulator = await openTestEmulator();
    const first = await hello(emulator.origin);
    expect((await hello(emulator.origin, first.uaid)).uaid).not.toBe(first.uaid);
  });

  test("with a known id keeps it", async () => {
    await using emulator = await openTestEmulator();
    const first = await hello(emulator.origin);
    await register(first.client, channel(1));
    expect((await hello(emulator.origin, first.uaid)).uaid).toBe(first.uaid);
  });

  test("not said in time ends the connection", async () => {
    await using emulator = await openTestEmulator({ handshakeTimeoutMs: 20 });
    const client = await new RawClient(emulator.origin).opened();
    expect(await client.ended).toEqual({ code: 1011, reason: "HandshakeTimeout" });
  });

  test("from a second connection takes over: the first is closed, what it had not acknowledged comes again", async () => {
    await using emulator = await openTestEmulator();
    const first = await hello(emulator.origin);
    const endpoint = await register(first.client, channel(1));
    await post(endpoint, "one");
    const { version } = await first.client.next();
    const second = await hello(emulator.origin, first.uaid);
    expect(await second.client.next()).toMatchObject({ messageType: "notification", version });
    expect(await first.client.ended).toEqual({ code: 1000, reason: "taken over" });
  });
});

describe("whoever breaks the protocol is closed with 1011 and a word", () => {
  const greeting = { messageType: "hello", use_webpush: true };

  test.each<[string, readonly unknown[], string]>([
    ["not JSON", ["{"], "Json"],
    ["a list", ["[]"], "Json"],
    ["an unknown type", [{ messageType: "launch" }], "Json"],
    ["register before hello", [{ messageType: "register", channelID: channel(1) }], "SM"],
    ["a ping before hello", [{}], "SM"],
    ["a second hello", [greeting, greeting], "SM"],
    ["hello without use_webpush", [{ messageType: "hello" }], "SM"],
    ["a channel in upper case", [greeting, { messageType: "register", channelID: "A".repeat(36) }], "SM"],
    ["no channel", [greeting, { messageType: "register" }], "Json"],
    ["an unknown ack code", [greeting, { messageType: "ack", updates: [{ code: 7 }] }], "Json"],
  ])("%s", async (_name, frames, reason) => {
    await using emulator = await openTestEmulator();
    const client = await new RawClient(emulator.origin).opened();
    for (const frame of frames) client.send(frame);
    expect(await client.ended).toEqual({ code: 1011, reason });
  });

  test("and its TCP connection ends though it never answers the Close frame", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    client.socket.pause(); // As Firefox, it does not react.
    client.send("{");
    await until(() => emulator.events.some(({ type }) => type === "user-agent-disconnected"));
    client.socket.resume();
    expect(await client.ended).toEqual({ code: 1011, reason: "Json" });
  });
});

describe("a channel", () => {
  test("made without a key gets a v1 endpoint anyone may send to", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const answer = await client.ask({ messageType: "register", channelID: channel(1) });
    const pushEndpoint = String(answer["pushEndpoint"]);
    expect(answer).toEqual({ messageType: "register", channelID: channel(1), status: 200, pushEndpoint });
    expect(pushEndpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/wpush\/v1\/[\w-]{22}$/);
    expect((await post(pushEndpoint)).status).toBe(201);
  });

  test("made with a key, padded as Firefox pads it, gets a v2 endpoint for that key", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1), `${pair.publicKey}=`);
    expect(endpoint).toMatch(/\/wpush\/v2\//);
    expect((await post(endpoint, "x", vapid(emulator))).status).toBe(201);
  });

  test("registered again keeps its endpoint; with another key it gets another", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const first = await register(client, channel(1), pair.publicKey);
    expect(await register(client, channel(1), pair.publicKey)).toBe(first);
    const second = await register(client, channel(1), samplePair("other").publicKey);
    expect(second).not.toBe(first);
    expect((await post(first, "x", vapid(emulator))).status).toBe(410);
    await post(second, "to the second", vapid(emulator, samplePair("other")));
    expect(textOf(await client.next())).toBe("to the second");
  });

  test("with a key that is none is refused with 400", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const answer = await client.ask({ messageType: "register", channelID: channel(1), key: "AAAA" });
    expect(answer["status"]).toBe(400);
  });

  test.each([200, 201, 202, undefined])("unregistered with code %s is gone", async (code) => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1));
    const answer = await client.ask({ messageType: "unregister", channelID: channel(1), code });
    expect(answer).toEqual({ messageType: "unregister", channelID: channel(1), status: 200 });
    const { status, headers, body } = await post(endpoint);
    expect({ status, cache: headers["cache-control"] }).toEqual({ status: 410, cache: "max-age=86400" });
    expect(JSON.parse(body.toString())).toMatchObject({ code: 410, errno: 106, error: "Gone" });
    expect(emulator.events).toContainEqual(expect.objectContaining({ type: "unsubscribed", code }));
  });
});

describe("a message", () => {
  test("comes with version, data and headers; an empty one without data and headers", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1));
    await post(endpoint, "sealed");
    expect(await client.next()).toEqual({
      messageType: "notification",
      channelID: channel(1),
      version: expect.any(String) as string,
      data: Buffer.from("sealed").toString("base64url"),
      headers: { encoding: "aes128gcm" },
    });
    await call("POST", endpoint, { headers: { ttl: "60" } });
    expect(Object.keys(await client.next())).toEqual(["messageType", "channelID", "version"]);
  });

  test("of the aesgcm draft brings its parameters, without quotes and padding", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1));
    const draft = { encryption: 'salt="c2FsdA=="', "crypto-key": "dh=ZGg=;p256ecdsa=a2V5" };
    await post(endpoint, "sealed", { "content-encoding": "aesgcm", ...draft });
    expect((await client.next())["headers"]).toEqual({
      encoding: "aesgcm",
      encryption: "salt=c2FsdA",
      crypto_key: "dh=ZGg;p256ecdsa=a2V5",
    });
  });

  test.each([
    [100, "received"],
    [101, "undecryptable"],
    [102, "not-delivered"],
  ])("acknowledged with %i does not come again, and the code is told", async (code, how) => {
    await using emulator = await openTestEmulator();
    const first = await hello(emulator.origin);
    const endpoint = await register(first.client, channel(1));
    await post(endpoint);
    first.client.ack(await first.client.next(), code);
    await until(() => emulator.events.some((event) => event.type === "acknowledged" && event.how === how));
    const second = await hello(emulator.origin, first.uaid);
    expect(await second.client.ask({})).toEqual({});
  });

  test("can be told to have failed in the worker, after its acknowledgement", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1));
    await post(endpoint);
    const frame = await client.next();
    client.ack(frame, 100);
    client.send({ messageType: "nack", version: frame["version"], code: 302 });
    await client.ask({});
    const { subscriptionId } = emulator.service.subscriptions()[0] ?? {};
    expect(emulator.events.at(-1)).toMatchObject({ type: "processing-failed", code: 302, subscriptionId });
  });

  test("of another user agent cannot be acknowledged", async () => {
    await using emulator = await openTestEmulator();
    const [ada, eve] = [await hello(emulator.origin), await hello(emulator.origin)];
    const endpoint = await register(ada.client, channel(1));
    await register(eve.client, channel(1));
    await post(endpoint);
    eve.client.ack(await ada.client.next());
    await eve.client.ask({});
    expect(emulator.service.subscriptions().map(({ unacknowledged }) => unacknowledged)).toEqual([1, 0]);
  });

  test("can be taken back while it waits; 204 in any case", async () => {
    await using emulator = await openTestEmulator();
    const first = await hello(emulator.origin);
    const endpoint = await register(first.client, channel(1));
    first.client.socket.close();
    await first.client.ended;
    await until(() => emulator.service.subscriptions()[0]?.isConnected === false);
    const location = (await post(endpoint)).headers["location"] ?? "";
    expect(location).toMatch(/\/m\/[\w-]+$/);
    expect((await call("DELETE", location)).status).toBe(204);
    expect((await call("DELETE", location)).status).toBe(204);
    const second = await hello(emulator.origin, first.uaid);
    expect(await second.client.ask({})).toEqual({});
  });
});

/** A user agent with one channel that has gone away. */
async function awayAgent(emulator: TestEmulator) {
  const { client, uaid } = await hello(emulator.origin);
  const endpoint = await register(client, channel(1));
  client.socket.terminate();
  await until(() => emulator.service.subscriptions()[0]?.isConnected === false);
  return { uaid, endpoint };
}

describe("what was sent while nobody was there", () => {
  test("comes later: topics replaced, TTL 0 and expired ones gone", async () => {
    await using emulator = await openTestEmulator();
    const { uaid, endpoint } = await awayAgent(emulator);
    expect((await post(endpoint, "now or never", { ttl: "0" })).status).toBe(201);
    await post(endpoint, "short-lived", { ttl: "1" });
    await post(endpoint, "plain");
    await post(endpoint, "old news", { topic: "news" });
    await post(endpoint, "fresh news", { topic: "news" });
    emulator.clock.advance(2);
    const { client } = await hello(emulator.origin, uaid);
    expect([textOf(await client.next()), textOf(await client.next())]).toEqual(["fresh news", "plain"]);
    expect(await client.ask({})).toEqual({});
  });

  test("comes in batches of ten, the next when all are acknowledged; what is sent meanwhile at once", async () => {
    await using emulator = await openTestEmulator();
    const { uaid, endpoint } = await awayAgent(emulator);
    for (let n = 0; n < 12; n++) await post(endpoint, `no. ${n}`);
    const { client } = await hello(emulator.origin, uaid);
    const batch = [];
    for (let n = 0; n < 10; n++) batch.push(await client.next());
    expect(batch.map(textOf)).toEqual(batch.map((_, n) => `no. ${n}`));
    expect(await client.ask({})).toEqual({});
    await post(endpoint, "meanwhile");
    const meanwhile = await client.next();
    expect(textOf(meanwhile)).toBe("meanwhile");
    for (const frame of batch.slice(1)) client.ack(frame);
    expect(await client.ask({})).toEqual({});
    if (batch[0] !== undefined) client.ack(batch[0]);
    expect([textOf(await client.next()), textOf(await client.next())]).toEqual(["no. 10", "no. 11"]);
  });
});

test("a whole batch that expired while nobody was there does not come", async () => {
  await using emulator = await openTestEmulator();
  const { uaid, endpoint } = await awayAgent(emulator);
  for (let n = 0; n < 12; n++) await post(endpoint, `no. ${n}`, { ttl: n === 11 ? "30" : "1" });
  emulator.clock.advance(2);
  const { client } = await hello(emulator.origin, uaid);
  expect(textOf(await client.next())).toBe("no. 11");
  expect(await client.ask({})).toEqual({});
});

test("a user agent for which too much has gathered is forgotten, all its subscriptions with it", async () => {
  await using emulator = await openTestEmulator({ limits: { maxMessagesPerUserAgent: 2 } });
  const { uaid, endpoint } = await awayAgent(emulator);
  for (let n = 0; n < 2; n++) await post(endpoint);
  const enough = await hello(emulator.origin, uaid);
  expect((await enough.client.next())["messageType"]).toBe("notification");
  enough.client.socket.terminate();
  await until(() => emulator.service.subscriptions()[0]?.isConnected === false);
  await post(endpoint);
  const { client } = await hello(emulator.origin, uaid);
  expect(await client.ended).toEqual({ code: 1000, reason: "reset" });
  expect((await post(endpoint)).status).toBe(410);
  expect((await hello(emulator.origin, uaid)).uaid).not.toBe(uaid);
});

test("TTL 0 is sent at once to who is there, and never again", async () => {
  await using emulator = await openTestEmulator();
  const first = await hello(emulator.origin);
  const endpoint = await register(first.client, channel(1));
  await post(endpoint, "now", { ttl: "0" });
  expect(textOf(await first.client.next())).toBe("now");
  const second = await hello(emulator.origin, first.uaid);
  expect(await second.client.ask({})).toEqual({});
});

test("a topic does not replace what is on its way: both come", async () => {
  await using emulator = await openTestEmulator();
  const { client } = await hello(emulator.origin);
  const endpoint = await register(client, channel(1));
  await post(endpoint, "old", { topic: "t" });
  await post(endpoint, "new", { topic: "t" });
  expect([textOf(await client.next()), textOf(await client.next())]).toEqual(["old", "new"]);
});

test("ping is answered in kind, broadcasts are unknown", async () => {
  await using emulator = await openTestEmulator();
  const { client } = await hello(emulator.origin);
  expect(await client.ask({})).toEqual({});
  expect(await client.ask({ messageType: "ping" })).toEqual({});
  const asked = { messageType: "broadcast_subscribe", broadcasts: { "remote-settings/x": '"0"' } };
  expect(await client.ask(asked)).toEqual({
    messageType: "broadcast",
    broadcasts: { errors: { "remote-settings/x": "Broadcast not found" } },
  });
});

describe("VAPID at a channel made with a key", () => {
  async function sendWith(write: (typeof accepted)[number][1]) {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1), k);
    const exp = emulator.clock.now() / 1000 + 3600;
    const authorization = write({ aud: emulator.origin, exp, sub: "mailto:ops@harbour.shop" }) ?? "";
    const answer = await post(endpoint, "sealed", { authorization });
    return { answer, text: answer.status === 201 ? textOf(await client.next()) : undefined };
  }

  test.each(accepted)("%s is accepted, and the message delivered", async (_name, write) => {
    expect(await sendWith(write)).toMatchObject({ answer: { status: 201 }, text: "sealed" });
  });

  test.each(refused)("%s: 401 with errno 109", async (_name, _defect, write) => {
    const { answer } = await sendWith(write);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 401, errno: 109 });
  });
});

describe("a connection that asks for another push service", () => {
  test.each([
    ["fcm", /^\/fcm\/send\/[\w-]{22}$/],
    ["apple", /^\/apple\/[\w-]{22}$/],
    ["wns", /^\/wns\/\?token=[\w-]{22}$/],
    ["strict", /^\/push\/[\w-]{22}$/],
    ["mozilla", /^\/wpush\/v2\/[\w-]{22}$/],
  ])("?as=%s gets its endpoints, and their messages over the same frames", async (as, path) => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(`${emulator.origin}/?as=${as}`);
    const endpoint = await register(client, channel(1), pair.publicKey);
    expect(endpoint.slice(emulator.origin.length)).toMatch(path);
    expect((await post(endpoint, "to you", vapid(emulator))).status).toBe(201);
    expect(textOf(await client.next())).toBe("to you");
    expect(emulator.events.find(({ type }) => type === "accepted")).toMatchObject({ personality: as });
  });

  test("keeps a channel's endpoint as long as it asks for the same", async () => {
    await using emulator = await openTestEmulator();
    const first = await hello(`${emulator.origin}/?as=apple`);
    const endpoint = await register(first.client, channel(1), pair.publicKey);
    const second = await hello(`${emulator.origin}/?as=apple`, first.uaid);
    expect(await register(second.client, channel(1), pair.publicKey)).toBe(endpoint);
    const third = await hello(`${emulator.origin}/?as=wns`, first.uaid);
    expect(await register(third.client, channel(1), pair.publicKey)).toMatch(/\/wns\//);
    expect((await post(endpoint, "x", vapid(emulator))).status).toBe(410);
  });

  test("?as= with a name that is none is not opened", async () => {
    await using emulator = await openTestEmulator();
    const client = new RawClient(`${emulator.origin}/?as=gcm`);
    expect((await client.ended).code).toBe(1006);
    expect(emulator.events.at(-1)).toMatchObject({ type: "refused", code: "personality-unknown" });
  });

  test("the emulator's own choice holds where the connection makes none", async () => {
    await using emulator = await openTestEmulator({ personality: "apple" });
    const { client } = await hello(emulator.origin);
    expect(await register(client, channel(1))).toMatch(/\/apple\//);
    const other = await hello(`${emulator.origin}/?as=mozilla`);
    expect(await register(other.client, channel(1))).toMatch(/\/wpush\/v1\//);
  });
});

describe("a push request is answered as autopush answers it", () => {
  const salted = { "content-encoding": "aes128gcm", encryption: "salt=AAAA" };

  test.each<[string, Readonly<Record<string, string | undefined>>, string, number, number]>([
    ["no TTL", { ttl: undefined }, "x", 400, 111],
    ["TTL that is no number", { ttl: "soon" }, "x", 400, 111],
    ["a negative TTL", { ttl: "-1" }, "x", 400, 114],
    ["a Topic too long", { topic: "t".repeat(33) }, "x", 400, 113],
    ["a Topic outside of base64url", { topic: "a b" }, "x", 400, 113],
    ["a body without Content-Encoding", { "content-encoding": undefined }, "x", 400, 110],
    ["an unknown Content-Encoding", { "content-encoding": "gzip" }, "x", 400, 110],
    ["a salt for aes128gcm", salted, "x", 400, 110],
    ["a dh for aes128gcm", { "crypto-key": "dh=AAAA" }, "x", 400, 110],
    ["aesgcm without salt", { "content-encoding": "aesgcm", "crypto-key": "dh=A" }, "x", 400, 110],
    ["a body too large", {}, "x".repeat(4097), 413, 104],
    ["a token of another scheme", { authorization: "Basic x" }, "x", 401, 109],
  ])("%s", async (_name, over, body, code, errno) => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1));
    const wanted: Readonly<Record<string, string | undefined>> = { ...sealed, ...over };
    const headers = Object.fromEntries(
      Object.entries(wanted).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      ),
    );
    const answer = await call("POST", endpoint, { headers, body });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code, errno });
    expect(answer.status).toBe(code);
  });

  test.each<[string, (endpoint: string) => string, number, number]>([
    ["an unknown token", (endpoint) => `${endpoint}x`, 404, 102],
    ["a token with strange characters", (endpoint) => `${endpoint}%2e`, 404, 102],
    ["an API version there is not", (endpoint) => endpoint.replace("v2", "v3"), 404, 102],
    ["a v2 token as v1", (endpoint) => endpoint.replace("v2", "v1"), 404, 102],
    ["no VAPID", (endpoint) => endpoint, 401, 109],
  ])("%s", async (_name, change, code, errno) => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1), pair.publicKey);
    const answer = await post(change(endpoint));
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code, errno });
  });

  test("another key than the one subscribed with", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1), pair.publicKey);
    const answer = await post(endpoint, "x", vapid(emulator, samplePair("other")));
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 401, errno: 109 });
  });

  test("TTL is always in the answer, cut at 30 days", async () => {
    await using emulator = await openTestEmulator();
    const { client } = await hello(emulator.origin);
    const endpoint = await register(client, channel(1));
    expect((await post(endpoint)).headers["ttl"]).toBe("60");
    expect((await post(endpoint, "x", { ttl: "9999999" })).headers["ttl"]).toBe("2592000");
  });
});

test("a bug of ours ends the session it happened in, is told, and nothing else", async () => {
  await using emulator = await openTestEmulator();
  const { client } = await hello(emulator.origin);
  emulator.service.unsubscribe = () => {
    throw new Error("boom");
  };
  await register(client, channel(1));
  client.send({ messageType: "unregister", channelID: channel(1) });
  expect(await client.ended).toEqual({ code: 1011, reason: "" });
  expect(emulator.events).toContainEqual(
    expect.objectContaining({ type: "refused", code: "internal", reason: "the emulator failed: boom" }),
  );
  await hello(emulator.origin);
});

test.each(["/status", "/health"])("%s says that it is up, as autopush does", async (path) => {
  await using emulator = await openTestEmulator();
  const answer = await call("GET", `${emulator.origin}${path}`);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body.toString())).toMatchObject({ status: "OK" });
});

test("a page cannot open the WebSocket; Firefox's push service can", async () => {
  await using emulator = await openTestEmulator();
  const page = new RawClient(emulator.origin, { origin: "http://127.0.0.1:8080" });
  expect((await page.ended).code).toBe(1006);
  const firefox = new RawClient(emulator.origin, { origin: `${emulator.origin.replace("http", "ws")}/` });
  await firefox.opened();
  const rebound = new RawClient(emulator.origin, { host: "evil.example" });
  expect((await rebound.ended).code).toBe(1006);
});

test("user agents, channels and waiting messages survive a restart", async () => {
  const before = await openTestEmulator();
  const { uaid, endpoint } = await awayAgent(before);
  await post(endpoint, "kept");
  const state = JSON.parse(JSON.stringify(before.service.snapshot())) as never;
  await before.close();
  await using after = await openTestEmulator({ state });
  const again = await hello(after.origin, uaid);
  expect(again.uaid).toBe(uaid);
  const kept = await again.client.next();
  expect([kept["channelID"], textOf(kept)]).toEqual([channel(1), "kept"]);
});

test("a nack for a version of 60 kB does not go into the log, it ends the connection", async () => {
  await using emulator = await openTestEmulator();
  const { client } = await hello(emulator.origin);
  client.send({ messageType: "nack", version: "x".repeat(60_000), code: 302 });
  expect(await client.ended).toEqual({ code: 1011, reason: "Json" });
  expect(JSON.stringify(emulator.control.events.since(0)).length).toBeLessThan(10_000);
});
