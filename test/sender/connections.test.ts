/** How many requests are on the wire, over how many connections, and when a connection is too old. */
import { afterEach, expect, test, vi } from "vitest";
import { ScriptedHttp2Service, types, type Http2Peer } from "../support/scripted-http2-service.ts";
import { ScriptedPushService } from "../support/scripted-push-service.ts";
import { forever, openTestTransport, requestTo } from "../support/transport-client.ts";

const maxStreams = 3;

afterEach(() => {
  vi.useRealTimers();
});

/** A function whose promise resolves when it was called so often; `met` is the same promise. */
function meetingOf(count: number) {
  let open: () => void = () => undefined;
  const met = new Promise<void>((resolve) => {
    open = resolve;
  });
  let missing = count;
  const arrive = () => {
    missing -= 1;
    if (missing <= 0) open();
    return met;
  };
  return Object.assign(arrive, { met });
}

test("one stream at a time: four connections, and what does not fit waits", async () => {
  const allFour = meetingOf(4);
  const open: number[] = [];
  const script = async (peer: Http2Peer) => {
    peer.settings({ [maxStreams]: 1 });
    for await (const { streamId } of peer.arrivals()) {
      await allFour();
      open.push(peer.openCount);
      peer.answer(streamId);
    }
  };
  await using service = await ScriptedHttp2Service.start(script, script, script, script);
  using transport = openTestTransport();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, at) =>
      transport.exchange(requestTo(service.endpoint(`/push/${at}`)), forever),
    ),
  );
  expect(answers).toMatchObject(Array(12).fill({ status: 201 }));
  expect(open).toEqual(Array(12).fill(1));
  expect(transport.capacityOf(service.endpoint())).toBe(4);
});

test("a limit that is lowered in mid-flight holds for what comes next", async () => {
  const open: number[] = [];
  const script = async (peer: Http2Peer) => {
    peer.settings({ [maxStreams]: 100 });
    const first = await peer.requests(6);
    peer.settings({ [maxStreams]: 2 });
    await peer.caughtUp();
    loweredTo2();
    for (const { streamId } of first) peer.answer(streamId);
    for await (const { streamId } of peer.arrivals()) {
      await peer.caughtUp();
      open.push(peer.openCount);
      peer.answer(streamId);
    }
  };
  const fewMore = async (peer: Http2Peer) => {
    peer.settings({ [maxStreams]: 2 });
    for await (const { streamId } of peer.arrivals()) {
      await peer.caughtUp();
      open.push(peer.openCount);
      peer.answer(streamId);
    }
  };
  let loweredTo2: () => void = () => undefined;
  const lowered = new Promise<void>((resolve) => {
    loweredTo2 = resolve;
  });
  await using service = await ScriptedHttp2Service.start(script, fewMore);
  using transport = openTestTransport();
  const send = (path: string) => transport.exchange(requestTo(service.endpoint(path)), forever);
  const first = ["/1", "/2", "/3", "/4", "/5", "/6"].map(send);
  await lowered;
  const then = ["/7", "/8", "/9"].map(send);
  expect(await Promise.all([...first, ...then])).toMatchObject(Array(9).fill({ status: 201 }));
  expect(Math.max(...open)).toBeLessThanOrEqual(2);
});

test("a limit that is raised lets those go that wait", async () => {
  const allFour = meetingOf(4);
  const script = async (peer: Http2Peer) => {
    peer.settings({ [maxStreams]: 1 });
    const { streamId } = await peer.request();
    await allFour();
    if (peer === service.peers[0]) {
      peer.settings({ [maxStreams]: 2 });
      peer.answer((await peer.request()).streamId, 202);
    }
    peer.answer(streamId);
  };
  await using service = await ScriptedHttp2Service.start(script, script, script, script);
  using transport = openTestTransport();
  const send = (_: unknown, at: number) =>
    transport.exchange(requestTo(service.endpoint(`/push/${at}`)), forever);
  const answers = await Promise.all(Array.from({ length: 5 }, send));
  expect(answers.map((answer) => "status" in answer && answer.status)).toEqual([201, 201, 201, 201, 202]);
});

test("a service that allows no stream is given up, unsent, after four connections", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const allFour = meetingOf(4);
  const script = async (peer: Http2Peer) => {
    peer.settings({ [maxStreams]: 0 });
    await peer.caughtUp();
    void allFour();
  };
  await using service = await ScriptedHttp2Service.start(script, script, script, script);
  using transport = openTestTransport({ timeoutMs: 5000 });
  const answer = transport.exchange(requestTo(service.endpoint()), forever);
  await allFour.met;
  vi.advanceTimersByTime(10_000); // the time to connect, and the time of the one before in the queue
  expect(await answer).toEqual({
    kind: "connect",
    message: `127.0.0.1:${service.port}: no room for the request`,
  });
});

