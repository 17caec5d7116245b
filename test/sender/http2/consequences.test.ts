/** What an origin's connections come to when its HTTP/2 asks for calm, or cannot be followed. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { codes, ScriptedHttp2Service, types, type Http2Peer } from "../../support/scripted-http2-service.ts";
import { exchangeOnce, forever, openTestTransport, requestTo } from "../../support/transport-client.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Accepts one message. */
async function accept(peer: Http2Peer): Promise<void> {
  peer.settings();
  peer.answer((await peer.request()).streamId, 202);
}

describe("a service that asks for calm", () => {
  test("by a goodbye gets no new connection for a second, and longer the next time", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const tooMuch = async (peer: Http2Peer) => {
      peer.settings();
      await peer.request();
      peer.goaway(0, codes.calm);
      await peer.closed();
    };
    await using service = await ScriptedHttp2Service.start(tooMuch, tooMuch, accept);
    using transport = openTestTransport();
    const send = () => transport.exchange(requestTo(service.endpoint()), forever);
    expect(await send()).toMatchObject({ kind: "calm" });
    for (const calmMs of [1000, 2000]) {
      const before = service.peers.length;
      const next = send();
      vi.advanceTimersByTime(calmMs - 10);
      // Meanwhile a connection that begins later stands, and more than that.
      await using elsewhere = await ScriptedHttp2Service.start(accept);
      expect(await exchangeOnce(elsewhere.endpoint())).toMatchObject({ status: 202 });
      expect(service.peers).toHaveLength(before);
      vi.advanceTimersByTime(20);
      expect(await next).toMatchObject(calmMs === 1000 ? { kind: "calm" } : { status: 202 });
    }
  });

  test("by a reset gets nothing more on that connection for a second", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    await using service = await ScriptedHttp2Service.start(async (peer) => {
      peer.settings();
      peer.reset((await peer.request()).streamId, codes.calm);
      await peer.caughtUp();
      caughtUp();
      peer.answer((await peer.request()).streamId, 202);
    });
    let caughtUp: () => void = () => undefined;
    const meanwhile = new Promise<void>((resolve) => {
      caughtUp = resolve;
    });
    using transport = openTestTransport();
    const send = () => transport.exchange(requestTo(service.endpoint()), forever);
    expect(await send()).toMatchObject({ kind: "ambiguous" });
    const next = send();
    await meanwhile;
    await service.peers[0]?.caughtUp();
    expect(service.peers[0]?.requestCount).toBe(1);
    vi.advanceTimersByTime(1001);
    expect(await next).toMatchObject({ status: 202 });
  });
});

describe("a service whose HTTP/2 cannot be followed", () => {
  const nonsense = async (peer: Http2Peer) => {
    peer.settings();
    await peer.request();
    peer.send(types.push, 4, 1, Buffer.alloc(8));
    await peer.closed();
  };

  test("is spoken to over HTTP/1.1 after the second time", async () => {
    const http1 = async (peer: Http2Peer) => {
      await peer.text("\r\n\r\nsealed");
      peer.raw("HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      await peer.closed();
    };
    const protocols = { protocols: ["h2", "http/1.1"] };
    await using service = await ScriptedHttp2Service.startWith(protocols, nonsense, nonsense, http1);
    using transport = openTestTransport();
    const send = () => transport.exchange(requestTo(service.endpoint()), forever);
    expect([await send(), await send(), await send()]).toMatchObject([
      { kind: "ambiguous" },
      { kind: "ambiguous" },
      { status: 201 },
    ]);
  });

  test("is followed as far as can be when it speaks nothing else", async () => {
    await using service = await ScriptedHttp2Service.startWith(
      { protocols: ["h2"] },
      nonsense,
      nonsense,
      accept,
    );
    using transport = openTestTransport();
    const send = () => transport.exchange(requestTo(service.endpoint()), forever);
    await send();
    await send();
    expect(await send()).toMatchObject({ status: 202 });
  });
});
