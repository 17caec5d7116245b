import fc from "fast-check";
import { expect, test } from "vitest";
import { frame, message, tags, varint } from "../../support/mcs-client.ts";
import { call } from "../wire.ts";
import { appId, device, loggedIn, openDoor, push, registrationForm, subscribe, type Door } from "./parts.ts";

const value = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.integer({ min: -2, max: 9 }),
  fc.constantFrom(device, "0", "x", "chrome-1", ""),
  fc.uint8Array({ maxLength: 40 }),
);
const flat = fc.array(fc.tuple(fc.integer({ min: 1, max: 26 }), value), { maxLength: 8 });
const nested = fc.tuple(fc.integer({ min: 1, max: 13 }), flat).map(([id, fields]) => {
  return message([1, id], [2, message(...fields)]);
});
const protobuf = fc.oneof(
  flat.map((fields) => message(...fields)),
  fc.tuple(flat, nested).map(([fields, extension]) => message(...fields, [7, extension])),
  fc.uint8Array({ maxLength: 60 }),
);
const tag = fc.oneof(fc.constantFrom(...Object.values(tags)), fc.integer({ min: 0, max: 255 }));
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(tag, protobuf).map(([kind, payload]) => frame(kind, payload)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.nat(2 ** 31).map((length) => Buffer.from([8, ...varint(length)])) },
);

function internalErrors({ events }: Door): unknown[] {
  return events.filter((event) => event.type === "refused" && event.code === "internal");
}

test("no stream brings the door down, and no handler throws", async () => {
  await using door = await openDoor();
  const token = await subscribe(door);
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 6 }),
      fc.constantFrom("log in", "version", "nothing"),
      async (pieces, start) => {
        const client = start === "log in" ? await loggedIn(door) : door.stream();
        if (start === "version") client.socket.write(Buffer.from([41]));
        push(door, token, "x", { ttlSeconds: 1 });
        for (const bytes of pieces) client.socket.write(bytes);
        client.socket.end();
        await client.ended;
        door.clock.advance(100);
      },
    ),
    { numRuns: 300, seed: 8030 },
  );
  expect(internalErrors(door)).toEqual([]);
  const client = await loggedIn(door);
  push(door, token, "still here");
  expect((await client.nextMessage()).body?.toString()).toBe("still here");
}, 30_000);

test("a stream cut at any byte is a stream that ended", async () => {
  await using door = await openDoor();
  const login = frame(tags.login, message([1, "chrome-1"], [3, device], [5, "1"], [10, "x".repeat(150)]));
  const stream = Buffer.concat([Buffer.from([41]), login, frame(tags.ping, message([2, 1]))]);
  for (let length = 0; length <= stream.length; length++) {
    const client = door.stream();
    client.socket.end(stream.subarray(0, length));
    await client.ended;
  }
  const reasons = door.events.map((event) => (event.type === "user-agent-disconnected" ? event.reason : ""));
  expect(reasons.filter((reason) => reason !== "")).toEqual([]);
}, 30_000);

const field = fc.constantFrom("app", "X-subtype", "device", "sender", "delete", "scope", "__proto__");
const form = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc
    .dictionary(field, fc.oneof(fc.constantFrom(appId, "true", "*", "wp:"), fc.string()))
    .map((changes) => registrationForm(changes)),
);
const authorization = fc.constantFrom("AidLogin 1:2", `AidLogin ${device}:2`, "AidLogin -1:2", "vapid t=x");

test("no check-in and no registration brings the door down, and each is answered", async () => {
  await using door = await openDoor();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.record({ path: fc.constant("checkin"), body: protobuf, credentials: authorization }),
        fc.record({ path: fc.constant("register"), body: form, credentials: authorization }),
      ),
      async ({ path, body, credentials }) => {
        const headers = { authorization: credentials };
        const { status, body: answer } = await call("POST", `${door.origin}/chromium/${path}`, {
          headers,
          body,
        });
        expect([200, 400, 401, 429]).toContain(status);
        if (path === "register") expect(answer.toString()).toMatch(/^(?:token=.|Error=[A-Z_]+$)/);
      },
    ),
    { numRuns: 200, seed: 8030 },
  );
  expect(internalErrors(door)).toEqual([]);
}, 30_000);