test("after a long silence a connection is tried before it is used", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    peer.answer((await peer.request()).streamId);
    const ping = await peer.frame(types.ping);
    expect(peer.requestCount).toBe(1);
    peer.send(types.ping, 1, 0, ping.payload);
    peer.answer((await peer.request()).streamId, 202);
  });
  using transport = openTestTransport();
  const send = () => transport.exchange(requestTo(service.endpoint()), forever);
  expect(await send()).toMatchObject({ status: 201 });
  vi.advanceTimersByTime(16_000);
  expect(await send()).toMatchObject({ status: 202 });
});

test("a connection that does not answer when it is tried is given up, and the request is not lost", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  await using service = await ScriptedHttp2Service.start(
    async (peer) => {
      peer.settings();
      peer.answer((await peer.request()).streamId);
      await peer.frame(types.ping);
      vi.advanceTimersByTime(5000);
      await peer.closed();
      expect(peer.requestCount).toBe(1);
    },
    async (peer) => {
      peer.settings();
      peer.answer((await peer.request()).streamId, 202);
    },
  );
  using transport = openTestTransport({ timeoutMs: 5000 });
  const send = () => transport.exchange(requestTo(service.endpoint()), forever);
  expect(await send()).toMatchObject({ status: 201 });
  vi.advanceTimersByTime(16_000);
  expect(await send()).toMatchObject({ status: 202 });
});

test("a connection that nobody uses is closed after a while, with a goodbye", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    peer.answer((await peer.request()).streamId);
    expect((await peer.frame(types.goaway)).payload).toEqual(Buffer.alloc(8));
    await peer.closed();
  });
  using transport = openTestTransport();
  expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({ status: 201 });
  vi.advanceTimersByTime(62_000);
  await service.peers[0]?.closed();
});

test("what waits for room can be given up, and is then not sent", async () => {
  const stop = new AbortController();
  const allFour = meetingOf(4);
  const script = async (peer: Http2Peer) => {
    peer.settings({ [maxStreams]: 0 });
    await peer.caughtUp();
    await allFour();
    stop.abort();
    peer.settings({ [maxStreams]: 1 });
    await peer.caughtUp();
    expect(peer.frames.some(({ type }) => type === types.headers)).toBe(false);
  };
  await using service = await ScriptedHttp2Service.start(script, script, script, script);
  using transport = openTestTransport();
  expect(await transport.exchange(requestTo(service.endpoint()), stop.signal)).toEqual({
    kind: "connect",
    message: `127.0.0.1:${service.port}: stopped before the request was sent`,
  });
  await service.finished();
});

test("closing the transport ends what is under way", async () => {
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings({ [maxStreams]: 1 });
    await peer.request();
    transport[Symbol.dispose]();
    await peer.closed();
  });
  const transport = openTestTransport();
  const send = () => transport.exchange(requestTo(service.endpoint()), forever);
  expect(await Promise.all([send(), send()])).toMatchObject([{ kind: "ambiguous" }, { kind: "connect" }]);
  expect(await send()).toMatchObject({ kind: "connect" });
});

test("over HTTP/1.1 there are fifty connections at most, and they are used again", async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held = Array.from({ length: 50 }, () => ({ status: 201, after: released }));
  const free = Array.from({ length: 30 }, () => ({ status: 202 }));
  await using service = await ScriptedPushService.startTls(...held, ...free);
  using transport = openTestTransport();
  const answers = Promise.all(
    Array.from({ length: 80 }, (_, at) => transport.exchange(requestTo(service.endpoint(`/${at}`)), forever)),
  );
  await service.received(50);
  release();
  const statuses = (await answers).map((answer) => "status" in answer && answer.status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(50);
  expect(statuses.filter((status) => status === 202)).toHaveLength(30);
  expect(service.connections).toBe(50);
  expect(transport.capacityOf(service.endpoint())).toBe(50);
});

test("of connections to many origins that nobody uses, some are kept", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
  await using service = await ScriptedPushService.start(...Array.from({ length: 260 }, () => ({})));
  using transport = openTestTransport();
  for (let at = 0; at < 260; at += 1)
    await transport.exchange(requestTo(service.endpoint("/p", `a${at}.localhost`)), forever);
  expect(await service.openConnections(260)).toBe(260);
  vi.advanceTimersByTime(1000);
  expect(await service.openConnections(256)).toBe(256);
});
