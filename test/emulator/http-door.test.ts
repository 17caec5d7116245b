import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { openPort } from "../../src/emulator/port.ts";
import { rfc8030Routes } from "../../src/emulator/rfc8030-routes.ts";
import { createTlsIdentity } from "../../src/emulator/certificate.ts";
import { countingRandom, createMachine } from "./machine.ts";
import { call, errorOf, openTestEmulator, poll, sealed, subscribeAt, until } from "./wire.ts";

describe("subscribing and receiving", () => {
  test("subscribe, send, poll, acknowledge: the whole way over HTTP", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    const sent = await call("POST", endpoint, { headers: sealed, body: "ciphertext" });
    expect(sent).toMatchObject({
      status: 201,
      headers: { location: expect.stringMatching(/\/message\/[\w-]{22}$/) as string },
    });
    expect(sent.headers["ttl"]).toBeUndefined();

    const received = await poll(resource);
    expect(received.status).toBe(200);
    expect(received.body.toString()).toBe("ciphertext");
    expect(received.headers).toMatchObject({
      "content-encoding": "aes128gcm",
      "content-type": "application/octet-stream",
      "content-location": sent.headers["location"],
      "last-modified": "Tue, 24 Nov 2026 12:00:00 GMT",
      link: `<${endpoint}>; rel="urn:ietf:params:push"`,
      "cache-control": "no-store",
    });
    const location = sent.headers["location"] ?? "";
    expect(await call("DELETE", location)).toMatchObject({ status: 204 });
    expect(await call("DELETE", location)).toMatchObject({ status: 404 });
    expect(await poll(resource)).toMatchObject({ status: 204 });
    expect(emulator.events.map(({ type }) => type)).toContain("acknowledged");
  });

  test("an unacknowledged message comes again, until it is acknowledged", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    await call("POST", endpoint, { headers: sealed, body: "one" });
    await call("POST", endpoint, { headers: sealed, body: "two" });
    for (const text of ["one", "one"]) expect((await poll(resource)).body.toString()).toBe(text);
    const again = await poll(resource);
    await call("DELETE", again.headers["content-location"] ?? "");
    expect((await poll(resource)).body.toString()).toBe("two");
  });

  test("a poll waits for a message, and TTL 0 reaches it", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    const waiting = call("GET", resource, { headers: { prefer: "wait=60" } });
    await until(() => emulator.events.at(-1)?.type === "connected");
    await call("POST", endpoint, { headers: { ...sealed, ttl: "0" }, body: "now" });
    expect((await waiting).body.toString()).toBe("now");
  });

  test("TTL 0 with nobody waiting is accepted and lost", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    expect(await call("POST", endpoint, { headers: { ...sealed, ttl: "0" }, body: "x" })).toMatchObject({
      status: 201,
    });
    expect(await poll(resource)).toMatchObject({ status: 204 });
  });

  test("a message for a receiver that hung up waits for its next poll", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    const abort = new AbortController();
    const waiting = call("GET", resource, { signal: abort.signal });
    await until(() => emulator.events.at(-1)?.type === "connected");
    abort.abort();
    await expect(waiting).rejects.toThrow();
    await until(() => emulator.events.at(-1)?.type === "disconnected");
    await call("POST", endpoint, { headers: sealed, body: "later" });
    expect((await poll(resource)).body.toString()).toBe("later");
  });

  test("a second poll takes the subscription over, and unsubscribing ends a waiting one with 410", async () => {
    await using emulator = await openTestEmulator();
    const { resource } = await subscribeAt(emulator.origin);
    const connections = () => emulator.events.filter(({ type }) => type === "connected").length;
    const first = call("GET", resource);
    await until(() => connections() === 1);
    const second = call("GET", resource);
    expect(errorOf(await first)).toMatchObject({ code: 409, error: "taken-over" });
    await until(() => connections() === 2);
    expect(await call("DELETE", resource)).toMatchObject({ status: 204 });
    expect(errorOf(await second)).toMatchObject({ code: 410, error: "subscription-gone" });
  });

  test("a poll gets what is as urgent as it asks for", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    await call("POST", endpoint, { headers: { ...sealed, urgency: "low" }, body: "advert" });
    await call("POST", endpoint, { headers: { ...sealed, urgency: "high" }, body: "call" });
    const urgent = await poll(resource, { urgency: "normal" });
    expect(urgent.body.toString()).toBe("call");
    await call("DELETE", urgent.headers["content-location"] ?? "");
    expect(await poll(resource, { urgency: "normal" })).toMatchObject({ status: 204 });
    expect((await poll(resource)).body.toString()).toBe("advert");
    expect(errorOf(await poll(resource, { urgency: "whenever" }))).toMatchObject({
      error: "urgency-malformed",
    });
  });

  test("topic, replaced while offline: one message, with its new resource", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    const old = await call("POST", endpoint, { headers: { ...sealed, topic: "score" }, body: "1:0" });
    await call("POST", endpoint, { headers: { ...sealed, topic: "score" }, body: "2:0" });
    expect(await call("DELETE", old.headers["location"] ?? "")).toMatchObject({ status: 404 });
    const received = await poll(resource);
    expect(received.body.toString()).toBe("2:0");
    expect(received.headers["topic"]).toBeUndefined();
    await call("DELETE", received.headers["content-location"] ?? "");
    expect(await poll(resource)).toMatchObject({ status: 204 });
  });

  test("TTL expiry of a batch", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    for (const ttl of ["1", "2", "30"]) {
      await call("POST", endpoint, { headers: { ...sealed, ttl }, body: `lives ${ttl} s` });
    }
    emulator.clock.advance(2);
    expect((await poll(resource)).body.toString()).toBe("lives 30 s");
  });

  test("a stored message is cancelled by a DELETE of its Location", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    const sent = await call("POST", endpoint, { headers: sealed, body: "oops" });
    expect(await call("DELETE", sent.headers["location"] ?? "")).toMatchObject({ status: 204 });
    expect(await poll(resource)).toMatchObject({ status: 204 });
    expect(emulator.events.map(({ type }) => type)).toContain("cancelled");
  });

  test("an empty push needs no Content-Encoding and arrives empty; aesgcm keeps its headers", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    await call("POST", endpoint, { headers: { ttl: "60" } });
    const empty = await poll(resource);
    expect(empty).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(empty.headers["content-encoding"]).toBeUndefined();
    await call("DELETE", empty.headers["content-location"] ?? "");
    const legacy = { "content-encoding": "aesgcm", encryption: "salt=AA", "crypto-key": "dh=BB" };
    await call("POST", endpoint, { headers: { ttl: "60", ...legacy }, body: "old" });
    expect((await poll(resource)).headers).toMatchObject(legacy);
  });
});

