/** What becomes of requests when a connection is closed in an orderly way (RFC 9113 §6.8). */
import { expect, test } from "vitest";
import {
  codes,
  frameOf,
  ScriptedHttp2Service,
  types,
  type Http2Peer,
} from "../../support/scripted-http2-service.ts";
import { forever, openTestTransport, requestTo } from "../../support/transport-client.ts";

const lastOfAll = 2 ** 31 - 1;

/** A connection that answers `count` requests with 201. */
function accepting(count: number) {
  return async (peer: Http2Peer) => {
    peer.settings();
    for (const { streamId } of await peer.requests(count)) peer.answer(streamId);
  };
}

/** Sends this many requests at once, and waits for all answers. */
async function sendTo(service: ScriptedHttp2Service, count: number) {
  using transport = openTestTransport();
  const paths = Array.from({ length: count }, (_, at) => `/push/${at}`);
  return await Promise.all(
    paths.map((path) => transport.exchange(requestTo(service.endpoint(path)), forever)),
  );
}

test("graceful: old requests get their answers, new ones go over another connection", async () => {
  const going = withResolvers();
  const answered = withResolvers();
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    const { streamId } = await peer.request();
    peer.goaway(lastOfAll);
    peer.send(types.ping, 0, 0, Buffer.alloc(8));
    await peer.acknowledged(types.ping);
    going.resolve();
    await answered.promise;
    peer.answer(streamId, 202);
    await peer.closed();
    expect(peer.requestCount).toBe(1);
  }, accepting(1));
  using transport = openTestTransport();
  const first = transport.exchange(requestTo(service.endpoint()), forever);
  await going.promise;
  expect(await transport.exchange(requestTo(service.endpoint()), forever)).toMatchObject({ status: 201 });
  answered.resolve();
  expect(await first).toMatchObject({ status: 202 });
});

test("what was not looked at goes over another connection, once, and nothing else does", async () => {
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    const [first, second] = await peer.requests(4);
    peer.goaway(second?.streamId ?? 0);
    for (const request of [first, second]) peer.answer(request?.streamId ?? 0, 202);
    await peer.closed();
  }, accepting(2));
  const answers = await sendTo(service, 4);
  expect(answers.map((answer) => "status" in answer && answer.status)).toEqual([202, 202, 201, 201]);
});

test("what may have been looked at is not sent again", async () => {
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    const { streamId } = await peer.request();
    peer.goaway(streamId);
    peer.destroy();
  });
  expect(await sendTo(service, 1)).toMatchObject([{ kind: "ambiguous" }]);
});

test("a connection that closes with an error has still looked at what it says it has", async () => {
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    const [first] = await peer.requests(2);
    peer.goaway(first?.streamId ?? 0, codes.internal);
    peer.destroy();
  });
  expect(await sendTo(service, 2)).toMatchObject([{ kind: "ambiguous" }, { kind: "refused-stream" }]);
});

test("a second goodbye may take back more", async () => {
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    const [first, second] = await peer.requests(3);
    peer.goaway(lastOfAll);
    peer.answer(second?.streamId ?? 0, 202);
    peer.goaway(first?.streamId ?? 0);
    peer.answer(first?.streamId ?? 0, 202);
  }, accepting(1));
  const answers = await sendTo(service, 3);
  expect(answers.map((answer) => "status" in answer && answer.status)).toEqual([202, 202, 201]);
});

test("a storm: when each new connection is closed unused, the requests come back refused", async () => {
  const closing = async (peer: Http2Peer) => {
    peer.settings();
    await peer.requests(3);
    peer.goaway(0);
    await peer.closed();
  };
  await using service = await ScriptedHttp2Service.start(closing, closing);
  expect(await sendTo(service, 3)).toMatchObject(Array(3).fill({ kind: "refused-stream" }));
});

test("a goodbye right behind the settings is no connection to send over", async () => {
  await using service = await ScriptedHttp2Service.start((peer) => {
    const settings = frameOf(types.settings, 0, 0, Buffer.alloc(0));
    peer.raw(Buffer.concat([settings, frameOf(types.goaway, 0, 0, Buffer.alloc(8))]));
  });
  const [answer] = await sendTo(service, 1);
  expect(answer).toMatchObject({ kind: "connect" });
  expect(service.peers[0]?.requestCount).toBe(0);
});

test("a goodbye because of our load asks for calm", async () => {
  await using service = await ScriptedHttp2Service.start(async (peer) => {
    peer.settings();
    const [first] = await peer.requests(2);
    peer.goaway(first?.streamId ?? 0, codes.calm);
    peer.answer(first?.streamId ?? 0);
  });
  expect(await sendTo(service, 2)).toMatchObject([{ status: 201 }, { kind: "calm" }]);
});

test.each([
  [
    "a reset",
    (peer: Http2Peer, streamId: number) => {
      peer.reset(streamId, codes.http11);
    },
  ],
  [
    "a goodbye",
    (peer: Http2Peer) => {
      peer.goaway(0, codes.http11);
    },
  ],
])(
  "a service that asks for HTTP/1.1 by %s gets the request again over HTTP/1.1, and no HTTP/2 any more",
  async (_, ask) => {
    const http1 = async (peer: Http2Peer) => {
      expect(await peer.text("\r\n\r\nsealed")).toMatch(/^POST \/push\/1 HTTP\/1\.1\r\nhost: /);
      peer.raw("HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      await peer.closed();
    };
    await using service = await ScriptedHttp2Service.startWith(
      { protocols: ["h2", "http/1.1"] },
      async (peer) => {
        peer.settings();
        ask(peer, (await peer.request()).streamId);
        await peer.closed();
      },
      http1,
      http1,
    );
    using transport = openTestTransport();
    const send = () => transport.exchange(requestTo(service.endpoint()), forever);
    expect(await send()).toMatchObject({ status: 201 });
    expect(transport.protocolOf(service.endpoint())).toBe("http/1.1");
    expect(await send()).toMatchObject({ status: 201 });
  },
);

/** A promise and what fulfils it. */
function withResolvers() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
