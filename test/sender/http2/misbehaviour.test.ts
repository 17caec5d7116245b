/**
 * Ways a service can go wrong over HTTP/2. Whatever it does, an exchange ends once, with what it
 * means for the message, and no connection is left (the scripted service waits for that).
 */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { classifyResponse } from "../../../src/protocol/delivery.ts";
import {
  blockOf,
  codes,
  frameOf,
  ScriptedHttp2Service,
  types,
  type Http2Peer,
} from "../../support/scripted-http2-service.ts";
import { exchangeOnce, forever, openTestTransport, requestTo } from "../../support/transport-client.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A service that greets and then does this with each of `count` requests. */
function answering(act: (peer: Http2Peer, streamId: number) => void, count = 1) {
  return ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    for (let left = count; left > 0; left -= 1) act(peer, (await peer.request()).streamId);
  });
}

describe("an answer that breaks off", () => {
  test.each([
    ["cancelled", codes.cancel],
    ["failed", codes.internal],
    ["called a protocol error", codes.protocol],
    ["too much", codes.calm],
  ])("a request that was %s may have been processed", async (_, code) => {
    await using service = await answering((peer, id) => {
      peer.reset(id, code);
    });
    expect(await exchangeOnce(service.endpoint())).toEqual({
      kind: "ambiguous",
      message: `127.0.0.1:${service.port}: the request was cut off before an answer came`,
    });
  });

  test("a reset that says the stream was refused says that nothing was processed", async () => {
    await using service = await answering((peer, id) => {
      peer.reset(id, codes.refused);
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({ kind: "refused-stream" });
  });

  test("a reset after the headers costs words, not the status", async () => {
    await using service = await answering((peer, id) => {
      peer.begin(id, 410);
      peer.send(types.data, 0, id, Buffer.from("push subscription"));
      peer.reset(id, codes.refused);
    });
    expect(await exchangeOnce(service.endpoint())).toEqual({
      status: 410,
      headers: {},
      body: "push subscription",
    });
  });

  test("a connection that is cut before the answer leaves it open what happened", async () => {
    await using service = await answering((peer) => {
      peer.destroy();
    });
    expect(await exchangeOnce(service.endpoint())).toEqual({
      kind: "ambiguous",
      message: `127.0.0.1:${service.port}: the connection broke before an answer came`,
    });
  });

  test("a connection that is cut after the headers costs words, not the status", async () => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings();
      const { streamId } = await peer.request();
      peer.begin(streamId, 201, { location: "/m/1" });
      peer.send(types.ping, 0, 0, Buffer.alloc(8));
      await peer.acknowledged(types.ping); // the headers have arrived
      peer.destroy();
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({
      status: 201,
      headers: { location: "/m/1" },
    });
  });
});

describe("an answer that does not come", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });

  test("leaves it open what happened; the stream is cancelled and the connection is not", async () => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings();
      const { streamId } = await peer.request();
      vi.advanceTimersByTime(1000);
      await peer.caughtUp();
      vi.advanceTimersByTime(4000);
      expect(await peer.frame(types.reset)).toMatchObject({ streamId });
      peer.answer((await peer.request()).streamId);
    });
    using transport = openTestTransport({ timeoutMs: 5000 });
    expect(await transport.exchange(requestTo(service.endpoint()), forever)).toEqual({
      kind: "ambiguous",
      message: `127.0.0.1:${service.port}: no answer within 5000 ms`,
    });
    expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({ status: 201 });
  });

  test("on a connection where all is silent makes the next request go over another", async () => {
    await using service = await ScriptedHttp2Service.start(
      async (peer) => {
        peer.settings();
        peer.answer((await peer.request()).streamId, 202);
        await peer.request();
        vi.advanceTimersByTime(5000);
        await peer.closed();
        expect(peer.requestCount).toBe(2);
      },
      async (peer) => {
        peer.settings();
        peer.answer((await peer.request()).streamId);
      },
    );
    using transport = openTestTransport({ timeoutMs: 5000 });
    const send = () => transport.exchange(requestTo(service.endpoint()), forever);
    expect(await send()).toMatchObject({ status: 202 });
    vi.advanceTimersByTime(10);
    expect([await send(), await send()]).toMatchObject([{ kind: "ambiguous" }, { status: 201 }]);
  });

  test("headers that do not end in time tell nothing", async () => {
    await using service = await answering((peer, id) => {
      peer.send(types.headers, 0, id, blockOf(410).subarray(0, 4));
      vi.advanceTimersByTime(5000);
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({ kind: "ambiguous" });
  });

  test("a body that stalls costs words, not the status", async () => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings();
      const { streamId } = await peer.request();
      peer.begin(streamId, 410);
      peer.send(types.data, 0, streamId, Buffer.from("gone"));
      await peer.caughtUp();
      vi.advanceTimersByTime(5000);
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({ status: 410, body: "gone" });
  });

  test("a window that is never opened keeps the request from being sent", async () => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings({ 4: 0 });
      await peer.frame(types.headers);
      vi.advanceTimersByTime(5000);
      await peer.closed();
      expect(peer.frames.some(({ type }) => type === types.data)).toBe(false);
    });
    expect(await exchangeOnce(service.endpoint())).toEqual({
      kind: "connect",
      message: `127.0.0.1:${service.port}: the request was not taken within 5000 ms`,
    });
  });

  test("a window that is opened late lets the body through", async () => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings({ 4: 0 });
      await peer.frame(types.headers);
      peer.settings({ 4: 6 });
      const { streamId, body } = await peer.request();
      expect(body.toString()).toBe("sealed");
      peer.answer(streamId);
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({ status: 201 });
  });

  test("giving up while waiting cancels the stream", async () => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings();
      await peer.request();
      stop.abort();
      expect((await peer.frame(types.reset)).payload.readUInt32BE()).toBe(codes.cancel);
    });
    const stop = new AbortController();
    using transport = openTestTransport();
    expect(await transport.exchange(requestTo(service.endpoint()), stop.signal)).toEqual({
      kind: "ambiguous",
      message: `127.0.0.1:${service.port}: stopped while waiting for an answer`,
    });
    await service.peers[0]?.frame(types.reset);
  });
});

