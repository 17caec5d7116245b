/** Raw TCP at the HTTP door: whatever arrives, it answers or hangs up, and goes on. */
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { personalityIds } from "../../src/emulator/personalities.ts";
import { call, openTestEmulator, subscribeAt, type TestEmulator } from "./wire.ts";

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await openTestEmulator({ requestTimeoutMs: 1000 });
});
afterAll(() => emulator.close());

/** Writes raw bytes, ends, and returns all that comes back. */
function raw(port: number, bytes: Uint8Array | string, ends = true): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      resolve(answer);
    });
    if (ends) socket.end(bytes);
    else socket.write(bytes);
  });
}

async function expectAlive(): Promise<void> {
  expect(await call("POST", `${emulator.origin}/subscribe`)).toMatchObject({ status: 201 });
}

const host = () => `host: 127.0.0.1:${emulator.port}`;

test.each([
  ["nothing", () => ""],
  ["not HTTP", () => "hello?\r\n\r\n"],
  ["a TLS ClientHello", () => Buffer.from("16030100c8010000c40303", "hex")],
  ["no Host", () => "POST /subscribe HTTP/1.1\r\n\r\n"],
  ["two Hosts", () => `POST /subscribe HTTP/1.1\r\n${host()}\r\nhost: evil.example\r\n\r\n`],
  [
    "two different lengths",
    () => `POST /subscribe HTTP/1.1\r\n${host()}\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx`,
  ],
  [
    "a length and chunks",
    () =>
      `POST /subscribe HTTP/1.1\r\n${host()}\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    "a chunk that lies",
    () => `POST /subscribe HTTP/1.1\r\n${host()}\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nx`,
  ],
  ["a negative length", () => `POST /subscribe HTTP/1.1\r\n${host()}\r\ncontent-length: -1\r\n\r\n`],
  ["a NUL in a header", () => `POST /push/x HTTP/1.1\r\n${host()}\r\nttl: 1\0\r\n\r\n`],
  ["a bare line feed", () => `POST /push/x HTTP/1.1\n${host()}\nttl: 1\n\n`],
  ["a half body", () => `POST /subscribe HTTP/1.1\r\n${host()}\r\ncontent-length: 9\r\n\r\nhalf`],
  ["CONNECT to a stranger", () => `CONNECT example.com:443 HTTP/1.1\r\n${host()}\r\n\r\n`],
  [
    "an upgrade",
    () => `GET /subscribe HTTP/1.1\r\n${host()}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
  ],
  ["an endless path", () => `POST /push/${"x".repeat(15_000)} HTTP/1.1\r\n${host()}\r\nttl: 1\r\n\r\n`],
  ["a wrong escape", () => `POST /push/%E0%A4%A HTTP/1.1\r\n${host()}\r\nttl: 1\r\n\r\n`],
  ["an unheard expectation", () => `POST /subscribe HTTP/1.1\r\n${host()}\r\nexpect: miracles\r\n\r\n`],
])("%s does not bring it down", async (_name, bytes) => {
  const answer = await raw(emulator.port, bytes());
  expect(answer).not.toContain("HTTP/1.1 5");
  expect(answer).not.toContain("HTTP/1.1 2");
  await expectAlive();
});

test("headers beyond 16 kB get 431", async () => {
  const answer = await raw(
    emulator.port,
    `POST /push/x HTTP/1.1\r\n${host()}\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
  );
  expect(answer).toContain("HTTP/1.1 431");
  expect(answer).toContain('"error":"headers-too-large"');
});

test("a client that never ends its request gets 408", async () => {
  await using slow = await openTestEmulator({ requestTimeoutMs: 50 });
  const unfinished = `POST /subscribe HTTP/1.1\r\nhost: 127.0.0.1:${slow.port}\r\ncontent-length: 9\r\n\r\nhalf`;
  expect(await raw(slow.port, unfinished, false)).toContain("HTTP/1.1 408");
});

test("a body of many megabytes is answered 413 and cut off, not read", async () => {
  const { endpoint } = await subscribeAt(emulator.origin);
  const path = new URL(endpoint).pathname;
  const head = `POST ${path} HTTP/1.1\r\n${host()}\r\nttl: 1\r\ncontent-encoding: aes128gcm\r\ncontent-length: 99999999\r\n\r\n`;
  const answer = await raw(emulator.port, Buffer.concat([Buffer.from(head), Buffer.alloc(1_200_000)]), false);
  expect(answer === "" || answer.includes("HTTP/1.1 413")).toBe(true);
  await expectAlive();
});

test("random requests are answered or hung up on, and never with a 5xx", async () => {
  const live: string[] = [];
  for (const as of personalityIds) {
    const { pathname, search } = new URL((await subscribeAt(emulator.origin, undefined, as)).endpoint);
    live.push(pathname + search);
  }
  const word = fc.constantFrom(
    "TTL",
    "Urgency",
    "Topic",
    "Prefer",
    "Link",
    "Authorization",
    "Crypto-Key",
    "Content-Type",
    "Host",
  );
  const value = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom(
      "60",
      "wait=0",
      "respond-async",
      "vapid t=a.b.c,k=d",
      "<a>;rel=b",
      '<">;rel="',
      "aes128gcm",
      ",,,;;==",
    ),
  );
  const request = fc.record({
    method: fc.constantFrom("GET", "POST", "DELETE", "PATCH", "get", "M-SEARCH"),
    path: fc.oneof(
      fc.constantFrom(...live),
      fc.constantFrom(
        "/subscribe",
        "/push/x",
        "/message/x",
        "/receipt/x",
        "http://a/push/x",
        "*",
        "/fcm/send/x",
        "/wpush/v2/x",
        "/apple/x",
        "/wns/?token=x",
      ),
      fc.string({ maxLength: 30 }),
    ),
    headers: fc.array(fc.tuple(word, value), { maxLength: 8 }),
    body: fc.string({ maxLength: 60 }),
    cutAt: fc.option(fc.nat(200)),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, headers, body, cutAt }) => {
      const lines = [
        `${method} ${path} HTTP/1.1`,
        host(),
        ...headers.map(([name, text]) => `${name}: ${text}`),
      ];
      lines.push(`content-length: ${Buffer.byteLength(body)}`, "connection: close");
      const bytes = Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
      const answer = await raw(emulator.port, cutAt === null ? bytes : bytes.subarray(0, cutAt));
      expect(answer).not.toMatch(/^HTTP\/1\.1 5/);
    }),
    { numRuns: 150 },
  );
  await expectAlive();
}, 30_000);

test("random bytes are answered or hung up on", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      expect(await raw(emulator.port, bytes)).not.toMatch(/^HTTP\/1\.1 [25]/);
    }),
    { numRuns: 50 },
  );
  await expectAlive();
}, 30_000);
