/** Whatever arrives, at whatever depth (plain, inside TLS, HTTP/2, a tunnel), the port goes on. */
import { once } from "node:events";
import { connect as connectPlainly, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTlsIdentity } from "../../src/emulator/certificate.ts";
import { countingRandom } from "./machine.ts";
import { callHttp2, callSecurely, connectThrough, openHttp2 } from "./secure-wire.ts";
import { call, openTestEmulator, type TestEmulator } from "./wire.ts";

let emulator: TestEmulator;
beforeAll(async () => {
  const tls = createTlsIdentity({ clock: { now: () => Date.now() }, random: countingRandom() });
  emulator = await openTestEmulator({ tls, requestTimeoutMs: 300 });
});
afterAll(() => emulator.close());

/** Every way in still works, and nothing that came was a bug of ours. */
async function expectAlive(): Promise<void> {
  const path = "/subscribe";
  expect(await call("POST", `${emulator.origin}${path}`)).toMatchObject({ status: 201 });
  expect(await callSecurely(emulator, "POST", `${emulator.httpsOrigin}${path}`)).toMatchObject({
    status: 201,
  });
  const session = await openHttp2(emulator);
  expect(await callHttp2(session, { ":method": "POST", ":path": path })).toMatchObject({ status: 201 });
  session.close();
  const refused = emulator.events.filter((event) => event.type === "refused" && event.code === "internal");
  expect(refused).toEqual([]);
}

/** Writes the parts, ends or breaks off, and resolves when the connection is over. */
async function speak(socket: Socket, parts: readonly Uint8Array[], breaksOff: boolean): Promise<string> {
  let answer = "";
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  const closed = socket.destroyed ? undefined : once(socket, "close");
  for (const part of parts) socket.write(part);
  if (breaksOff) socket.destroy();
  else socket.end();
  await closed;
  return answer;
}

async function connectSecurely(alpn: readonly string[]): Promise<Socket> {
  const { port, tls } = emulator;
  const socket = connectTls({ port, host: "127.0.0.1", ca: tls.caPem, ALPNProtocols: [...alpn] });
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  return socket;
}

const bytes = fc.uint8Array({ maxLength: 300 });
const parts = fc.array(bytes, { maxLength: 3 });
const settings = { seed: 8030, numRuns: 60 };

test("random bytes after a byte that promises TLS, MCS or HTTP", async () => {
  const begins = fc.constantFrom(22, 41, 71, 80, 67, 0, 255);
  await fc.assert(
    fc.asyncProperty(begins, parts, fc.boolean(), async (first, rest, breaksOff) => {
      const socket = connectPlainly(emulator.port, "127.0.0.1");
      expect(await speak(socket, [Uint8Array.of(first), ...rest], breaksOff)).not.toMatch(/^HTTP\/1\.1 [25]/);
    }),
    { ...settings, numRuns: 40 },
  );
  await expectAlive();
}, 60_000);

test("a real ClientHello that is cut or has one byte changed", async () => {
  const hello = await clientHello();
  const change = fc.record({
    at: fc.nat(hello.length - 1),
    to: fc.integer({ min: 0, max: 255 }),
    cut: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(change, fc.boolean(), async ({ at, to, cut }, breaksOff) => {
      const damaged = Uint8Array.from(hello);
      damaged[at] = to;
      const sent = cut ? damaged.subarray(0, at) : damaged;
      await speak(connectPlainly(emulator.port, "127.0.0.1"), [sent], breaksOff);
    }),
    { ...settings, numRuns: 40 },
  );
  await expectAlive();
}, 60_000);

test("random bytes inside TLS, taken for MCS, HTTP/1.1 or HTTP/2", async () => {
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const alpn = fc.constantFrom<readonly string[]>([], ["http/1.1"], ["h2"]);
  await fc.assert(
    fc.asyncProperty(
      alpn,
      fc.boolean(),
      parts,
      fc.boolean(),
      async (protocols, isPrefaced, rest, breaksOff) => {
        const socket = await connectSecurely(protocols);
        await speak(socket, [...(isPrefaced ? [preface] : []), ...rest], breaksOff);
      },
    ),
    settings,
  );
  await expectAlive();
}, 60_000);

test("random frames of HTTP/2, with lengths, flags and streams that lie", async () => {
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
  const frame = fc
    .record({
      type: fc.integer({ min: 0, max: 12 }),
      flags: fc.nat(255),
      stream: fc.nat(5),
      lie: fc.nat(3),
      bytes,
    })
    .map(({ type, flags, stream, lie, bytes: payload }) => {
      const length = payload.length + (lie === 3 ? 7 : 0);
      return Buffer.from([0, length >> 8, length & 255, type, flags, 0, 0, 0, stream, ...payload]);
    });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 5 }), fc.boolean(), async (frames, breaksOff) => {
      await speak(await connectSecurely(["h2"]), [preface, ...frames], breaksOff);
    }),
    settings,
  );
  await expectAlive();
}, 60_000);

test("CONNECT to garbage, and garbage inside a tunnel", async () => {
  const authority = fc.oneof(
    fc.string({ maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, "")),
    fc.constantFrom(
      "fcm.googleapis.com:443",
      ":",
      "[::1]:1",
      "a:99999999",
      "fcm.googleapis.com:443:443",
      "*",
    ),
  );
  await fc.assert(
    fc.asyncProperty(authority, parts, fc.boolean(), async (target, rest, breaksOff) => {
      const head = Buffer.from(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`);
      const socket = connectPlainly(emulator.port, "127.0.0.1");
      expect(await speak(socket, [head, ...rest], breaksOff)).not.toMatch(/^HTTP\/1\.1 5/);
    }),
    settings,
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("plain", "tls"), parts, fc.boolean(), async (how, rest, breaksOff) => {
      const { socket } = await connectThrough(emulator, "fcm.googleapis.com:443", how);
      await speak(socket, rest, breaksOff);
    }),
    { ...settings, numRuns: 30 },
  );
  await expectAlive();
}, 60_000);

/** What a client of TLS says first. */
async function clientHello(): Promise<Buffer> {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = connectTls({ port, host: "127.0.0.1", ALPNProtocols: ["h2"] });
  client.on("error", () => undefined);
  const [socket] = (await once(server, "connection")) as [Socket];
  const [chunk] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return chunk;
}
