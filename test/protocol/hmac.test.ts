import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hmacSha256 } from "../../src/protocol/hmac.ts";

const bytes = (text: string) => Buffer.from(text, "hex");

test.each([
  [
    "0b".repeat(20),
    Buffer.from("Hi There"),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  ],
  [
    Buffer.from("Jefe").toString("hex"),
    Buffer.from("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [
    "aa".repeat(20),
    bytes("dd".repeat(50)),
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
  ],
])("https://www.rfc-editor.org/rfc/rfc4231#section-4: key %s", (key, message, expected) => {
  expect(hmacSha256(bytes(key), message).toString("hex")).toBe(expected);
});

test("any key up to a block and any message have the HMAC that Node makes of them", () => {
  const parts = [fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 300 })] as const;
  fc.assert(
    fc.property(...parts, (key, message) => {
      const expected = createHmac("sha256", key).update(message).digest();
      expect(Buffer.compare(hmacSha256(key, message), expected)).toBe(0);
    }),
  );
});

test("a key longer than a block is our bug, not another key", () => {
  expect(() => hmacSha256(new Uint8Array(65), new Uint8Array())).toThrow(RangeError);
});
