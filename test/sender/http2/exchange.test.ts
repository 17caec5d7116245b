/** Against Node's own HTTP/2 server, so that frames and header blocks are read by somebody else (nghttp2). */
import { once } from "node:events";
import { createSecureServer, type Http2SecureServer, type Settings } from "node:http2";
import { createServer as createTlsServer } from "node:tls";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { ConnectProxy } from "../../support/connect-proxy.ts";
import { ScriptedHttp2Service, types } from "../../support/scripted-http2-service.ts";
import { ScriptedPushService } from "../../support/scripted-push-service.ts";
import { exchangeOnce, forever, openTestTransport, requestTo } from "../../support/transport-client.ts";

const tlsFile = (name: string): Buffer => readFileSync(new URL(`../../support/tls/${name}`, import.meta.url));
const identity = { key: tlsFile("key.pem"), cert: tlsFile("cert.pem") };

interface Received {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** A service that notes what arrives and echoes the path. */
class EchoService implements AsyncDisposable {
  readonly received: Received[] = [];
  sessions = 0;
  readonly #server: Http2SecureServer;

  private constructor(settings: Settings) {
    this.#server = createSecureServer({ ...identity, settings });
    this.#server.on("session", () => {
      this.sessions += 1;
    });
    this.#server.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        this.received.push({ headers, body: Buffer.concat(chunks) });
        stream.respond({ ":status": 201, location: headers[":path"], "x-byte": "\u00e9\u00ff" });
        stream.end(`${Buffer.concat(chunks).length} bytes`);
      });
    });
  }

  static async start(settings: Settings = {}): Promise<EchoService> {
    const service = new EchoService(settings);
    service.#server.listen(0, "127.0.0.1");
    await once(service.#server, "listening");
    return service;
  }

  endpoint(path = "/push/1"): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }
}

test("the request arrives as it was made", async () => {
  await using service = await EchoService.start();
  using transport = openTestTransport();
  const endpoint = service.endpoint("/w/../w/?token=BQY%2b%3d&x={1}");
  const headers = { ttl: "0", topic: "news", authorization: "vapid t=a, k=b", "content-length": "6" };
  await transport.exchange(requestTo(endpoint, headers), forever);
  expect(service.received).toHaveLength(1);
  expect(Object.fromEntries(Object.entries(service.received[0]?.headers ?? {}))).toEqual({
    ":method": "POST",
    ":scheme": "https",
    ":authority": new URL(endpoint).host,
    ":path": "/w/../w/?token=BQY%2b%3d&x={1}",
    ...headers,
  });
  expect(service.received[0]?.body.toString()).toBe("sealed");
  expect(transport.protocolOf(requestTo(endpoint).url)).toBe("h2");
});

test("status, headers and body come back, byte for byte", async () => {
  await using service = await EchoService.start();
  expect(await exchangeOnce(service.endpoint("/p"))).toMatchObject({
    status: 201,
    headers: { location: "/p", "x-byte": "\u00e9\u00ff" },
    body: "6 bytes",
  });
});

