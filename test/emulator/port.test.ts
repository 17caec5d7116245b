/** One port for everything: TLS, HTTP/2, tunnels and WebSockets beside plain HTTP. */
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { openPort } from "../../src/emulator/port.ts";
import { createTlsIdentity } from "../../src/emulator/certificate.ts";
import { unifyHeaders } from "../../src/emulator/http2-requests.ts";
import { rfc8030Routes } from "../../src/emulator/rfc8030-routes.ts";
import { route } from "../../src/emulator/route.ts";
import { jsonReply } from "../../src/emulator/replies.ts";
import { countingRandom, createMachine } from "./machine.ts";
import { callHttp2, callSecurely, connectThrough, ended, openHttp2 } from "./secure-wire.ts";
import { call, errorOf, openTestEmulator, poll, sealed, subscribeAt, until } from "./wire.ts";

/** An open port whose one route says how a request looked to it. */
async function openEcho(onMcs?: (socket: Socket) => void) {
  const { service, clock, events } = createMachine();
  const tls = createTlsIdentity({ clock: { now: () => Date.now() }, random: countingRandom() });
  const echo = route("/echo", /^\/echo/, {
    POST: ({ origin, wire, request: { headers } }) => jsonReply(200, { origin, wire: wire.kind, headers }),
  });
  const chromium = onMcs && { accept: onMcs as () => void };
  const port = await openPort({
    service,
    clock,
    tls,
    routes: [echo, ...rfc8030Routes],
    ...(chromium && { chromium }),
  });
  return { ...port, tls, clock, events };
}

function echoed({ body }: { readonly body: Buffer }) {
  return JSON.parse(body.toString()) as { origin: string; wire: string; headers: Record<string, string> };
}

describe("TLS on the same port", () => {
  test("a message goes over https to what was subscribed over http, and back", async () => {
    await using emulator = await openTestEmulator({ tls: realTls() });
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    const secure = endpoint.replace("http:", "https:");
    const sent = await callSecurely(emulator, "POST", secure, { headers: sealed, body: "secret" });
    expect(sent.status).toBe(201);
    expect(sent.headers["location"]).toMatch(`${emulator.httpsOrigin}/message/`);
    expect((await poll(resource)).body.toString()).toBe("secret");
  });

  test("what is subscribed over https has an https endpoint", async () => {
    await using emulator = await openTestEmulator({ tls: realTls() });
    const answer = await callSecurely(emulator, "POST", `${emulator.httpsOrigin}/subscribe`);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      endpoint: expect.stringMatching(`^${emulator.httpsOrigin}/push/`) as string,
    });
  });

  test("a user agent connects over wss and gets an https endpoint", async () => {
    await using emulator = await openTestEmulator({ tls: realTls() });
    const address = emulator.httpsOrigin.replace("https", "wss");
    const socket = new WebSocket(address, { ca: emulator.tls.caPem, origin: address });
    await once(socket, "open");
    socket.send(JSON.stringify({ messageType: "hello", use_webpush: true }));
    await once(socket, "message");
    const channelID = "aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa";
    socket.send(JSON.stringify({ messageType: "register", channelID }));
    const [frame] = (await once(socket, "message")) as [Buffer];
    expect(JSON.parse(frame.toString())).toMatchObject({
      pushEndpoint: expect.stringMatching(`^${emulator.httpsOrigin}/wpush/v1/`) as string,
    });
    socket.terminate();
  });

  test.skipIf(spawnSync("openssl", ["version"]).status !== 0)(
    "a client that says it does not trust the certificate is told of",
    async () => {
      await using emulator = await openTestEmulator({ tls: realTls() });
      const client = ["s_client", "-connect", `127.0.0.1:${emulator.port}`, "-verify_return_error"];
      execFile("openssl", client).on("error", () => undefined);
      await until(() => emulator.events.length > 0);
      expect(emulator.events).toMatchObject([{ type: "refused", code: "certificate-untrusted" }]);
    },
  );

  test("a page of another site is refused over https as well", async () => {
    await using emulator = await openTestEmulator({ tls: realTls() });
    const url = `${emulator.httpsOrigin}/subscribe`;
    const refused = await callSecurely(emulator, "POST", url, { headers: { origin: emulator.origin } });
    expect(errorOf(refused)).toMatchObject({ error: "cross-site" });
    const own = await callSecurely(emulator, "POST", url, { headers: { origin: emulator.httpsOrigin } });
    expect(own.status).toBe(201);
  });

  test("inside TLS a first byte 41 goes to the MCS door with everything that follows", async () => {
    const got: string[] = [];
    await using port = await openEcho((socket) => {
      socket.on("data", (chunk: Buffer) => got.push(chunk.toString("latin1")));
      socket.on("end", () => socket.end("bye"));
    });
    const socket = connectTls({ port: port.port, host: "127.0.0.1", ca: port.tls.caPem });
    await once(socket, "secureConnect");
    socket.end(")login");
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect([got.join(""), answer.toString()]).toEqual([")login", "bye"]);
  });

  test("without an MCS door such a connection is hung up on, and never taken for HTTP", async () => {
    await using port = await openEcho();
    const socket = connectTls({ port: port.port, host: "127.0.0.1", ca: port.tls.caPem });
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    socket.write(")login");
    await ended(socket);
    expect(port.events).toEqual([]);
  });
});

