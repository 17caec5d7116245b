import fc from "fast-check";
import { expect, test } from "vitest";
import { channel, hello, RawClient } from "./autopush-client.ts";
import { openTestEmulator } from "./wire.ts";

const field = fc.constantFrom(
  ..."messageType uaid use_webpush channelID key code updates version broadcasts __proto__".split(" "),
);
const word = fc.constantFrom(
  ..."hello register unregister ack nack broadcast_subscribe ping constructor".split(" "),
);
const value = fc.oneof(
  word,
  fc.constant(true),
  fc.constant(channel(1)),
  fc.constantFrom(100, 101, 300),
  fc.jsonValue(),
  fc.array(fc.dictionary(field, fc.oneof(word, fc.integer(), fc.string())), { maxLength: 3 }),
);
const frame = fc.oneof(
  fc.string(),
  fc.jsonValue().map((json) => JSON.stringify(json)),
  fc.dictionary(field, value).map((fields) => JSON.stringify(fields)),
  fc
    .tuple(word, fc.dictionary(field, value))
    .map(([messageType, fields]) => JSON.stringify({ ...fields, messageType })),
);

test("no frames bring the emulator down, and no handler throws", async () => {
  await using emulator = await openTestEmulator();
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      async (frames, greets) => {
        const client = greets
          ? (await hello(emulator.origin)).client
          : await new RawClient(emulator.origin).opened();
        for (const text of frames) client.send(text);
        client.socket.close();
        await client.ended;
      },
    ),
    { numRuns: 150 },
  );
  const { client } = await hello(emulator.origin);
  expect(await client.ask({})).toEqual({});
  expect(emulator.events.filter((event) => event.type === "refused" && event.code === "internal")).toEqual(
    [],
  );
}, 30_000);

test.each([
  [
    "a frame too large",
    (client: RawClient) => {
      client.send("x".repeat(70_000));
    },
  ],
  [
    "a binary frame",
    (client: RawClient) => {
      client.socket.send(Buffer.from("{}"));
    },
  ],
])("%s costs its own connection alone", async (_name, send) => {
  await using emulator = await openTestEmulator();
  const { client } = await hello(emulator.origin);
  send(client);
  expect([1009, 1011]).toContain((await client.ended).code);
  await hello(emulator.origin);
});
