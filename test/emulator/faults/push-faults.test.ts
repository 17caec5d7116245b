/** Faults over HTTP/1.1, looked at from the sender's side of a real connection. */
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { parseFault } from "../../../src/emulator/faults/read-fault.ts";
import { call, openTestEmulator, sealed, until, type Answer, type TestEmulator } from "../wire.ts";

async function open(...rules: string[]) {
  const emulator = await openTestEmulator({ faults: rules.map(parseFault) });
  const { endpoint } = emulator.control.subscribe({ online: false });
  const send = (url = endpoint): Promise<Answer> => call("POST", url, { headers: sealed, body: "sealed" });
  const accepted = () => emulator.control.messages().length;
  return { emulator, endpoint, send, accepted, [Symbol.asyncDispose]: () => emulator.close() };
}

/** All the bytes that come back for a push, how the connection ended, and after how long. */
function exchange(emulator: TestEmulator, endpoint: string) {
  return new Promise<{ text: string; chunks: readonly string[]; how: string; ms: number }>((resolve) => {
    const { pathname, host } = new URL(endpoint);
    const socket = connect(emulator.port, "127.0.0.1");
    const chunks: string[] = [];
    const begun = performance.now();
    let how = "left open";
    socket.setNoDelay(true);
    socket.on("data", (chunk) => chunks.push(chunk.toString("latin1")));
    socket.on("end", () => (how = "end"));
    socket.on("error", (error: NodeJS.ErrnoException) => (how = error.code ?? "error"));
    socket.on("close", () => {
      resolve({ text: chunks.join(""), chunks, how, ms: performance.now() - begun });
    });
    socket.write(
      `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\nttl: 60\r\ncontent-encoding: aes128gcm\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsealed`,
    );
  });
}

describe("answers in the service's place", () => {
  test("a status with Retry-After in seconds, each third time, and the message is not taken", async () => {
    await using opened = await open("status=429 retry-after=5 every=3");
    const { emulator, send, accepted } = opened;
    const answers = [await send(), await send(), await send(), await send()];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 429, 201]);
    expect(answers[2]?.headers["retry-after"]).toBe("5");
    expect(accepted()).toBe(3);
    expect(emulator.events.filter(({ type }) => type === "fault")).toMatchObject([
      { rule: "status=429 retry-after=5 every=3", reason: undefined },
    ]);
  });

  test("Retry-After as a date, by the emulator's clock, moved or not", async () => {
    await using opened = await open("status=503 retry-after-date=90");
    const { emulator, send } = opened;
    emulator.control.clock.advance(3_600_000);
    expect((await send()).headers).toMatchObject({
      "retry-after": "Tue, 24 Nov 2026 13:01:30 GMT",
      date: "Tue, 24 Nov 2026 13:00:00 GMT",
    });
  });

  test("after the message was taken, the sender cannot know", async () => {
    await using opened = await open("status=500 when=after times=1");
    const { send, accepted } = opened;
    expect(await send()).toMatchObject({ status: 500 });
    expect(accepted()).toBe(1);
    expect(await send()).toMatchObject({ status: 201 });
  });

  test("what is refused anyway stays refused as it was", async () => {
    await using opened = await open("status=500 when=after");
    const { endpoint } = opened;
    expect(await call("POST", endpoint, { body: "x" })).toMatchObject({ status: 400 });
  });

  test("a vendor's own words, by cause", async () => {
    await using opened = await open("answer=apple.jwt");
    const { send } = opened;
    const answer = await send();
    expect(answer.status).toBe(403);
    expect(answer.body.toString()).toContain("BadJwtToken");
  });

  test("a redirect, a body of text, a huge body", async () => {
    await using opened = await open(
      "redirect nth=1",
      'status=400 body="no, thanks" nth=2',
      "huge-body=300000 code=503 nth=3",
    );
    const { send } = opened;
    expect(await send()).toMatchObject({ status: 307, headers: { location: "https://push.invalid/" } });
    expect((await send()).body.toString()).toBe("no, thanks");
    const huge = await send();
    expect(huge.status).toBe(503);
    expect(huge.body.length).toBe(300_000);
  });
});

describe("broken connections", () => {
  test.each([
    ["down", "end", 0],
    ["reset-peer", "ECONNRESET", 0],
    ["reset-peer when=after", "ECONNRESET", 1],
    ["timeout=20", "end", 0],
    ["timeout=20 when=after", "end", 1],
  ])("%s ends with %s, and %i messages taken", async (rule, how, count) => {
    await using opened = await open(rule);
    const { emulator, endpoint, accepted } = opened;
    expect(await exchange(emulator, endpoint)).toMatchObject({ text: "", how });
    expect(accepted()).toBe(count);
  });

  test("timeout=0 answers never, until the client leaves or the emulator is closed", async () => {
    const { emulator, endpoint, send, accepted } = await open("timeout");
    const abort = new AbortController();
    const left = call("POST", endpoint, { headers: sealed, body: "x", signal: abort.signal });
    const stayed = send();
    const ends = Promise.allSettled([left, stayed]);
    await until(() => emulator.events.filter(({ type }) => type === "fault").length === 2);
    abort.abort();
    await emulator.close();
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(accepted()).toBe(0);
  });
});