describe("HTTP/2", () => {
  test("a message is sent over HTTP/2, and many share a connection", async () => {
    await using emulator = await openTestEmulator({ tls: realTls() });
    const { endpoint, resource } = await subscribeAt(emulator.origin);
    const session = await openHttp2(emulator);
    const request = { ":method": "POST", ":path": new URL(endpoint).pathname, ...sealed };
    const answers = await Promise.all(
      ["one", "two", "three"].map((body) => callHttp2(session, request, body)),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(answers[0]?.headers["location"]).toMatch(`${emulator.httpsOrigin}/message/`);
    expect(answers[0]?.headers["connection"]).toBeUndefined();
    expect((await poll(resource)).body.toString()).toBe("one");
    session.close();
  });

  test("an exchange of HTTP/2 says so, and has a host", async () => {
    await using port = await openEcho();
    const session = await openHttp2(port);
    const request = { ":method": "POST", ":path": "/echo", urgency: ["low", "high"] };
    expect(echoed(await callHttp2(session, request))).toMatchObject({
      origin: port.httpsOrigin,
      wire: "http2",
      headers: { host: `127.0.0.1:${port.port}`, urgency: "low, high" },
    });
    session.close();
  });

  test("a header that Node would drop when it is repeated is joined, as in HTTP/1.1", () => {
    const headers = { ":authority": "a", authorization: "vapid a" };
    const rawHeaders = [":authority", "a", "authorization", "vapid a", "authorization", "vapid b"];
    unifyHeaders({ headers, rawHeaders });
    expect(headers).toEqual({ ":authority": "a", host: "a", authorization: "vapid a, vapid b" });
  });

  test("another authority is refused, and a Host beside it that differs", async () => {
    await using port = await openEcho();
    const session = await openHttp2(port);
    const ask = (headers: Record<string, string>) =>
      callHttp2(session, { ":method": "POST", ":path": "/echo", ...headers });
    expect(await ask({ ":authority": "evil.example" })).toMatchObject({ status: 421 });
    const own = `127.0.0.1:${port.port}`;
    expect(await ask({ ":authority": own, host: "evil.example" })).toMatchObject({ status: 421 });
    expect(await ask({ ":authority": own, host: own })).toMatchObject({ status: 200 });
    session.close();
  });

  test("a body that is too large costs its stream, not the connection", async () => {
    await using emulator = await openTestEmulator({ tls: realTls() });
    const { endpoint } = await subscribeAt(emulator.origin);
    const session = await openHttp2(emulator);
    const request = { ":method": "POST", ":path": new URL(endpoint).pathname, ...sealed };
    const stream = session.request(request);
    stream.on("error", () => undefined);
    stream.write(Buffer.alloc(2_000_000));
    const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(answer[":status"]).toBe(413);
    await once(stream.resume(), "end");
    expect(await callHttp2(session, request, "small")).toMatchObject({ status: 201 });
    session.close();
  });

  test("a request that never ends and a connection that never asks are both ended", async () => {
    await using emulator = await openTestEmulator({ tls: realTls(), requestTimeoutMs: 100 });
    const session = await openHttp2(emulator);
    const closed = once(session, "close");
    const stream = session.request({ ":method": "POST", ":path": "/subscribe" }, { endStream: false });
    stream.on("error", () => undefined);
    stream.write("x");
    await once(stream, "close");
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    await closed;
  });

  test("a poll may wait longer than a request may take", async () => {
    await using emulator = await openTestEmulator({ tls: realTls(), requestTimeoutMs: 50 });
    const { resource } = await subscribeAt(emulator.origin);
    const session = await openHttp2(emulator);
    const path = new URL(resource).pathname;
    const answer = await callHttp2(session, { ":method": "GET", ":path": path, prefer: "wait=1" });
    expect(answer.status).toBe(204);
    session.close();
  });
});

test("a client that offers h2c in the clear goes on with HTTP/1.1, its body and the next request included", async () => {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin);
  const offer = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQ" };
  const headers = { ...sealed, ...offer };
  expect(await call("POST", endpoint, { headers, body: "x" })).toMatchObject({ status: 201 });
  expect(await call("POST", endpoint, { headers, body: "y" })).toMatchObject({ status: 201 });
});