describe("an answer with too much in it", () => {
  test("a huge body is read up to 8 kB, then the stream is cancelled", async () => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings();
      const { streamId } = await peer.request();
      peer.begin(streamId, 400);
      for (let frames = 0; frames < 15; frames += 1)
        peer.send(types.data, 0, streamId, Buffer.alloc(1000, "x"));
      expect((await peer.frame(types.reset)).payload.readUInt32BE()).toBe(codes.cancel);
      peer.answer((await peer.request()).streamId);
    });
    using transport = openTestTransport();
    const answer = await transport.exchange(requestTo(service.endpoint()), forever);
    expect(answer).toMatchObject({ status: 400, body: "x".repeat(8192) });
    expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({ status: 201 });
  });

  test("many large bodies do not use up the connection's window", async () => {
    const body = "x".repeat(8000);
    await using service = await answering((peer, id) => {
      peer.answer(id, 400, {}, body);
    }, 30);
    using transport = openTestTransport();
    for (let count = 0; count < 30; count += 1)
      expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({ body });
    const opened = service.peers[0]?.frames.filter(({ type }) => type === types.window) ?? [];
    // 65 535 bytes were there to begin with; what was sent beyond them has been allowed.
    expect(opened.reduce((sum, { payload }) => sum + payload.readUInt32BE(), 65_535)).toBeGreaterThan(
      240_000,
    );
  });

  test.each([
    ["longer than 16 kB", { "x-long": "x".repeat(17_000) }],
    ["more than a hundred", Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`x-${at}`, ""]))],
  ])("headers that are %s are not read, and the connection is kept", async (_, headers) => {
    const block = blockOf(201, headers);
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings();
      const [first, second] = await peer.requests(2);
      const id = first?.streamId ?? 0;
      peer.send(types.headers, 0, id, block.subarray(0, 16_000));
      peer.send(types.continuation, 4, id, block.subarray(16_000));
      peer.answer(second?.streamId ?? 0, 410);
    });
    using transport = openTestTransport();
    const answers = await Promise.all(
      ["/a", "/b"].map((path) => transport.exchange(requestTo(service.endpoint(path)), forever)),
    );
    expect(answers).toMatchObject([{ kind: "ambiguous" }, { status: 410 }]);
  });

  test("interim answers are passed over", async () => {
    await using service = await answering((peer, id) => {
      peer.begin(id, 103, { link: "</style.css>" });
      peer.answer(id, 201);
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({ status: 201, headers: {} });
  });

  test("interim answers without end tell nothing", async () => {
    await using service = await answering((peer, id) => {
      for (let count = 0; count < 100; count += 1) peer.begin(id, 103);
      peer.answer(id, 201);
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({ kind: "ambiguous" });
  });

  test("trailers end an answer, and nobody reads them", async () => {
    await using service = await answering((peer, id) => {
      peer.begin(id, 201);
      peer.send(types.data, 0, id, Buffer.from("ok"));
      peer.send(types.headers, 5, id, blockOf(410).subarray(0, 0));
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({ status: 201, body: "ok" });
  });
});

describe("an answer that is odd", () => {
  test.each([
    ["promises more than comes", { "content-length": "500" }],
    ["promises less than comes", { "content-length": "1" }],
  ])("a Content-Length that %s is no obstacle", async (_, headers) => {
    await using service = await answering((peer, id) => {
      peer.answer(id, 400, headers, "short");
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({ status: 400, body: "short" });
  });

  test("a redirect is an answer and is not followed", async () => {
    await using elsewhere = await ScriptedHttp2Service.start();
    await using service = await answering((peer, id) => {
      peer.answer(id, 307, { location: elsewhere.endpoint() });
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({
      status: 307,
      headers: { location: elsewhere.endpoint() },
    });
  });

  test.each([
    ["in seconds", { "retry-after": "120" }],
    [
      "as a date, measured by a clock that is an hour off",
      { "retry-after": "Tue, 01 Dec 2026 12:02:00 GMT", date: "Tue, 01 Dec 2026 12:00:00 GMT" },
    ],
  ])("a 429 says when to come again %s", async (_, headers) => {
    await using service = await answering((peer, id) => {
      peer.answer(id, 429, headers);
    });
    const answer = await exchangeOnce(service.endpoint());
    if (!("status" in answer)) throw new Error(answer.message);
    const now = Date.UTC(2026, 11, 1, 13);
    expect(classifyResponse(service.endpoint(), answer, now)).toMatchObject({ retryAfterMs: 120_000 });
  });

  test.each([
    ["no status", Buffer.of(0x0f, 16, 1, 0x61)],
    ["status 99", blockOf(99)],
    ["a switch of protocols", blockOf(101)],
    ["a name in capitals", blockOf(410, { Date: "x" })],
    ["a line break in a header", blockOf(410, { x: "a\r\nb" })],
    ["a control character in a header", blockOf(410, { x: "\u001b]0;owned\u0007" })],
    ["a second status", blockOf(410, { ":status ": "201" })],
  ])("an answer with %s tells nothing", async (_, block) => {
    await using service = await answering((peer, id) => {
      peer.send(types.headers, 5, id, block);
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({
      kind: "ambiguous",
      message: `127.0.0.1:${service.port}: the answer is not valid HTTP`,
    });
  });

  test("an answer that comes before the request was sent whole is one", async () => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings({ 4: 0 });
      const { streamId } = await peer.frame(types.headers);
      peer.answer(streamId, 413);
      expect(await peer.frame(types.reset)).toMatchObject({ streamId });
    });
    using transport = openTestTransport();
    expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({ status: 413 });
    await service.peers[0]?.frame(types.reset);
  });

  test("frames that nobody knows are passed over", async () => {
    await using service = await answering((peer, id) => {
      peer.send(0x0a, 0, 0, Buffer.from("altsvc"));
      peer.send(0xf0, 0xff, id, Buffer.alloc(100));
      peer.send(0x02, 0, id, Buffer.alloc(5)); // PRIORITY
      peer.answer(id);
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({ status: 201 });
  });

  test("padding and priority are taken off", async () => {
    await using service = await answering((peer, id) => {
      const padded = Buffer.concat([Buffer.of(3, 0, 0, 0, 0, 9), blockOf(201), Buffer.alloc(3)]);
      peer.send(types.headers, 0x4 | 0x8 | 0x20, id, padded);
      peer.send(types.data, 0x1 | 0x8, id, Buffer.from("\u0002ok\0\0", "latin1"));
    });
    expect(await exchangeOnce(service.endpoint())).toEqual({ status: 201, headers: {}, body: "ok" });
  });
});

describe("a connection that breaks the protocol", () => {
  const longBlock = frameOf(types.headers, 0, 1, Buffer.alloc(16_000));
  const continued = frameOf(types.continuation, 0, 1, Buffer.alloc(16_000));

  test.each<[string, number, Uint8Array]>([
    ["a frame that is too large", codes.frameSize, frameOf(types.data, 0, 1, Buffer.alloc(16_385))],
    ["a push", codes.protocol, frameOf(types.push, 4, 1, Buffer.alloc(8))],
    ["data on a stream that nobody opened", codes.protocol, frameOf(types.data, 0, 3, Buffer.alloc(1))],
    ["data on a stream of the service's", codes.protocol, frameOf(types.data, 0, 2, Buffer.alloc(1))],
    [
      "a header block that cannot be read",
      codes.compression,
      frameOf(types.headers, 5, 1, Buffer.of(0xff, 0x7f)),
    ],
    [
      "a header block that is interrupted",
      codes.protocol,
      Buffer.concat([longBlock, frameOf(types.ping, 0, 0, Buffer.alloc(8))]),
    ],
    [
      "a header block without end",
      codes.calm,
      Buffer.concat([longBlock, ...Array<Buffer>(5).fill(continued)]),
    ],
    ["a continuation of nothing", codes.protocol, frameOf(types.continuation, 4, 1, blockOf(201))],
    ["more padding than frame", codes.protocol, frameOf(types.data, 0x8, 1, Buffer.of(9, 0))],
    [
      "more than was allowed, and be it padding",
      codes.flowControl,
      Buffer.concat([
        frameOf(types.headers, 4, 1, blockOf(400)),
        ...Array<Buffer>(65).fill(frameOf(types.data, 0x8, 1, Buffer.alloc(256, 255))),
      ]),
    ],
    ["a window that grows by nothing", codes.protocol, frameOf(types.window, 0, 0, Buffer.alloc(4))],
    [
      "a window beyond all bounds",
      codes.flowControl,
      frameOf(types.window, 0, 0, Buffer.of(0x7f, 0xff, 0xff, 0xff)),
    ],
    ["settings that are cut short", codes.frameSize, frameOf(types.settings, 0, 0, Buffer.alloc(5))],
    [
      "a setting out of its range",
      codes.flowControl,
      frameOf(types.settings, 0, 0, Buffer.of(0, 4, 0xff, 0xff, 0xff, 0xff)),
    ],
    [
      "a server that enables push",
      codes.protocol,
      frameOf(types.settings, 0, 0, Buffer.of(0, 2, 0, 0, 0, 1)),
    ],
    ["a ping of the wrong size", codes.frameSize, frameOf(types.ping, 0, 0, Buffer.alloc(7))],
    [
      "pings without end",
      codes.calm,
      Buffer.concat(Array<Buffer>(10_001).fill(frameOf(types.ping, 0, 0, Buffer.alloc(8)))),
    ],
    [
      "settings without end",
      codes.calm,
      Buffer.concat(Array<Buffer>(10_001).fill(frameOf(types.settings, 0, 0, Buffer.alloc(0)))),
    ],
    [
      "empty frames without end",
      codes.calm,
      Buffer.concat(Array<Buffer>(10_001).fill(frameOf(0xf0, 0, 0, Buffer.alloc(0)))),
    ],
  ])("%s costs the connection, with a reason", async (_, code, bytes) => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings();
      await peer.request();
      peer.raw(bytes);
      expect((await peer.frame(types.goaway)).payload.readUInt32BE(4)).toBe(code);
      await peer.closed();
    });
    const answer = await exchangeOnce(service.endpoint());
    // Where a status had come, it counts.
    if (!("status" in answer)) expect(answer.kind).toBe("ambiguous");
    else expect(answer.status).toBe(400);
  });

  test.each([
    ["text", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["HTTP/1.1", "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"],
    ["another frame", frameOf(types.ping, 0, 0, Buffer.alloc(8))],
    ["an acknowledgement", frameOf(types.settings, 1, 0, Buffer.alloc(0))],
  ])("%s in place of settings is no connection", async (_, greeting) => {
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      await peer.frame(types.settings);
      peer.raw(greeting);
      await peer.closed();
      expect(peer.requestCount).toBe(0);
    });
    expect(await exchangeOnce(service.endpoint())).toMatchObject({
      kind: "connect",
      message: expect.stringContaining("HTTP/2 went wrong") as string,
    });
  });

  test("settings that never come are no connection", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      await peer.frame(types.settings);
      vi.advanceTimersByTime(3000);
      await peer.closed();
      expect(peer.requestCount).toBe(0);
    });
    expect(await exchangeOnce(service.endpoint(), { connectTimeoutMs: 3000 })).toEqual({
      kind: "connect",
      message: `127.0.0.1:${service.port}: no connection within 3000 ms`,
    });
  });

  test("a service that closes at once is no connection", async () => {
    await using service = await ScriptedHttp2Service.start((peer) => {
      peer.destroy();
    });
    expect(await exchangeOnce(service.endpoint())).toEqual({
      kind: "connect",
      message: `127.0.0.1:${service.port}: connection closed at once`,
    });
  });

  test("a connection that is cut in the middle of TLS is none", async () => {
    const server = createServer((socket) => {
      socket.once("data", () => {
        socket.write(Buffer.of(0x16, 0x03, 0x03, 0x00, 0x7a), () => socket.destroy());
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(await exchangeOnce(`https://127.0.0.1:${port}/p`)).toMatchObject({ kind: "connect" });
    server.close();
  });

  test("a service that agrees to no protocol we speak is told apart", async () => {
    await using service = await ScriptedHttp2Service.startWith({ protocols: ["h3"] });
    expect(await exchangeOnce(service.endpoint())).toEqual({
      kind: "tls",
      message: `127.0.0.1:${service.port}: neither HTTP/2 nor HTTP/1.1 is spoken there`,
    });
  });
});
