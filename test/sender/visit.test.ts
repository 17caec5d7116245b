/** A visit to a push service that is scripted: what each way to go wrong looks like. */
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { visitPushService, type Visit, type VisitOptions } from "../../src/sender/visit.ts";
import { ConnectProxy } from "../support/connect-proxy.ts";
import { ScriptedHttp2Service } from "../support/scripted-http2-service.ts";
import { ScriptedPushService, testCertificate } from "../support/scripted-push-service.ts";
import { seededRandom, testNow } from "../support/test-context.ts";
import { forever } from "../support/transport-client.ts";

function visit(origin: string, over: Partial<VisitOptions> = {}): Promise<Visit> {
  const options: VisitOptions = {
    timeoutMs: 5000,
    proxy: { url: undefined, environment: {} },
    ca: testCertificate,
    allow: { private: false, hosts: [] },
    now: () => testNow,
    ...over,
  };
  return visitPushService(origin, options, forever);
}

const dateOf = (ms: number): string => new Date(ms).toUTCString();

test("what is asked is one plain page: no token, no subscription, no body", async () => {
  await using service = await ScriptedPushService.start({ status: 404 });
  const seen = await visit(`http://127.0.0.1:${service.port}`);
  expect(seen).toMatchObject({ status: 404, failure: undefined, protocol: "http/1.1", issuer: undefined });
  const [request] = service.requests;
  expect(request).toMatchObject({ method: "GET", path: "/", body: Buffer.alloc(0) });
  expect(Object.keys(request?.headers ?? {}).sort()).toEqual(["accept", "connection", "host"]);
});

test.each([
  ["ahead", -600_000, 600_000],
  ["behind", 60_000, -60_000],
])("a clock that is %s is told by the answer's Date", async (_word, theirs, skew) => {
  await using service = await ScriptedPushService.start({ headers: { date: dateOf(testNow + theirs) } });
  expect((await visit(`http://127.0.0.1:${service.port}`)).clockSkewMs).toBe(skew);
});

test("a certificate of an authority that was given is accepted, and said not to be public", async () => {
  await using service = await ScriptedPushService.startTls({ status: 405 });
  const seen = await visit(`https://localhost:${service.port}`);
  expect(seen).toMatchObject({ status: 405, isPubliclyTrusted: false, protocol: "http/1.1" });
  expect(seen.issuer).toBeTruthy();
});

test("a certificate of an unknown authority is refused, and its issuer named; nothing is asked", async () => {
  await using service = await ScriptedPushService.startTls();
  const seen = await visit(`https://localhost:${service.port}`, { ca: undefined });
  expect(seen.failure?.kind).toBe("tls");
  expect(seen.issuer).toBeTruthy();
  expect(service.requests).toEqual([]);
});

test("HTTP/2 is offered and noticed; who speaks nothing else counts as reached", async () => {
  await using service = await ScriptedHttp2Service.start();
  const seen = await visit(`https://localhost:${service.port}`);
  expect(seen).toMatchObject({ protocol: "h2", failure: undefined, status: undefined });
});

test("where both protocols are spoken, HTTP/2 is noticed and the older one asked", async () => {
  const random = seededRandom("visit");
  await using emulator = await startEmulator({ clock: { now: () => Date.now() }, random });
  const seen = await visit(emulator.httpsOrigin, { ca: emulator.tls.caPem });
  expect(seen).toMatchObject({ protocol: "h2", failure: undefined, status: 404 });
});

test("a port where nobody listens is refused", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  expect((await visit(`http://127.0.0.1:${port}`)).failure).toEqual({
    kind: "connect",
    message: `127.0.0.1:${port}: connection refused`,
  });
});

test("a service that says nothing is given up on", async () => {
  await using service = await ScriptedPushService.start({ fault: "stall-before-headers" });
  const { failure } = await visit(`http://127.0.0.1:${service.port}`, { timeoutMs: 100 });
  expect(failure?.message).toContain("no answer within 100 ms");
});

test("a name server that says nothing is given up on", async () => {
  const resolve = () => new Promise<never>(() => undefined);
  const { failure } = await visit("https://push.example", { timeoutMs: 100, resolve });
  expect(failure?.message).toContain("no answer within 100 ms");
});

test("what does not speak HTTP is no answer", async () => {
  await using service = await ScriptedPushService.start({ raw: "220 mail.example ESMTP\r\n\r\n" });
  const { failure } = await visit(`http://127.0.0.1:${service.port}`);
  expect(failure?.message).toContain("the answer is not valid HTTP");
});

test("a name that does not resolve", async () => {
  const resolve = () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
  expect((await visit("https://push.example", { resolve })).failure).toEqual({
    kind: "dns",
    message: "push.example: the name does not resolve",
  });
});

test("a name that leads into one's own network is noted and not followed", async () => {
  const resolve = () => Promise.resolve([{ address: "10.1.2.3", family: 4 }]);
  const seen = await visit("https://push.example", { resolve });
  expect(seen.addresses).toEqual([{ address: "10.1.2.3", isPublic: false }]);
  expect(seen.failure?.kind).toBe("blocked");
});

test("through a proxy the name is the proxy's to resolve", async () => {
  await using service = await ScriptedPushService.startTls({ status: 404 });
  await using proxy = await ConnectProxy.start({ to: service.port });
  const resolve = () => Promise.reject(new Error("asked"));
  const seen = await visit("https://push.test", { resolve, proxy: { url: proxy.url, environment: {} } });
  expect(seen).toMatchObject({ proxy: new URL(proxy.url).host, addresses: undefined, status: 404 });
  expect(proxy.targets).toContain("push.test:443");
});

test("a proxy that refuses the tunnel is told as such", async () => {
  await using proxy = await ConnectProxy.start({ to: 1, answer: 407 });
  const { failure } = await visit("https://push.example", { proxy: { url: proxy.url, environment: {} } });
  expect(failure).toMatchObject({
    kind: "connect",
    message: expect.stringContaining("answered 407") as string,
  });
});
