import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import type { PushResponse, TransportFailure } from "../../src/protocol/delivery.ts";
import type { PushRequest } from "../../src/protocol/message.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { openTransport, type Transport, type TransportOptions } from "../../src/sender/transport.ts";
import { ScriptedPushService, testCertificate } from "../support/scripted-push-service.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const forever = new AbortController().signal;

function open(options: Partial<TransportOptions> = {}): Transport {
  return openTransport({
    timeoutMs: 5000,
    proxy: { url: undefined, environment: {} },
    ca: undefined,
    allow: { private: false, hosts: [] },
    ...options,
  });
}

function requestTo(
  url: string,
  headers: Record<string, string> = { ttl: "60" },
  body = "sealed",
): PushRequest {
  return { method: "POST", url: parseEndpoint(url), headers, body: Buffer.from(body) };
}

async function exchange(
  url: string,
  options: Partial<TransportOptions> = {},
): Promise<PushResponse | TransportFailure> {
  using transport = open(options);
  return await transport.exchange(requestTo(url), forever);
}

test("the request arrives as it was made, of known length and asking for nothing else", async () => {
  await using service = await ScriptedPushService.start({ status: 201 });
  using transport = open();
  const endpoint = service.endpoint("/w/../w/?token=BQY%2b%3d&x={1}");
  await transport.exchange(
    requestTo(endpoint, { ttl: "0", topic: "news", authorization: "vapid t=a, k=b" }),
    forever,
  );
  expect(service.requests[0]).toMatchObject({
    method: "POST",
    path: "/w/../w/?token=BQY%2b%3d&x={1}",
    body: Buffer.from("sealed"),
  });
  expect(service.requests[0]?.headers).toEqual({
    host: `127.0.0.1:${service.port}`,
    ttl: "0",
    topic: "news",
    authorization: "vapid t=a, k=b",
    "content-length": "6",
  });
});

test("an empty message has a length too", async () => {
  await using service = await ScriptedPushService.start({});
  using transport = open();
  await transport.exchange(requestTo(service.endpoint(), {}, ""), forever);
  expect(service.requests[0]?.headers).toMatchObject({ "content-length": "0" });
  expect(service.requests[0]?.headers).not.toHaveProperty("transfer-encoding");
});

test("an endpoint without a path is asked at /", async () => {
  await using service = await ScriptedPushService.start({}, {});
  await exchange(service.endpoint(""));
  await exchange(service.endpoint("?up=1"));
  expect(service.requests.map(({ path }) => path)).toEqual(["/", "/?up=1"]);
});

test("status, headers and body come back, names in lower case", async () => {
  await using service = await ScriptedPushService.start({
    status: 403,
    headers: { "Apns-Id": "8A3F", "X-Twice": "a, b" },
    body: '{"reason":"BadJwtToken"}',
  });
  expect(await exchange(service.endpoint())).toMatchObject({
    status: 403,
    headers: { "apns-id": "8A3F", "x-twice": "a, b" },
    body: '{"reason":"BadJwtToken"}',
  });
});

test("a header named __proto__ is a header like any other", async () => {
  await using service = await ScriptedPushService.start({
    headers: { ["__proto__"]: "x", constructor: "y" },
  });
  const response = await exchange(service.endpoint());
  expect(Object.getPrototypeOf("headers" in response ? response.headers : null)).toBe(Object.prototype);
});

test("connections are kept for the next request to the same origin", async () => {
  await using service = await ScriptedPushService.start({}, {}, { status: 410 });
  using transport = open();
  await transport.exchange(requestTo(service.endpoint("/a")), forever);
  await transport.exchange(requestTo(service.endpoint("/b")), forever);
  await transport.exchange(requestTo(service.endpoint("/c")), forever);
  expect(service.connections).toBe(1);
});

test("a redirect is an answer and is not followed", async () => {
  await using elsewhere = await ScriptedPushService.start();
  await using service = await ScriptedPushService.start({
    status: 307,
    headers: { location: elsewhere.endpoint() },
  });
  expect(await exchange(service.endpoint())).toMatchObject({
    status: 307,
    headers: { location: elsewhere.endpoint() },
  });
});

test("a huge body is read up to 8 kB", async () => {
  await using service = await ScriptedPushService.start({ status: 400, body: "x".repeat(5_000_000) });
  expect(await exchange(service.endpoint())).toMatchObject({ status: 400, body: "x".repeat(8192) });
});

test("an endless body ends for us", async () => {
  await using service = await ScriptedPushService.start({ status: 500, fault: "endless-body" });
  const answer = await exchange(service.endpoint(), { timeoutMs: 60_000 });
  expect(answer).toMatchObject({ status: 500, body: "x".repeat(8192) });
});

test("a body that stalls costs words, not the status", async () => {
  await using service = await ScriptedPushService.start({
    status: 410,
    body: "push sub",
    fault: "stall-body",
  });
  expect(await exchange(service.endpoint(), { timeoutMs: 100 })).toMatchObject({
    status: 410,
    body: "push sub",
  });
});