test("every character of a header comes back through the Huffman code", async () => {
  const characters = Array.from({ length: 256 }, (_, code) => code)
    .filter((code) => code === 9 || (code >= 0x20 && code !== 0x7f))
    .map((code) => String.fromCharCode(code));
  // Among letters with short codes, or nghttp2 would send it plain.
  const values = characters.map((character) => `!${character}${"a".repeat(60)}!`);
  const server = createSecureServer(identity, (request, response) => {
    response.writeHead(201, { "x-value": values[Number(request.url.slice(1))] });
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  using transport = openTestTransport();
  const answers = await Promise.all(
    values.map((_, at) => transport.exchange(requestTo(`https://127.0.0.1:${port}/${at}`), forever)),
  );
  expect(answers.map((answer) => "headers" in answer && answer.headers["x-value"])).toEqual(values);
  transport[Symbol.dispose]();
  server.close();
});

test("an empty message is a request without a body", async () => {
  await using service = await EchoService.start();
  using transport = openTestTransport();
  const answer = await transport.exchange(requestTo(service.endpoint(), { ttl: "0" }, ""), forever);
  expect(answer).toMatchObject({ status: 201, body: "0 bytes" });
});

test("requests at the same time share a connection, and each gets its own answer", async () => {
  await using service = await EchoService.start();
  using transport = openTestTransport();
  const paths = Array.from({ length: 90 }, (_, at) => `/push/${at}`);
  const answers = await Promise.all(
    paths.map((path) => transport.exchange(requestTo(service.endpoint(path)), forever)),
  );
  expect(answers.map((answer) => "headers" in answer && answer.headers["location"])).toEqual(paths);
  expect(service.sessions).toBe(1);
});

test.each([
  ["no table for headers", { headerTableSize: 0 }],
  ["a table that holds one header at most", { headerTableSize: 70 }],
  ["windows smaller than a message", { initialWindowSize: 100 }],
  ["few streams", { maxConcurrentStreams: 3 }],
])("a service that has %s gets every message whole", async (_, settings) => {
  await using service = await EchoService.start(settings);
  using transport = openTestTransport();
  const sent = Array.from({ length: 40 }, (_, at) => ({
    headers: {
      ttl: String(at % 7),
      authorization: `vapid t=${"x".repeat(at * 3)}, k=b`,
      topic: `t${at % 3}`,
    },
    body: Buffer.alloc(at * 100, at),
  }));
  const answers = await Promise.all(
    sent.map(({ headers, body }, at) =>
      transport.exchange(requestTo(service.endpoint(`/${at}`), headers, body), forever),
    ),
  );
  expect(answers.map((answer) => "body" in answer && answer.body)).toEqual(
    sent.map(({ body }) => `${body.length} bytes`),
  );
  for (const { headers, body } of service.received)
    expect({ headers, body }).toMatchObject(sent[Number(String(headers[":path"]).slice(1))] ?? {});
});

test("what is the same in each request is written out once", async () => {
  const blocks: number[] = [];
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    for (const { streamId, block } of await peer.requests(2)) {
      blocks.push(block.length);
      peer.answer(streamId);
    }
  });
  using transport = openTestTransport();
  const headers = {
    ttl: "60",
    authorization: `vapid t=${"e".repeat(300)}, k=b`,
    "content-encoding": "aes128gcm",
  };
  await Promise.all(
    ["/a", "/b"].map((path) => transport.exchange(requestTo(service.endpoint(path), headers), forever)),
  );
  expect(blocks[0]).toBeGreaterThan(300);
  expect(blocks[1]).toBeLessThan(20);
});

test("HTTP/2 is spoken inside a tunnel too", async () => {
  await using service = await EchoService.start();
  await using proxy = await ConnectProxy.start({ to: Number(new URL(service.endpoint()).port) });
  const proxied = { proxy: { url: proxy.url, environment: {} } };
  expect(await exchangeOnce("https://push.test/p", proxied)).toMatchObject({ status: 201 });
  expect(service.received[0]?.headers[":authority"]).toBe("push.test");
});

test("a service that agrees to HTTP/1.1 gets it on the same connection", async () => {
  await using service = await ScriptedPushService.startTls({ status: 201 });
  using transport = openTestTransport();
  expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({ status: 201 });
  expect(transport.protocolOf(service.endpoint())).toBe("http/1.1");
  expect(service.connections).toBe(1);
});

test("a service that knows nothing of ALPN gets HTTP/1.1", async () => {
  const server = createTlsServer(identity, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await exchangeOnce(`https://127.0.0.1:${port}/p`)).toMatchObject({ status: 201 });
  server.close();
});

test("a service that is known not to speak HTTP/2 is not offered it", async () => {
  const offered: string[][] = [];
  const server = createTlsServer({
    ...identity,
    ALPNCallback: ({ protocols }) => {
      offered.push(protocols);
      return "http/1.1";
    },
  }).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => undefined);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const options = {
    resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
    allow: { private: false, hosts: ["db5.notify.windows.com", "fcm.googleapis.com"] },
  };
  // The certificate is for neither, so nothing is sent; what was offered has been seen by then.
  for (const host of ["db5.notify.windows.com", "fcm.googleapis.com"])
    expect(await exchangeOnce(`https://${host}:${port}/w/`, options)).toMatchObject({ kind: "tls" });
  expect(offered).toEqual([["http/1.1"], ["h2", "http/1.1"]]);
  server.close();
});

test("nothing is sent before the service's settings have come", async () => {
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    await peer.frame(types.settings);
    expect(peer.frames.map(({ type }) => type)).toEqual([types.settings]);
    peer.settings();
    peer.answer((await peer.request()).streamId);
  });
  expect(await exchangeOnce(service.endpoint())).toMatchObject({ status: 201 });
});

test("a table that is made smaller and larger in one frame is announced with its smallest size", async () => {
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    const headerTableSize = (bytes: number) => [0, 1, 0, 0, bytes >> 8, bytes & 0xff];
    const sizes = Buffer.from([...headerTableSize(0), ...headerTableSize(4096)]);
    peer.send(types.settings, 0, 0, sizes);
    const { streamId, block } = await peer.request();
    expect(block[0]).toBe(0x20);
    peer.answer(streamId);
  });
  expect(await exchangeOnce(service.endpoint())).toMatchObject({ status: 201 });
});