describe("delays", () => {
  test("latency before: a client that gives up has sent nothing", async () => {
    await using opened = await open("latency=3600000");
    const { emulator, endpoint, accepted } = opened;
    const abort = new AbortController();
    const waiting = call("POST", endpoint, { headers: sealed, body: "x", signal: abort.signal });
    await until(() => emulator.events.some(({ type }) => type === "fault"));
    abort.abort();
    await expect(waiting).rejects.toThrow();
    expect(accepted()).toBe(0);
  });

  test("latency after: the message is taken at once", async () => {
    await using opened = await open("latency=3600000 when=after");
    const { endpoint, accepted } = opened;
    const abort = new AbortController();
    const waiting = call("POST", endpoint, { headers: sealed, body: "x", signal: abort.signal });
    await until(() => accepted() === 1);
    abort.abort();
    await expect(waiting).rejects.toThrow();
  });

  test("latency that is over lets the answer through", async () => {
    await using opened = await open("latency=60 jitter=10");
    const { emulator, endpoint } = opened;
    const { text, ms } = await exchange(emulator, endpoint);
    expect(text).toMatch(/^HTTP\/1\.1 201 /);
    expect(ms).toBeGreaterThanOrEqual(49);
  });
});

describe("answers out of shape", () => {
  test("sliced, it is whole in the end", async () => {
    await using opened = await open("slicer=40 variation=10 pause=2");
    const { emulator, endpoint, accepted } = opened;
    const { text, chunks, how } = await exchange(emulator, endpoint);
    expect(text).toMatch(
      /^HTTP\/1\.1 201 Created\r\n[^]*location: http:[^]*content-length: 0\r\n[^]*\r\n\r\n$/,
    );
    expect(chunks.length).toBeGreaterThan(2);
    expect(how).toBe("end");
    expect(accepted()).toBe(1);
  });

  test("through a narrow connection it takes its time", async () => {
    await using opened = await open("bandwidth=1");
    const { emulator, endpoint } = opened;
    const { text, ms } = await exchange(emulator, endpoint);
    expect(text).toContain("\r\n\r\n");
    expect(ms).toBeGreaterThan(text.length - 60); // A millisecond a byte, but for the first piece.
  });

  test("limit-data cuts it off", async () => {
    await using opened = await open("limit-data=15");
    const { emulator, endpoint } = opened;
    expect(await exchange(emulator, endpoint)).toMatchObject({ text: "HTTP/1.1 201 Cr", how: "end" });
  });

  test("slow-close leaves it to the end of the connection, which is late", async () => {
    await using opened = await open("slow-close=60");
    const { emulator, endpoint } = opened;
    const { text, ms } = await exchange(emulator, endpoint);
    expect(text).not.toContain("content-length");
    expect(ms).toBeGreaterThanOrEqual(59);
  });

  test("stall sends half of it, then hangs up", async () => {
    await using opened = await open("stall=20");
    const { emulator, endpoint } = opened;
    const { text } = await exchange(emulator, endpoint);
    expect(text).toMatch(/^HTTP/);
    expect(text).not.toContain("\r\n\r\n");
  });

  test("lying-length announces more than comes, and a client sees through it", async () => {
    await using opened = await open("lying-length=10");
    const { send } = opened;
    await expect(send()).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("or less than comes", async () => {
    await using opened = await open('status=400 body="seven b"', "lying-length=-3");
    const { emulator, endpoint } = opened;
    const { text } = await exchange(emulator, endpoint);
    expect(text).toMatch(/\r\ncontent-length: 4\r\n[^]*\r\n\r\nseven b$/);
  });
});

test("what only HTTP/2 has is passed over, and the log says so", async () => {
  await using opened = await open("goaway", "refused-stream", "enhance-your-calm");
  const { emulator, send } = opened;
  expect(await send()).toMatchObject({ status: 201 });
  expect(emulator.events.filter(({ type }) => type === "fault")).toMatchObject(
    Array.from({ length: 3 }, () => ({ reason: "ignored: the request came over HTTP/1.1" })),
  );
});

test("a rule for one subscription or personality leaves the others alone", async () => {
  await using emulator = await openTestEmulator();
  const { control } = emulator;
  const [one, fcm] = [control.subscribe({}), control.subscribe({ personality: "fcm" })];
  control.addFault(parseFault(`status=500 subscription=${one.endpoint}`));
  control.addFault(parseFault("status=502 as=fcm"));
  const headers = sealed;
  expect(await call("POST", one.endpoint, { headers, body: "x" })).toMatchObject({ status: 500 });
  expect(await call("POST", fcm.endpoint, { headers, body: "x" })).toMatchObject({ status: 502 });
  expect(await call("POST", control.subscribe({}).endpoint, { headers, body: "x" })).toMatchObject({
    status: 201,
  });
  expect(control.faults()).toMatchObject([
    { seen: 1, applied: 1 },
    { seen: 1, applied: 1 },
  ]);
});

test("faults never touch the API", async () => {
  await using opened = await open("down");
  const { emulator } = opened;
  const headers = { authorization: `Bearer ${emulator.apiToken}` };
  expect(await call("GET", `${emulator.origin}/api/faults`, { headers })).toMatchObject({ status: 200 });
});
