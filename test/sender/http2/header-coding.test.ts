/** HPACK, RFC 7541; its examples are those of Appendix C. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CompressionError, HeaderDecoder } from "../../../src/sender/http2/header-decoder.ts";
import { assertHeaders, HeaderEncoder } from "../../../src/sender/http2/header-encoder.ts";
import { readHuffman } from "../../../src/sender/http2/huffman.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ""), "hex");

function decodeAll(...blocks: Buffer[]): (readonly string[])[] {
  const decoder = new HeaderDecoder();
  return blocks.map((block) => decoder.decode(block).map(({ name, value }) => `${name}: ${value}`));
}

describe("reading", () => {
  test("RFC 7541 §C.3: requests without Huffman coding, one after another", () => {
    expect(
      decodeAll(
        hex("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d"),
        hex("8286 84be 5808 6e6f 2d63 6163 6865"),
        hex("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"),
      ),
    ).toEqual([
      [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
      [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
      [
        ":method: GET",
        ":scheme: https",
        ":path: /index.html",
        ":authority: www.example.com",
        "custom-key: custom-value",
      ],
    ]);
  });

  test("RFC 7541 §C.6.1: a response with Huffman coding", () => {
    expect(
      decodeAll(
        hex(
          `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
           2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        ),
      ),
    ).toEqual([
      [
        ":status: 302",
        "cache-control: private",
        "date: Mon, 21 Oct 2013 20:13:21 GMT",
        "location: https://www.example.com",
      ],
    ]);
  });

  test("RFC 7541 §C.2.2 and §C.2.3: fields that enter no table", () => {
    expect(
      decodeAll(hex("040c 2f73 616d 706c 652f 7061 7468"), hex("1008 7061 7373 776f 7264 0673 6563 7265 74")),
    ).toEqual([[":path: /sample/path"], ["password: secret"]]);
  });

  test("the oldest entry leaves the table when it is full", () => {
    const decoder = new HeaderDecoder();
    const field = (name: string) =>
      Buffer.concat([Buffer.of(0x40, 1), Buffer.from(name), hex("7fa10f"), Buffer.alloc(2080, "v")]);
    decoder.decode(field("a"));
    decoder.decode(field("b")); // together more than 4096 bytes
    expect(decoder.decode(Buffer.of(0xbe)).map(({ name }) => name)).toEqual(["b"]);
    expect(() => decoder.decode(Buffer.of(0xbf))).toThrow(CompressionError);
  });

  test("a table may be emptied, and that is all of it", () => {
    const decoder = new HeaderDecoder();
    decoder.decode(hex("4001 6101 62"));
    expect(decoder.decode(hex("20 3f e1 1f 82"))).toHaveLength(1);
    expect(() => decoder.decode(hex("be"))).toThrow(CompressionError);
  });

  test.each([
    ["index 0", "80"],
    ["an index beyond the tables", "be"],
    ["an integer without end", "ff ff ff ff ff ff 01"],
    ["an integer that is cut short", "ff"],
    ["a string that is cut short", "00 05 61"],
    ["a length without a string", "00 01"],
    ["a table larger than agreed", "3f e2 1f"],
    ["a table resized inside a block", "82 20"],
    ["padding that is not of ones", "00 81 18 00"],
    ["padding of more than seven bits", "00 82 1f ff 00"],
    ["the end of a string inside of one", "00 84 ff ff ff ff 00"],
  ])("%s cannot be read", (_, block) => {
    expect(() => new HeaderDecoder().decode(hex(block))).toThrow(CompressionError);
  });

  test("whatever comes, it is read or it is a CompressionError", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HeaderDecoder();
        for (const block of blocks) {
          try {
            decoder.decode(Buffer.from(block));
          } catch (error) {
            expect(error).toBeInstanceOf(CompressionError);
            return;
          }
        }
      }),
    );
  });
});

test("a Huffman-coded string of every length is read, whatever its padding", () => {
  // `0` is 00000 and `a` 00011: eight of them fill five bytes.
  expect(readHuffman(hex("00 7f"), 0, 1)).toBeUndefined(); // padded with zeros
  expect(readHuffman(hex("07"), 0, 1)).toBe("0");
  expect(readHuffman(hex("1f"), 0, 1)).toBe("a");
  expect(readHuffman(hex("ff"), 0, 1)).toBeUndefined();
  expect(readHuffman(hex("00 00 00 00 00"), 0, 5)).toBe("00000000");
});

describe("writing", () => {
  const fields = fc.array(
    fc.record({
      headers: fc.dictionary(
        fc.constantFrom("ttl", "topic", "authorization", "content-encoding", "encryption", "x-own"),
        fc.oneof(fc.constantFrom("a", "b", ""), fc.string({ unit: "binary-ascii", maxLength: 900 })),
      ),
      path: fc.string({ unit: "grapheme-ascii", maxLength: 300 }),
    }),
    { maxLength: 30 },
  );

  test.each([4096, 200, 60, 0])("what is written is read, with a table of %i bytes", (tableBytes) => {
    fc.assert(
      fc.property(fields, (requests) => {
        const encoder = new HeaderEncoder();
        const decoder = new HeaderDecoder();
        encoder.limitTable(tableBytes);
        const out = Buffer.alloc(16_384);
        for (const { headers, path } of requests) {
          const end = encoder.encode({ host: "push.test", path, headers }, out, 7);
          const read = decoder.decode(out.subarray(7, end)).map(({ name, value }) => [name, value]);
          expect(read).toEqual([
            [":method", "POST"],
            [":scheme", "https"],
            [":authority", "push.test"],
            [":path", path],
            ...Object.entries(headers),
          ]);
        }
      }),
    );
  });

  test("a table that the service makes smaller is made smaller at once", () => {
    const encoder = new HeaderEncoder();
    const decoder = new HeaderDecoder();
    const out = Buffer.alloc(16_384);
    const request = { host: "push.test", path: "/", headers: { ttl: "60" } };
    decoder.decode(out.subarray(0, encoder.encode(request, out, 0)));
    encoder.limitTable(0);
    const end = encoder.encode(request, out, 0);
    expect(out[0]).toBe(0x20);
    expect(decoder.decode(out.subarray(0, end)).at(-1)).toMatchObject({ name: "ttl", value: "60" });
  });

  test.each([
    [{ ttl: "1\r\nx: y" }, "Invalid character in header content"],
    [{ ttl: "1\0" }, "Invalid character in header content"],
    [{ "a b": "1" }, "Invalid character in header name"],
    [{ Topic: "1" }, "Invalid character in header name"],
    [{ ":path": "/" }, "Invalid character in header name"],
    [{ topic: "x".repeat(16_400) }, "the headers of a request are"],
  ])("headers %j are a bug's, and stop before anything is written", (headers, message) => {
    expect(() => {
      assertHeaders({ host: "push.test", path: "/", headers: headers });
    }).toThrow(message);
  });
});