test("a body that breaks off costs words, not the status", async () => {
  await using service = await ScriptedPushService.start({ status: 201, fault: "reset-after-headers" });
  expect(await exchange(service.endpoint())).toMatchObject({ status: 201 });
});

test("a Content-Length that promises too much is no obstacle", async () => {
  await using service = await ScriptedPushService.start({ status: 400, body: "short", contentLength: 500 });
  expect(await exchange(service.endpoint())).toMatchObject({ status: 400, body: "short" });
});

test("a Content-Length that promises too little does not spill into the next answer", async () => {
  await using service = await ScriptedPushService.start(
    { status: 400, body: "abcHTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", contentLength: 3 },
    { status: 201 },
  );
  using transport = open();
  expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({
    status: 400,
    body: "abc",
  });
  expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({ status: 201 });
});

test("after a reset before the answer it is unknown what happened", async () => {
  await using service = await ScriptedPushService.start({ fault: "reset-before-headers" });
  expect(await exchange(service.endpoint())).toEqual({
    kind: "ambiguous",
    message: `127.0.0.1:${service.port}: the connection broke before an answer came`,
  });
});

test.each([
  ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
  ["a switch of protocols", "HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
  ["interim answers without end", "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n".repeat(1000)],
  ["two lengths", "HTTP/1.1 410 Gone\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
  ["two framings", "HTTP/1.1 410 Gone\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["control characters in a header", "HTTP/1.1 410 Gone\r\nx: \u001b]0;owned\u0007\r\n\r\n"],
])("an answer of %s tells nothing", async (_, raw) => {
  await using service = await ScriptedPushService.start({ raw });
  expect(await exchange(service.endpoint())).toMatchObject({ kind: "ambiguous" });
});

test("an answer by HTTP/1.0 ends with its connection", async () => {
  await using service = await ScriptedPushService.start({ raw: "HTTP/1.0 410 Gone\r\n\r\nunsubscribed" });
  expect(await exchange(service.endpoint())).toMatchObject({ status: 410, body: "unsubscribed" });
});

test("without an answer in time it is unknown what happened", async () => {
  await using service = await ScriptedPushService.start({ fault: "stall-before-headers" });
  expect(await exchange(service.endpoint(), { timeoutMs: 80 })).toEqual({
    kind: "ambiguous",
    message: `127.0.0.1:${service.port}: no answer within 80 ms`,
  });
});

test("headers beyond 16 kB are not read", async () => {
  await using service = await ScriptedPushService.start({ headers: { "x-long": "x".repeat(20_000) } });
  expect(await exchange(service.endpoint())).toMatchObject({ kind: "ambiguous" });
});

test("a reset on a connection that was kept is ambiguous, not unsent", async () => {
  await using service = await ScriptedPushService.startTls({}, { fault: "reset-before-headers" });
  using transport = open({ ca: testCertificate });
  await transport.exchange(requestTo(service.endpoint()), forever);
  expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({
    kind: "ambiguous",
  });
  expect(service.connections).toBe(1);
});

test("a refused connection is unsent", async () => {
  const service = await ScriptedPushService.start();
  const endpoint = service.endpoint();
  await service[Symbol.asyncDispose]();
  expect(await exchange(endpoint)).toEqual({
    kind: "connect",
    message: `${new URL(endpoint).host}: connection refused`,
  });
});

test("localhost is tried on both families", async () => {
  await using service = await ScriptedPushService.start({});
  expect(await exchange(service.endpoint("/p", "push.localhost"))).toMatchObject({ status: 201 });
});

test("when both families of localhost refuse, the reason is still told", async () => {
  const service = await ScriptedPushService.start();
  const endpoint = service.endpoint("/p", "localhost");
  await service[Symbol.asyncDispose]();
  expect(await exchange(endpoint)).toEqual({
    kind: "connect",
    message: `${new URL(endpoint).host}: connection refused`,
  });
});

test("a connection that does not come about in time is unsent", async () => {
  const resolve = () => new Promise<never>(() => undefined);
  expect(await exchange("https://push.test/p", { resolve, connectTimeoutMs: 30 })).toEqual({
    kind: "connect",
    message: "push.test: no connection within 30 ms",
  });
});

test("a TLS handshake that stalls counts as no connection", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  expect(await exchange(`https://127.0.0.1:${port}/p`, { connectTimeoutMs: 60 })).toEqual({
    kind: "connect",
    message: `127.0.0.1:${port}: no connection within 60 ms`,
  });
  silent.close();
});

test("a name that does not resolve is its own failure", async () => {
  const resolve = () => Promise.reject(Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" }));
  expect(await exchange("https://push.test/p", { resolve })).toEqual({
    kind: "dns",
    message: "push.test: the name does not resolve",
  });
});

test("a name that leads to this machine is blocked before anything is sent", async () => {
  await using service = await ScriptedPushService.startTls();
  const resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
  expect(await exchange("https://evil.test/p", { resolve })).toEqual({
    kind: "blocked",
    message: "evil.test leads to 127.0.0.1, which is not a public address",
  });
  expect(await exchange(service.endpoint("/p", "evil.test"), { resolve })).toMatchObject({
    kind: "blocked",
    message: `port ${service.port} of evil.test is not 443`,
  });
  expect(service.connections).toBe(0);
});

test("a name is resolved once for each connection, and the connection goes there", async () => {
  await using service = await ScriptedPushService.startTls({}, {});
  const resolve = vi.fn(() => Promise.resolve([{ address: "127.0.0.1", family: 4 }]));
  using transport = open({ resolve, ca: testCertificate, allow: { private: false, hosts: ["push.test"] } });
  const endpoint = service.endpoint("/p", "push.test");
  expect(await transport.exchange(requestTo(endpoint), forever)).toMatchObject({ status: 201 });
  expect(await transport.exchange(requestTo(endpoint), forever)).toMatchObject({ status: 201 });
  expect(resolve).toHaveBeenCalledTimes(1);
  expect(service.requests[0]?.headers.host).toBe(`push.test:${service.port}`);
});

test("a dot at the end of a name does not upset its certificate", async () => {
  await using service = await ScriptedPushService.startTls({});
  const resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
  const allow = { private: false, hosts: ["push.test"] };
  const endpoint = service.endpoint("/p", "push.test.");
  expect(await exchange(endpoint, { resolve, allow, ca: testCertificate })).toMatchObject({ status: 201 });
});

test("a certificate nobody vouches for is refused, whatever the environment says", async () => {
  vi.spyOn(process, "emitWarning").mockReturnValue(); // Node's own about the variable
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  await using service = await ScriptedPushService.startTls();
  expect(await exchange(service.endpoint())).toEqual({
    kind: "tls",
    message: `127.0.0.1:${service.port}: the certificate is self-signed`,
  });
});

test("--ca adds an authority", async () => {
  await using service = await ScriptedPushService.startTls({});
  expect(await exchange(service.endpoint(), { ca: `\n# a comment\n${testCertificate}` })).toMatchObject({
    status: 201,
  });
});

test("a certificate for another name is refused", async () => {
  await using service = await ScriptedPushService.startTls();
  const resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
  const allow = { private: false, hosts: ["other.example"] };
  const endpoint = service.endpoint("/p", "other.example");
  expect(await exchange(endpoint, { resolve, allow, ca: testCertificate })).toEqual({
    kind: "tls",
    message: `other.example:${service.port}: the certificate is for another name`,
  });
});

test("a service that speaks no TLS is told apart", async () => {
  await using service = await ScriptedPushService.start();
  const endpoint = service.endpoint().replace("http:", "https:");
  expect(await exchange(endpoint)).toEqual({
    kind: "tls",
    message: `127.0.0.1:${service.port}: no TLS is spoken there`,
  });
});

test.each([
  ["nothing here", "the CA file holds no PEM certificate"],
  ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "the CA file holds a damaged certificate"],
])("a CA file with %j is refused at once", (ca, message) => {
  expect(() => open({ ca })).toThrow(expect.objectContaining({ code: "ca-malformed", message }));
});

test.each(["a\r\nx-injected: 1", "a\nb", "a\0b"])("a header value %j never leaves", async (topic) => {
  await using service = await ScriptedPushService.start();
  using transport = open();
  const request = requestTo(service.endpoint(), { ttl: "60", topic });
  await expect(transport.exchange(request, forever)).rejects.toThrow(/Invalid character in header/);
  expect(service.connections).toBe(0);
});

test("giving up while waiting leaves it open what happened", async () => {
  await using service = await ScriptedPushService.start({ fault: "stall-before-headers" });
  using transport = open();
  const stop = new AbortController();
  const answer = transport.exchange(requestTo(service.endpoint()), stop.signal);
  await service.received(1);
  stop.abort();
  expect(await answer).toEqual({
    kind: "ambiguous",
    message: `127.0.0.1:${service.port}: stopped while waiting for an answer`,
  });
});

test("what is given up before it starts is not sent", async () => {
  await using service = await ScriptedPushService.start();
  using transport = open();
  expect(await transport.exchange(requestTo(service.endpoint()), AbortSignal.abort())).toMatchObject({
    kind: "connect",
  });
  expect(service.connections).toBe(0);
});

test("giving up during the connection is unsent", async () => {
  using transport = open({ resolve: () => new Promise<never>(() => undefined) });
  const stop = new AbortController();
  const answer = transport.exchange(requestTo("https://push.test/p"), stop.signal);
  stop.abort();
  expect(await answer).toEqual({
    kind: "connect",
    message: "push.test: stopped before the request was sent",
  });
});

test("no message holds the path, the token or the body", async () => {
  await using service = await ScriptedPushService.start({ fault: "reset-before-headers" });
  using transport = open();
  const endpoint = service.endpoint("/wpush/v2/gAAAAsecret");
  const headers = { authorization: "vapid t=eyJsecret, k=BSecret" };
  expect(JSON.stringify(await transport.exchange(requestTo(endpoint, headers), forever))).not.toMatch(
    /secret/i,
  );
});