describe("what a push service must refuse", () => {
  test("a resource that never was 404, one that was unsubscribed 410, one that expired 404", async () => {
    await using emulator = await openTestEmulator();
    expect(await call("POST", `${emulator.origin}/push/nobody`, { headers: sealed })).toMatchObject({
      status: 404,
    });
    const gone = await subscribeAt(emulator.origin);
    await call("DELETE", gone.resource);
    expect(await call("POST", gone.endpoint, { headers: sealed, body: "x" })).toMatchObject({ status: 410 });
    expect(await poll(gone.resource)).toMatchObject({ status: 410 });
    const old = await subscribeAt(emulator.origin);
    emulator.service.expireSubscription(emulator.service.subscriptions()[0]?.subscriptionId ?? "");
    expect(errorOf(await call("POST", old.endpoint, { headers: sealed, body: "x" }))).toMatchObject({
      code: 404,
      error: "subscription-expired",
      message: "this push resource has expired (RFC 8030 §7.3)",
    });
  });

  test.each([
    [{ ttl: "" }, "ttl-malformed", 'TTL is "", not a number of seconds (RFC 8030 §5.2)'],
    [{ ttl: "-1" }, "ttl-malformed", 'TTL is "-1", not a number of seconds (RFC 8030 §5.2)'],
    [{ ttl: "1.5" }, "ttl-malformed", 'TTL is "1.5", not a number of seconds (RFC 8030 §5.2)'],
    [{ ttl: ["60", "60"] }, "ttl-malformed", 'TTL is "60, 60", not a number of seconds (RFC 8030 §5.2)'],
    [
      { urgency: "urgent" },
      "urgency-malformed",
      'Urgency is "urgent", not one of very-low, low, normal, high (RFC 8030 §5.3)',
    ],
    [
      { urgency: ["low", "low"] },
      "urgency-malformed",
      'Urgency is "low, low", given more than once (RFC 8030 §5.3)',
    ],
    [{ topic: "" }, "topic-malformed", 'Topic is "", not of A-Z a-z 0-9 - _ alone (RFC 8030 §5.4)'],
    [{ topic: "a b" }, "topic-malformed", 'Topic is "a b", not of A-Z a-z 0-9 - _ alone (RFC 8030 §5.4)'],
    [
      { topic: "x".repeat(33) },
      "topic-malformed",
      `Topic is "${"x".repeat(33)}", 33 characters long, the most is 32 (RFC 8030 §5.4)`,
    ],
    [
      { "content-encoding": "gzip" },
      "content-encoding-unknown",
      'Content-Encoding is "gzip", not aes128gcm or aesgcm (RFC 8291 §4)',
    ],
    [
      { "content-encoding": "aesgcm" },
      "encryption-headers-missing",
      "Content-Encoding is aesgcm but there is no Encryption header with salt=",
    ],
    [{ prefer: "respond-async, wait=soon" }, "prefer-malformed", 'Prefer says wait="soon"'],
    [
      { prefer: "respond-async", link: '</receipt/x>; rel="urn:ietf:params:push:receipt"' },
      "receipt-subscription-invalid",
      "this receipt subscription does not exist (RFC 8030 §5.1)",
    ],
    [
      { prefer: "respond-async", link: '<http://127.0.0.1:1/receipt/x>; rel="urn:ietf:params:push:receipt"' },
      "receipt-subscription-invalid",
      'the receipt link "http://127.0.0.1:1/receipt/x" is not of this service',
    ],
  ])("%j is answered 400", async (headers, error, message) => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    const answer = await call("POST", endpoint, { headers: { ...sealed, ...headers }, body: "x" });
    expect(errorOf(answer)).toMatchObject({
      code: 400,
      error,
      message: expect.stringContaining(message) as string,
    });
    expect(emulator.events.at(-1)).toMatchObject({ type: "refused", code: error });
    expect(await poll(resource)).toMatchObject({ status: 204 });
  });

  test("no TTL, and a body without Content-Encoding", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint } = await subscribeAt(emulator.origin);
    expect(errorOf(await call("POST", endpoint))).toEqual({
      code: 400,
      error: "ttl-missing",
      message: "the request has no TTL header (RFC 8030 §5.2)",
    });
    expect(errorOf(await call("POST", endpoint, { headers: { ttl: "1" }, body: "plain" }))).toEqual({
      code: 400,
      error: "content-encoding-missing",
      message: "a body of 5 bytes comes without Content-Encoding: aes128gcm (RFC 8291 §4)",
    });
  });

  test("a TTL of more than 31 bits is read as 2^31, and what is shortened is said", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint } = await subscribeAt(emulator.origin);
    const answer = await call("POST", endpoint, { headers: { ...sealed, ttl: "9".repeat(400) }, body: "x" });
    expect(answer).toMatchObject({ status: 201, headers: { ttl: "2592000" } });
    expect(emulator.events.at(-1)).toMatchObject({ type: "accepted", requestedTtlSeconds: 2 ** 31 });
  });

  test("4096 bytes pass, 4097 get 413, and so do megabytes while the connection lives", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint } = await subscribeAt(emulator.origin);
    const send = (bytes: number) => call("POST", endpoint, { headers: sealed, body: Buffer.alloc(bytes) });
    expect(await send(4096)).toMatchObject({ status: 201 });
    expect(errorOf(await send(4097))).toMatchObject({ code: 413, error: "body-too-large" });
    expect(await send(1_000_000)).toMatchObject({ status: 413 });
  });

  test("other methods get 405 with Allow, other paths 404", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    expect(await call("GET", endpoint)).toMatchObject({ status: 405, headers: { allow: "POST" } });
    expect(await call("PUT", resource)).toMatchObject({ status: 405, headers: { allow: "GET, DELETE" } });
    expect(await call("GET", `${emulator.origin}/message/x`)).toMatchObject({
      status: 405,
      headers: { allow: "DELETE" },
    });
    expect(await call("OPTIONS", endpoint)).toMatchObject({ status: 405 });
    for (const path of [
      "/",
      "/nowhere",
      "/push/",
      "/push/a/b",
      "/push/..%2f",
      "/subscribe/x",
      "/constructor/x",
    ]) {
      const method = path === "/subscribe/x" ? "POST" : "GET";
      expect(await call(method, `${emulator.origin}${path}`)).toMatchObject({ status: 404 });
    }
  });

  test("subscribe options must be JSON of their type with a key that is one", async () => {
    await using emulator = await openTestEmulator();
    const subscribe = (body: string, type = "application/webpush-options+json") =>
      call("POST", `${emulator.origin}/subscribe`, { headers: { "content-type": type }, body });
    expect(await subscribe("{}")).toMatchObject({ status: 201 });
    expect(await subscribe('{"other":1}', "application/webpush-options+json; charset=utf-8")).toMatchObject({
      status: 201,
    });
    expect(await subscribe("{}", "application/json")).toMatchObject({ status: 415 });
    for (const body of [
      "{",
      "[]",
      "null",
      '{"vapid":7}',
      '{"vapid":"abc"}',
      `{"vapid":"${"x".repeat(5000)}"}`,
    ]) {
      expect(errorOf(await subscribe(body))).toMatchObject({ code: 400, error: "options-malformed" });
    }
    const link = '<http://x/set/1>; rel="urn:ietf:params:push:set"';
    const inSet = await call("POST", `${emulator.origin}/subscribe`, { headers: { link } });
    expect(errorOf(inSet)).toMatchObject({ code: 400, error: "subscription-set-invalid" });
  });

  test("too many subscriptions and receipt subscriptions get 429 with Retry-After", async () => {
    const limits = { maxSubscriptions: 1, maxReceiptSubscriptions: 1 };
    await using emulator = await openTestEmulator({ limits });
    const { endpoint } = await subscribeAt(emulator.origin);
    const another = await call("POST", `${emulator.origin}/subscribe`);
    expect(another).toMatchObject({ status: 429, headers: { "retry-after": "60" } });
    const headers = { ...sealed, prefer: "respond-async" };
    expect(await call("POST", endpoint, { headers, body: "x" })).toMatchObject({ status: 202 });
    const second = await call("POST", endpoint, { headers, body: "x" });
    expect(second).toMatchObject({ status: 429, headers: { "retry-after": "60" } });
  });

  test("too many waiting messages get 429 with Retry-After", async () => {
    await using emulator = await openTestEmulator({ limits: { maxMessagesPerSubscription: 1 } });
    const { endpoint } = await subscribeAt(emulator.origin);
    await call("POST", endpoint, { headers: sealed, body: "x" });
    const answer = await call("POST", endpoint, { headers: sealed, body: "x" });
    expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "60" } });
  });
});

