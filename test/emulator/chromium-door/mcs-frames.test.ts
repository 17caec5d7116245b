import fc from "fast-check";
import { expect, test } from "vitest";
import {
  encodeFrame,
  maxFrameBytes,
  McsFrameReader,
} from "../../../src/emulator/chromium-door/mcs-frames.ts";
import { frame, varint } from "../../support/mcs-client.ts";

const version = Buffer.from([41]);

function readAll(stream: Uint8Array, cuts: readonly number[] = []) {
  const reader = new McsFrameReader();
  const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  const reads = places.slice(1).map((end, index) => reader.read(stream.subarray(places[index], end)));
  return { frames: reads.flatMap(({ frames }) => frames), violation: reads.at(-1)?.violation };
}

test("frames are the same however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 300 })), {
        maxLength: 5,
      }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (sent, cuts) => {
        const frames = sent.map(([tag, payload]) => ({ tag, payload: Buffer.from(payload) }));
        const stream = Buffer.concat([version, ...frames.map(({ tag, payload }) => frame(tag, payload))]);
        expect(readAll(stream, cuts)).toEqual({ frames, violation: undefined });
      },
    ),
    { seed: 8030 },
  );
});

test.each([0, 1, 127, 128, 16_383, 16_384, 262_143])(
  "a frame of %i bytes is written as it is read",
  (length) => {
    const payload = Buffer.alloc(length, 7);
    const encoded = encodeFrame({ tag: 8, payload });
    expect(Buffer.compare(encoded, frame(8, payload))).toBe(0);
    const { frames } = readAll(Buffer.concat([version, encoded]));
    expect(
      frames.map(({ tag, payload }) => [tag, payload.length, payload.every((byte) => byte === 7)]),
    ).toEqual([[8, length, true]]);
  },
);

test("a frame that breaks off is not there yet", () => {
  expect(readAll(Buffer.concat([version, frame(8, Buffer.alloc(10)).subarray(0, 11)]))).toEqual({
    frames: [],
    violation: undefined,
  });
});

test.each([
  ["another version", Buffer.from([38, 0, 0]), "the stream is of MCS version 38, not 41"],
  [
    "a frame too long",
    Buffer.from([41, 2, ...varint(maxFrameBytes + 1)]),
    "a frame is longer than 262144 bytes",
  ],
  ["a huge length", Buffer.from([41, 2, ...varint(2n ** 64n - 1n)]), "a frame is longer than 262144 bytes"],
  ["an endless length", Buffer.from([41, 2, ...Buffer.alloc(9, 0x80)]), "the length of a frame does not end"],
])("%s ends the reading: nothing after it counts, what was before does", (_name, stream, violation) => {
  const reader = new McsFrameReader();
  expect(reader.read(stream)).toEqual({ frames: [], violation });
  expect(reader.read(frame(0, Buffer.alloc(0)))).toEqual({ frames: [], violation });
});

test("the frames before a violation are read", () => {
  const stream = Buffer.concat([version, frame(2, Buffer.from("x")), Buffer.from([8, ...varint(2 ** 30)])]);
  expect(readAll(stream)).toMatchObject({
    frames: [{ tag: 2 }],
    violation: expect.stringContaining("longer") as string,
  });
});
