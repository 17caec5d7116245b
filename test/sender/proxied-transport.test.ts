import { expect, test } from "vitest";
import type { PushResponse, TransportFailure } from "../../src/protocol/delivery.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { openTransport, type TransportOptions } from "../../src/sender/transport.ts";
import { ConnectProxy } from "../support/connect-proxy.ts";
import { ScriptedPushService, testCertificate } from "../support/scripted-push-service.ts";

const neverResolve = (): Promise<never> => Promise.reject(new Error("names are the proxy's business"));

async function exchange(
  url: string,
  proxy: string | undefined,
  options: Partial<TransportOptions> = {},
): Promise<PushResponse | TransportFailure> {
  using transport = openTransport({
    timeoutMs: 5000,
    proxy: { url: proxy, environment: {} },
    ca: testCertificate,
    allow: { private: false, hosts: [] },
    resolve: neverResolve,
    ...options,
  });
  const request = {
    method: "POST",
    url: parseEndpoint(url),
    headers: { ttl: "60" },
    body: Buffer.from("x"),
  } as const;
  return await transport.exchange(request, new AbortController().signal);
}

test("requests are tunnelled through the proxy, which alone resolves the name", async () => {
  await using service = await ScriptedPushService.startTls({ status: 201, headers: { ttl: "60" } });
  await using proxy = await ConnectProxy.start({ to: service.port });
  expect(await exchange("https://push.test/p", proxy.url)).toMatchObject({
    status: 201,
    headers: { ttl: "60" },
  });
  expect(proxy.targets).toEqual(["push.test:443"]);
  expect(service.requests[0]?.headers).toMatchObject({ host: "push.test", "content-length": "1" });
});

test("the proxy comes out of the environment too", async () => {
  await using service = await ScriptedPushService.startTls({});
  await using proxy = await ConnectProxy.start({ to: service.port });
  const settings = { url: undefined, environment: { HTTPS_PROXY: proxy.url } };
  expect(await exchange("https://push.test/p", undefined, { proxy: settings })).toMatchObject({
    status: 201,
  });
  expect(proxy.targets).toEqual(["push.test:443"]);
});

test("a tunnel is kept for the next request", async () => {
  await using service = await ScriptedPushService.startTls({}, {});
  await using proxy = await ConnectProxy.start({ to: service.port });
  using transport = openTransport({
    timeoutMs: 5000,
    proxy: { url: proxy.url, environment: {} },
    ca: testCertificate,
    allow: { private: false, hosts: [] },
  });
  const request = {
    method: "POST",
    url: parseEndpoint("https://push.test/p"),
    headers: {},
    body: Buffer.of(),
  } as const;
  await transport.exchange(request, new AbortController().signal);
  await transport.exchange(request, new AbortController().signal);
  expect(proxy.targets).toHaveLength(1);
});

test("NO_PROXY goes around the proxy, and the address is checked again", async () => {
  await using service = await ScriptedPushService.startTls({});
  await using proxy = await ConnectProxy.start({ to: service.port });
  const answer = await exchange(service.endpoint("/p", "push.test"), undefined, {
    proxy: { url: undefined, environment: { HTTPS_PROXY: proxy.url, NO_PROXY: "push.test" } },
    allow: { private: false, hosts: ["push.test"] },
    resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
  });
  expect(answer).toMatchObject({ status: 201 });
  expect(proxy.targets).toEqual([]);
});

test("this machine is asked directly", async () => {
  await using service = await ScriptedPushService.start({});
  await using proxy = await ConnectProxy.start({ to: service.port });
  expect(await exchange(service.endpoint(), proxy.url)).toMatchObject({ status: 201 });
  expect(proxy.targets).toEqual([]);
});

test.each([
  ["https://10.0.0.1/p", "10.0.0.1 is not a public address"],
  ["https://push.test:8443/p", "port 8443 of push.test is not 443"],
])("the rules about hosts hold through a proxy: %s", async (endpoint, message) => {
  await using proxy = await ConnectProxy.start({ to: 9 });
  expect(await exchange(endpoint, proxy.url)).toEqual({ kind: "blocked", message });
  expect(proxy.targets).toEqual([]);
});

test("a password goes to the proxy and into no message", async () => {
  await using proxy = await ConnectProxy.start({ to: 9, answer: 407 });
  const answer = await exchange("https://push.test/p", proxy.url.replace("://", "://ann:hunter2@"));
  expect(proxy.credentials).toEqual([`Basic ${Buffer.from("ann:hunter2").toString("base64")}`]);
  expect(answer).toEqual({
    kind: "connect",
    message: `push.test: proxy ${new URL(proxy.url).host} answered 407`,
  });
});

test.each([403, 404, 410, 502])("a proxy's own %i is not the service's answer", async (status) => {
  await using proxy = await ConnectProxy.start({ to: 9, answer: status });
  expect(await exchange("https://push.test/p", proxy.url)).toMatchObject({ kind: "connect" });
});

test("a proxy that hangs up leaves the request unsent", async () => {
  await using proxy = await ConnectProxy.start({ to: 9, answer: "close" });
  expect(await exchange("https://push.test/p", proxy.url)).toMatchObject({
    kind: "connect",
    message: expect.stringMatching(/^push\.test through proxy 127\.0\.0\.1:\d+: /) as string,
  });
});

test("a proxy that is not there leaves the request unsent, and the endpoint unsuspected", async () => {
  const proxy = await ConnectProxy.start({ to: 9 });
  const { url } = proxy;
  await proxy[Symbol.asyncDispose]();
  expect(await exchange("https://push.test/p", url)).toEqual({
    kind: "connect",
    message: `push.test through proxy ${new URL(url).host}: connection refused`,
  });
});

test("the certificate is the service's, also through a proxy", async () => {
  await using service = await ScriptedPushService.startTls();
  await using proxy = await ConnectProxy.start({ to: service.port });
  expect(await exchange("https://push.test/p", proxy.url, { ca: undefined })).toEqual({
    kind: "tls",
    message: "push.test: the certificate is self-signed",
  });
  expect(await exchange("https://bank.example/p", proxy.url)).toEqual({
    kind: "tls",
    message: "bank.example: the certificate is for another name",
  });
});

test("a reset behind the tunnel is ambiguous", async () => {
  await using service = await ScriptedPushService.startTls({ fault: "reset-before-headers" });
  await using proxy = await ConnectProxy.start({ to: service.port });
  expect(await exchange("https://push.test/p", proxy.url)).toMatchObject({ kind: "ambiguous" });
});