describe("tunnels", () => {
  test.each([
    ["fcm.googleapis.com:443", "plain", "https://fcm.googleapis.com"],
    ["jmt17.google.com:443", "plain", "https://jmt17.google.com"],
    ["updates.push.services.mozilla.com:443", "plain", "https://updates.push.services.mozilla.com"],
    ["fcm.googleapis.com:443", "tls", "https://fcm.googleapis.com"],
  ] as const)("CONNECT %s over a %s connection leads to us, in its name", async (authority, how, origin) => {
    await using port = await openEcho();
    const { socket, status } = await connectThrough(port, authority, how);
    expect(status).toBe(200);
    const answer = await callSecurely(port, "POST", `${origin}/echo/1`, { socket });
    expect(echoed(answer)).toMatchObject({ origin, wire: "http1" });
    socket.destroy();
  });

  test("a tunnel to our own port carries plain HTTP and TLS", async () => {
    await using port = await openEcho();
    for (const host of [`localhost:${port.port}`, `127.0.0.1:${port.port}`]) {
      const tunnel = await connectThrough(port, host);
      const answer = await callSecurely(port, "POST", `https://${host}/echo`, { socket: tunnel.socket });
      expect(echoed(answer).origin).toBe(`https://${host}`);
      const plain = await connectThrough(port, host);
      plain.socket.write(`POST /echo HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      const [chunk] = (await once(plain.socket, "data")) as [Buffer];
      expect(chunk.toString()).toContain("HTTP/1.1 200");
      for (const { socket } of [tunnel, plain]) socket.destroy();
    }
  });

  test.each([
    "example.com:443",
    "www.googleapis.com:443",
    "fcm.googleapis.com.evil.example:443",
    "fcm.googleapis.com:22",
    "localhost:22",
    "10.0.0.1:443",
    "fcm.googleapis.com",
    "user@fcm.googleapis.com:443",
    "/",
  ])("CONNECT %s is refused in words", async (authority) => {
    await using port = await openEcho();
    const { status, answer, socket } = await connectThrough(port, authority);
    expect(status).toBe(403);
    expect(answer).toContain('"error":"tunnel-not-allowed"');
    await ended(socket);
    expect(port.events).toMatchObject([{ type: "refused", code: "tunnel-not-allowed" }]);
  });

  test("there is no tunnel inside a tunnel", async () => {
    await using port = await openEcho();
    const { socket } = await connectThrough(port, `localhost:${port.port}`);
    socket.write("CONNECT fcm.googleapis.com:443 HTTP/1.1\r\nhost: fcm.googleapis.com\r\n\r\n");
    const [chunk] = (await once(socket, "data")) as [Buffer];
    expect(chunk.toString()).toContain("HTTP/1.1 403");
    await ended(socket);
  });
});

describe("whose origin a request is for", () => {
  test("a push host in the Host header is that push host, however the request came", async () => {
    await using port = await openEcho();
    const ask = async (host: string) => call("POST", `${port.origin}/echo`, { headers: { host } });
    expect(echoed(await ask("fcm.googleapis.com")).origin).toBe("https://fcm.googleapis.com");
    expect(echoed(await ask("fcm.googleapis.com:443")).origin).toBe("https://fcm.googleapis.com");
    const own = `jmt17.google.com:${port.port}`;
    expect(echoed(await ask(own)).origin).toBe(`https://${own}`);
    expect(await ask("fcm.googleapis.com:80")).toMatchObject({ status: 421 });
    expect(await ask("google.com")).toMatchObject({ status: 421 });
  });
});

describe("bounds", () => {
  test("whoever connects and says nothing is hung up on, in the clear, inside TLS and halfway into it", async () => {
    await using emulator = await openTestEmulator({ tls: realTls(), requestTimeoutMs: 50 });
    const { port } = emulator;
    const silent = connect(port, "127.0.0.1");
    const halfway = connect(port, "127.0.0.1", () =>
      halfway.write(Buffer.from("16030100c8010000c40303", "hex")),
    );
    const secure = connectTls({ port, host: "127.0.0.1", ca: emulator.tls.caPem });
    const tunnel = await connectThrough(emulator, "fcm.googleapis.com:443");
    for (const socket of [silent, halfway, secure]) socket.on("error", () => undefined);
    await Promise.all([silent, halfway, secure, tunnel.socket].map((socket) => ended(socket)));
  });

  test("connections beyond the bound are dropped, and room is made when others go", async () => {
    await using emulator = await openTestEmulator({ maxConnections: 2 });
    const first = connect(emulator.port, "127.0.0.1");
    const second = connect(emulator.port, "127.0.0.1");
    await Promise.all([once(first, "connect"), once(second, "connect")]);
    await ended(connect(emulator.port, "127.0.0.1").on("error", () => undefined));
    first.destroy();
    await expect
      .poll(async () => (await call("POST", `${emulator.origin}/subscribe`).catch(() => undefined))?.status)
      .toBe(201);
    second.destroy();
  });

  test("closing ends connections of every kind", async () => {
    const emulator = await openTestEmulator({ tls: realTls() });
    const session = await openHttp2(emulator);
    const { socket } = await connectThrough(emulator, "fcm.googleapis.com:443");
    const secure = connectTls({ port: emulator.port, host: "127.0.0.1", ca: emulator.tls.caPem });
    secure.on("error", () => undefined);
    await once(secure, "secureConnect");
    const over = Promise.all([once(session, "close"), ended(socket), ended(secure)]);
    await emulator.close();
    await over;
  });
});

/** Node judges a certificate by the machine's clock, which the test emulator's is not. */
function realTls() {
  return createTlsIdentity({ clock: { now: () => Date.now() }, random: countingRandom() });
}
