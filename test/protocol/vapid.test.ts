import { createECDH, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { Secret } from "../../src/base/secret.ts";
import {
  createKeyPair,
  keyPairOf,
  parseKeyPair,
  parseVapidPrivateKey,
  parseVapidPublicKey,
} from "../../src/protocol/vapid.ts";

// The pair of RFC 8291 Appendix A serves as any other.
const publicKey = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
const privateKey = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
const otherPublicKey =
  "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

function failureOf(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

const base64 = (text: string) => Buffer.from(text, "base64url").toString("base64");
const url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

test.each([
  ["unpadded base64url", publicKey],
  ["standard base64", base64(publicKey)],
  ["padded base64url", `${publicKey}=`],
  ["with line breaks around it", `\r\n${publicKey}\n`],
])("a public key in %s becomes unpadded base64url", (_name, text) => {
  expect(parseVapidPublicKey(text)).toBe(publicKey);
});

test.each([
  ["", "is empty"],
  ["not a key!", "is 10 characters, not all of them base64url"],
  [publicKey.slice(0, -2), "is 85 characters, a length no base64url has"],
  [privateKey, "is 32 bytes, as long as a private key, expected 65 beginning 0x04"],
  [
    url(Buffer.concat([Buffer.of(2), Buffer.from(publicKey, "base64url").subarray(1, 33)])),
    "is a compressed point of 33 bytes, expected 65 beginning 0x04",
  ],
  [publicKey.slice(0, -3), "is 63 bytes, expected 65 beginning 0x04"],
  [`C${publicKey.slice(1)}`, "begins with 0x08, expected 65 beginning 0x04"],
  [`${publicKey.slice(0, -4)}AAAA`, "is not a point on the P-256 curve"],
  [url(Buffer.concat([Buffer.of(4), Buffer.alloc(64)])), "is not a point on the P-256 curve"],
  ["-----BEGIN PUBLIC KEY-----", "is PEM, expected base64url"],
  ['{"publicKey":"x"}', "is JSON, expected base64url"],
  [Buffer.from(publicKey, "base64url").toString("hex"), "is 130 hexadecimal digits, expected base64url"],
])("public key %j is refused: it %s", (text, why) => {
  const error = failureOf(() => parseVapidPublicKey(text));
  expect(error.code).toBe("vapid-public-key");
  expect(error.message).toBe(`VAPID public key ${why}`);
});

test.each([
  ["unpadded base64url", privateKey],
  ["standard base64", base64(privateKey)],
  ["33 bytes with a leading zero", url(Buffer.concat([Buffer.of(0), Buffer.from(privateKey, "base64url")]))],
])("a private key in %s becomes 43 characters of base64url", (_name, text) => {
  expect(parseVapidPrivateKey(text).reveal()).toBe(privateKey);
});

test.each([31, 30, 29, 28])("a private key that lost zeros, %i bytes long, is padded to 32", (length) => {
  const short = Buffer.alloc(length, 7);
  const expected = url(Buffer.concat([Buffer.alloc(32 - length), short]));
  expect(parseVapidPrivateKey(url(short)).reveal()).toBe(expected);
});

test.each([
  ["an auth secret", url(Buffer.alloc(16, 7)), "is 16 bytes, expected 32"],
  ["27 bytes", url(Buffer.alloc(27, 7)), "is 27 bytes, expected 32"],
  ["33 bytes that begin with 1", url(Buffer.alloc(33, 1)), "is 33 bytes, expected 32"],
  ["a public key", publicKey, "is 65 bytes beginning 0x04, which is a public key"],
  ["zero", url(Buffer.alloc(32)), "is not a number the P-256 curve allows"],
  [
    "the order of the curve",
    url(Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex")),
    "is not a number the P-256 curve allows",
  ],
  ["hexadecimal", Buffer.alloc(32, 7).toString("hex"), "is 64 hexadecimal digits, expected base64url"],
  ["PEM", "-----BEGIN PRIVATE KEY-----\n…", "is PEM, expected base64url"],
])("%s is refused as a private key", (_name, text, why) => {
  const error = failureOf(() => parseVapidPrivateKey(text));
  expect(error.code).toBe("vapid-private-key");
  expect(error.message).toBe(`VAPID private key ${why}`);
});

test("order - 1 is the largest private key", () => {
  const largest = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
  const key = parseVapidPrivateKey(url(Buffer.from(largest, "hex")));
  expect(parseVapidPublicKey(keyPairOf(key).publicKey)).toHaveLength(87);
});

test("the public key is derived from the private key", () => {
  expect(keyPairOf(new Secret(privateKey)).publicKey).toBe(publicKey);
});

test("a pair is made from the 32 bytes drawn", () => {
  const pair = createKeyPair({ bytes: () => Buffer.from(privateKey, "base64url") });
  expect(pair.publicKey).toBe(publicKey);
  expect(pair.privateKey.reveal()).toBe(privateKey);
});

test("a draw that is no private key is drawn again", () => {
  const draws = [Buffer.alloc(32), Buffer.alloc(32, 0xff), Buffer.from(privateKey, "base64url")];
  const pair = createKeyPair({ bytes: () => draws.shift() ?? Buffer.alloc(0) });
  expect(pair.publicKey).toBe(publicKey);
  expect(draws).toEqual([]);
});

test("a private key with leading zero bytes keeps its 32 bytes and its public key", () => {
  const scalar = Buffer.alloc(32);
  scalar[31] = 5;
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(scalar);
  const pair = createKeyPair({ bytes: () => scalar });
  expect(pair.privateKey.reveal()).toBe(url(scalar));
  expect(pair.publicKey).toBe(ecdh.getPublicKey("base64url"));
});

test("two keys that belong together are a pair", () => {
  const pair = parseKeyPair(base64(publicKey), base64(privateKey));
  expect(pair.publicKey).toBe(publicKey);
  expect(pair.privateKey.reveal()).toBe(privateKey);
});

test("two keys that do not belong together are refused", () => {
  const error = failureOf(() => parseKeyPair(otherPublicKey, privateKey));
  expect(error.code).toBe("vapid-pair-mismatch");
  expect(error.kind).toBe("credentials");
});

test("a pair given the wrong way round is named so", () => {
  const error = failureOf(() => parseKeyPair(privateKey, publicKey));
  expect(error.message).toBe("VAPID public and private key are swapped");
});

test("a pair does not print its private key", () => {
  const pair = createKeyPair({ bytes: randomBytes });
  expect(JSON.stringify(pair)).not.toContain(pair.privateKey.reveal());
});

test("any text is refused with a UserError that shows no part of it, or is a key", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.base64String(),
    fc.uint8Array({ minLength: 20, maxLength: 70 }).map(url),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      for (const parse of [parseVapidPublicKey, parseVapidPrivateKey]) {
        try {
          parse(candidate);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          if (candidate.length > 12) expect(error.message + error.hints.join()).not.toContain(candidate);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