describe("receipts", () => {
  test("202 with the receipt subscription, which then says what became of each message", async () => {
    await using emulator = await openTestEmulator();
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    const first = await call("POST", endpoint, {
      headers: { ...sealed, prefer: "respond-async" },
      body: "a",
    });
    expect(first.status).toBe(202);
    const link = first.headers["link"] ?? "";
    const receipts = /^<(.+)>; rel="urn:ietf:params:push:receipt"$/.exec(link)?.[1] ?? "";
    const again = { ...sealed, ttl: "1", prefer: "respond-async", link };
    const second = await call("POST", endpoint, { headers: again, body: "b" });
    expect(second).toMatchObject({ status: 202, headers: { link } });

    expect(await poll(receipts)).toMatchObject({ status: 204 });
    const waiting = call("GET", receipts);
    const received = await poll(resource);
    await call("DELETE", received.headers["content-location"] ?? "");
    const receiptOf = async (answer: ReturnType<typeof call>) =>
      JSON.parse((await answer).body.toString()) as unknown;
    expect(await receiptOf(waiting)).toEqual({ message: first.headers["location"], status: 204 });
    emulator.clock.advance(2);
    expect(await receiptOf(poll(receipts))).toEqual({ message: second.headers["location"], status: 410 });
    expect(await call("DELETE", receipts)).toMatchObject({ status: 204 });
    expect(await poll(receipts)).toMatchObject({ status: 404 });
  });
});

