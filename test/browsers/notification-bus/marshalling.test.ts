import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { marshal, unmarshal } from "../../../src/browsers/notification-bus/marshalling.ts";
import { decodeMessage, encodeMessage } from "../../../src/browsers/notification-bus/message.ts";
import {
  DbusFormatError,
  parseSignature,
  type DbusValue,
} from "../../../src/browsers/notification-bus/signature.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ""), "hex");

describe("values", () => {
  /** Signature, values, little-endian bytes, big-endian bytes; the first two are the specification's own. */
  const vectors: readonly (readonly [string, readonly DbusValue[], string, string])[] = [
    [
      "sss",
      ["foo", "+", "bar"],
      "03000000 666f6f00 01000000 2b00 0000 03000000 62617200",
      "00000003 666f6f00 00000001 2b00 0000 00000003 62617200",
    ],
    ["ax", [[5n]], "08000000 00000000 0500000000000000", "00000008 00000000 0000000000000005"],
    ["yu", [1, 2], "01 000000 02000000", "01 000000 00000002"],
    ["nq", [-2, 65534], "feff feff", "fffe fffe"],
    ["ib", [-1, true], "ffffffff 01000000", "ffffffff 00000001"],
    ["yd", [7, 0.5], "07 00000000000000 000000000000e03f", "07 00000000000000 3fe0000000000000"],
    ["g", ["a{sv}"], "05 617b73767d 00", "05 617b73767d 00"],
    ["v", [{ signature: "u", value: 9 }], "01 75 00 00 09000000", "01 75 00 00 00000009"],
    // Padding after the length of an array is not counted in it, also when nothing follows.
    ["at", [[]], "00000000 00000000", "00000000 00000000"],
    ["a{sy}", [[["k", 1]]], "07000000 00000000 01000000 6b00 01", "00000007 00000000 00000001 6b00 01"],
    ["(ys)", [[3, "ä"]], "03 000000 02000000 c3a400", "03 000000 00000002 c3a400"],
  ];

  test.each(vectors)("%s, in both byte orders", (signature, values, little, big) => {
    for (const [order, bytes] of [
      ["little", hex(little)],
      ["big", hex(big)],
    ] as const) {
      expect(marshal(signature, values, order).toString("hex")).toBe(bytes.toString("hex"));
      expect(unmarshal(signature, bytes, order)).toEqual({ values, end: bytes.length });
    }
  });

  test("are read as they were written, whatever they are", () => {
    const basic = fc.oneof(
      typed("y", fc.integer({ min: 0, max: 255 })),
      typed("b", fc.boolean()),
      typed("n", fc.integer({ min: -0x8000, max: 0x7fff })),
      typed("q", fc.integer({ min: 0, max: 0xffff })),
      typed("i", fc.integer({ min: -0x80000000, max: 0x7fffffff })),
      typed("u", fc.integer({ min: 0, max: 0xffffffff })),
      typed("x", fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      typed("t", fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      typed("d", fc.double({ noNaN: true })),
      typed("s", fc.string({ unit: "grapheme" })),
    );
    const { value } = fc.letrec<{ value: Typed; struct: Typed; array: Typed; variant: Typed }>((tie) => ({
      struct: fc.array(tie("value"), { minLength: 1, maxLength: 4 }).map((fields) => ({
        signature: `(${fields.map(({ signature }) => signature).join("")})`,
        value: fields.map(({ value }) => value),
      })),
      // Bytes come back as a Uint8Array, see below.
      array: fc
        .tuple(tie("value"), fc.integer({ min: 1, max: 3 }))
        .filter(([{ signature }]) => signature !== "y")
        .map(([item, count]) => ({
          signature: `a${item.signature}`,
          value: Array.from({ length: count }, () => item.value),
        })),
      variant: tie("value").map((value) => ({ signature: "v", value })),
      value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        basic,
        tie("struct"),
        tie("array"),
        tie("variant"),
      ),
    }));
    fc.assert(
      fc.property(
        value,
        fc.constantFrom("little" as const, "big" as const),
        ({ signature, value }, order) => {
          const bytes = marshal(signature, [value], order);
          expect(unmarshal(signature, bytes, order)).toEqual({ values: [value], end: bytes.length });
        },
      ),
    );
  });

  test("that are bytes come as bytes", () => {
    const bytes = marshal("ay", [Buffer.from([1, 2, 3])]);
    expect(bytes.toString("hex")).toBe("03000000010203");
    expect(unmarshal("ay", bytes, "little").values).toEqual([Buffer.from([1, 2, 3])]);
  });

  test.each([
    ["a text that is longer than its message", "s", "ff000000 6100"],
    ["a text without its last zero", "s", "01000000 6161"],
    ["a boolean that is neither", "b", "02000000"],
    ["an array longer than allowed", "ay", "00000005"],
    ["an array whose items do not end where it does", "au", "03000000 01000000"],
    ["a variant of two types", "v", "02 7575 00 01000000 01000000"],
    ["a variant of no type", "v", "00 00"],
    ["variants in variants without end", "v", "017600".repeat(80)],
  ])("%s: refused", (_name, signature, bytes) => {
    expect(() => unmarshal(signature, hex(bytes), "little")).toThrow(DbusFormatError);
  });
});

describe("signatures", () => {
  test("are complete types in a row", () => {
    expect(parseSignature("a{sv}").map(({ kind }) => kind)).toEqual(["array"]);
    expect(parseSignature("susssasa{sv}i")).toHaveLength(8);
    expect(parseSignature("")).toEqual([]);
  });

  test.each([
    "a",
    "(",
    "()",
    "(s",
    "{sv}",
    "a{s}",
    "a{svs}",
    "a{(s)v}",
    "z",
    ")",
    "a".repeat(70) + "y",
    "y".repeat(256),
  ])("%j is none", (signature) => {
    expect(() => parseSignature(signature)).toThrow(DbusFormatError);
  });
});

describe("messages", () => {
  /** As Chromium 156 sent it over a socket. */
  const hello = hex(`
    6c01000100000000010000006e000000
    01016f00150000002f6f72672f667265656465736b746f702f44427573000000
    06017300140000006f72672e667265656465736b746f702e4442757300000000
    02017300140000006f72672e667265656465736b746f702e4442757300000000
    030173000500000048656c6c6f000000`);

  test("a browser's first is read", () => {
    expect(decodeMessage(hello)).toEqual({
      size: hello.length,
      message: {
        kind: "call",
        serial: 1,
        isUnanswered: false,
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
        member: "Hello",
        destination: "org.freedesktop.DBus",
        body: [],
      },
    });
  });

  test("are awaited until the last byte is there, and what follows is left", () => {
    for (let size = 0; size < hello.length; size += 1)
      expect(decodeMessage(hello.subarray(0, size))).toBeUndefined();
    expect(decodeMessage(Buffer.concat([hello, hello]))?.size).toBe(hello.length);
  });

  test.each(["little", "big"] as const)("are read as they were written, %s-endian", (order) => {
    const message = {
      kind: "error",
      serial: 7,
      isUnanswered: false,
      replySerial: 3,
      errorName: "org.example.No",
      destination: ":1.1",
      sender: ":1.0",
      signature: "sa{sv}",
      body: ["no", [["k", { signature: "u", value: 1 }]]],
    } as const;
    const bytes = encodeMessage(message, order);
    expect(decodeMessage(bytes)).toEqual({ message, size: bytes.length });
  });

  test.each([
    ["no byte order", (bytes: Buffer) => bytes.writeUInt8(0x78, 0)],
    ["an unknown type", (bytes: Buffer) => bytes.writeUInt8(9, 1)],
    ["an unknown version", (bytes: Buffer) => bytes.writeUInt8(2, 3)],
    ["a body that is too long", (bytes: Buffer) => bytes.writeUInt32LE(0x7fffffff, 4)],
  ])("with %s are refused", (_name, damage) => {
    const bytes = Buffer.from(hello);
    damage(bytes);
    expect(() => decodeMessage(bytes)).toThrow(DbusFormatError);
  });

  test("of any bytes are read or refused, never anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0x6c, 0x42), (tail, mark) => {
        const bytes = Buffer.concat([Buffer.from([mark, 1, 0, 1, 0, 0, 0, 0]), tail]);
        try {
          decodeMessage(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DbusFormatError);
        }
      }),
    );
  });
});

interface Typed {
  readonly signature: string;
  readonly value: DbusValue;
}

function typed<Value extends DbusValue>(signature: string, values: fc.Arbitrary<Value>): fc.Arbitrary<Typed> {
  return values.map((value) => ({ signature, value }));
}
