/** Faults over HTTP/2 and TLS, looked at from the sender's side of a real connection. */
import { once } from "node:events";
import { constants, type ClientHttp2Session } from "node:http2";
import { describe, expect, test } from "vitest";
import { createTlsIdentity } from "../../../src/emulator/certificate.ts";
import { parseFault } from "../../../src/emulator/faults/read-fault.ts";
import { countingRandom } from "../machine.ts";
import { callHttp2, callSecurely, openHttp2 } from "../secure-wire.ts";
import { openTestEmulator, sealed } from "../wire.ts";

async function open(...rules: string[]) {
  const tls = createTlsIdentity({ clock: { now: () => Date.now() }, random: countingRandom() });
  const emulator = await openTestEmulator({ tls, faults: rules.map(parseFault) });
  const { endpoint } = emulator.control.subscribe({ online: false, endpoint: "https" });
  const session = await openHttp2(emulator);
  const headers = { ":method": "POST", ":path": new URL(endpoint).pathname, ...sealed };
  return {
    emulator,
    endpoint,
    session,
    send: () => callHttp2(session, headers, "sealed"),
    /** How a request ends that gets no answer. */
    fail: () => failure(session, headers),
    goaway: new Promise<readonly [code: number, lastStreamId: number]>((resolve) => {
      session.once("goaway", (code, lastStreamId) => {
        resolve([code, lastStreamId]);
      });
    }),
    accepted: () => emulator.control.messages().length,
    [Symbol.asyncDispose]: async () => {
      session.destroy();
      await emulator.close();
    },
  };
}

function failure(session: ClientHttp2Session, headers: Parameters<ClientHttp2Session["request"]>[0]) {
  return new Promise<{ answered: boolean; rstCode: number | undefined }>((resolve) => {
    const stream = session.request(headers);
    let answered = false;
    stream.on("response", () => (answered = true));
    stream.on("error", () => undefined);
    stream.on("close", () => {
      resolve({ answered, rstCode: stream.rstCode });
    });
    stream.resume();
    stream.end("sealed");
  });
}

describe("what HTTP/2 says when it goes", () => {
  test("goaway=graceful: the request is answered, the connection takes no other", async () => {
    await using opened = await open("goaway nth=1");
    const { session, send, goaway } = opened;
    expect(await send()).toMatchObject({ status: 201 });
    expect(await goaway).toEqual([constants.NGHTTP2_NO_ERROR, 1]);
    if (!session.destroyed) await once(session, "close");
  });

  test.each([1, 2])("goaway=unprocessed on request %i: not taken, and said to be so", async (nth) => {
    await using opened = await open(`goaway=unprocessed nth=${nth}`);
    const { send, fail, goaway, accepted } = opened;
    for (let before = 1; before < nth; before += 1) await send();
    expect(await fail()).toEqual({ answered: false, rstCode: constants.NGHTTP2_REFUSED_STREAM });
    expect(await goaway).toEqual([constants.NGHTTP2_NO_ERROR, 1]);
    expect(accepted()).toBe(nth - 1);
  });

  test("goaway=mid-flight: taken, but the answer never comes", async () => {
    await using opened = await open("goaway=mid-flight");
    const { fail, goaway, accepted } = opened;
    expect(await fail()).toMatchObject({ answered: false });
    expect(await goaway).toEqual([constants.NGHTTP2_NO_ERROR, 1]);
    expect(accepted()).toBe(1);
  });

  test("refused-stream refuses one request, the connection goes on", async () => {
    await using opened = await open("refused-stream times=1");
    const { send, fail, accepted } = opened;
    expect(await fail()).toEqual({ answered: false, rstCode: constants.NGHTTP2_REFUSED_STREAM });
    expect(accepted()).toBe(0);
    expect(await send()).toMatchObject({ status: 201 });
  });

  test("enhance-your-calm closes the connection with that code", async () => {
    await using opened = await open("enhance-your-calm");
    const { fail, goaway, accepted } = opened;
    expect(await fail()).toMatchObject({ answered: false });
    expect((await goaway)[0]).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(accepted()).toBe(0);
  });
});

describe("the faults of HTTP/1.1 over HTTP/2", () => {
  test.each([
    ["down", 0],
    ["reset-peer", 0],
    ["reset-peer when=after", 1],
    ["timeout=20", 0],
    ["timeout=20 when=after", 1],
  ])("%s: no answer, the connection is gone, %i messages taken", async (rule, count) => {
    await using opened = await open(rule);
    const { session, fail, accepted } = opened;
    expect(await fail()).toMatchObject({ answered: false });
    if (!session.destroyed) await once(session, "close");
    expect(accepted()).toBe(count);
  });

  test("statuses, Retry-After, bodies large and cut", async () => {
    await using opened = await open(
      "status=429 retry-after=7 nth=1",
      "latency=5 nth=1",
      "huge-body=200000 nth=2",
      'status=400 body="in pieces" nth=3',
      "slicer=2 pause=1 nth=3",
      'status=400 body="in pieces" nth=4',
      "slow-close=10 nth=4",
    );
    const { send } = opened;
    expect(await send()).toMatchObject({ status: 429, headers: { "retry-after": "7" } });
    expect((await send()).body.length).toBe(200_000);
    expect((await send()).body.toString()).toBe("in pieces");
    expect((await send()).body.toString()).toBe("in pieces");
  });

  test.each([
    ["stall=10", "in p"],
    ["limit-data=2", "in"],
  ])("%s: no more than %j comes", async (shape, body) => {
    await using opened = await open('status=400 body="in pieces"', shape);
    expect((await opened.send()).body.toString()).toBe(body);
  });

  test("lying-length: the client sees through it", async () => {
    await using opened = await open('status=400 body="in pieces"', "lying-length=10");
    await expect(opened.send()).rejects.toThrow();
  });
});

test.each(["down", "reset-peer", "timeout=5", "stall=5"])("%s over TLS", async (rule) => {
  await using opened = await open(rule);
  const { emulator, endpoint } = opened;
  const sending = callSecurely(emulator, "POST", endpoint, { headers: sealed, body: "x" });
  await expect(sending).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("a rule for HTTP/2 leaves HTTP/1.1 on the same port alone", async () => {
  await using opened = await open("status=500 protocol=h2");
  const { emulator, endpoint, send } = opened;
  expect(await send()).toMatchObject({ status: 500 });
  expect(await callSecurely(emulator, "POST", endpoint, { headers: sealed, body: "x" })).toMatchObject({
    status: 201,
  });
});