describe("the door itself", () => {
  test("a Host that is not loopback, or not our port, gets 421: DNS rebinding stops here", async () => {
    await using emulator = await openTestEmulator();
    const { port, origin } = emulator;
    for (const host of [
      `evil.example:${port}`,
      "127.0.0.1:1",
      "127.0.0.1",
      `10.0.0.1:${port}`,
      "a b",
      `u@localhost:${port}`,
    ]) {
      expect(errorOf(await call("POST", `${origin}/subscribe`, { headers: { host } })).error).toBe(
        "host-not-allowed",
      );
    }
    for (const host of [`localhost:${port}`, `[::1]:${port}`, `push.localhost:${port}`, `127.1:${port}`]) {
      expect(await call("POST", `${origin}/subscribe`, { headers: { host } })).toMatchObject({ status: 201 });
    }
  });

  test("the Date header shows the clock that TTL and VAPID are judged by", async () => {
    await using emulator = await openTestEmulator();
    emulator.clock.advance(24 * 60 * 60);
    const answer = await call("POST", `${emulator.origin}/subscribe`);
    expect(answer.headers["date"]).toBe("Wed, 25 Nov 2026 12:00:00 GMT");
  });

  test("a poll may wait longer than a request may take to arrive", async () => {
    await using emulator = await openTestEmulator({ requestTimeoutMs: 20 });
    const { resource } = await subscribeAt(emulator.origin);
    expect(await poll(resource, { prefer: "wait=1" })).toMatchObject({ status: 204 });
  });

  test("links begin with the origin that was asked", async () => {
    await using emulator = await openTestEmulator();
    const host = `localhost:${emulator.port}`;
    const answer = await call("POST", `${emulator.origin}/subscribe`, { headers: { host } });
    expect(answer.headers["location"]).toMatch(new RegExp(`^http://${host}/subscription/`));
  });

  test("a page of another site is refused, and no answer may be read across origins", async () => {
    await using emulator = await openTestEmulator();
    const url = `${emulator.origin}/subscribe`;
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
    ]) {
      const answer = await call("POST", url, { headers });
      expect(errorOf(answer)).toMatchObject({ code: 403, error: "cross-site" });
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(answer.headers["cross-origin-resource-policy"]).toBe("same-origin");
    }
    expect(await call("POST", url, { headers: { origin: emulator.origin } })).toMatchObject({ status: 201 });
  });

  test("it binds to loopback alone unless told, and says which port is taken", async () => {
    const { service, clock } = createMachine();
    const tls = createTlsIdentity({ clock, random: countingRandom() });
    const refused = await openPort({ service, clock, tls, routes: rfc8030Routes, host: "0.0.0.0" }).catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ code: "emulator-host", message: "0.0.0.0 is not a loopback address" });
    await using door = await openPort({ tls, routes: rfc8030Routes, service, clock });
    const taken = await openPort({ tls, routes: rfc8030Routes, service, clock, port: door.port }).catch(
      (error: unknown) => error,
    );
    expect(taken).toBeInstanceOf(UserError);
    expect(taken).toMatchObject({
      code: "emulator-port",
      message: `port ${door.port} of 127.0.0.1 is taken by another program`,
    });
  });

  test("opened to others, it takes an IP address for a Host and still no name", async () => {
    await using emulator = await openTestEmulator({ host: "0.0.0.0", allowRemote: true });
    const subscribe = (host: string) => call("POST", `${emulator.origin}/subscribe`, { headers: { host } });
    expect(await subscribe("192.168.1.7:9000")).toMatchObject({ status: 201 });
    expect(await subscribe("evil.example")).toMatchObject({ status: 421 });
  });

  test("closing ends waiting polls", async () => {
    const emulator = await openTestEmulator();
    const { resource } = await subscribeAt(emulator.origin);
    const waiting = call("GET", resource);
    await until(() => emulator.events.at(-1)?.type === "connected");
    const outcome = expect(waiting).rejects.toThrow();
    await emulator.close();
    await outcome;
    await emulator.close();
  });

  test("a bug in a handler costs its own request alone", async () => {
    const { service, clock } = createMachine();
    service.unsubscribe = () => {
      throw new Error("boom");
    };
    const tls = createTlsIdentity({ clock, random: countingRandom() });
    await using door = await openPort({ tls, routes: rfc8030Routes, service, clock });
    expect(errorOf(await call("DELETE", `${door.origin}/subscription/x`))).toMatchObject({
      code: 500,
      error: "internal",
    });
    expect(await call("POST", `${door.origin}/subscribe`)).toMatchObject({ status: 201 });
  });
});

test("a long address is cut short in the log, which remembers thousands of them", async () => {
  await using emulator = await openTestEmulator();
  await call("GET", `${emulator.origin}/${"x".repeat(15_000)}`);
  expect(emulator.control.events.since(0).at(-1)?.reason?.length).toBeLessThan(300);
});
