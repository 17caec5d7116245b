import { createECDH, randomBytes } from "node:crypto";
import fc from "fast-check";
import ece from "http_ece";
import { expect, test } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { createReceiverKeys, decrypt, DecryptionError } from "../../src/protocol/decryption.ts";
import { badBodies, changed, sealRecord } from "./bad-bodies.ts";
import {
  bytesOf,
  ecdhOf,
  materialOf,
  reasonOf,
  receiverOf,
  subscriptionOf,
  vectors,
} from "./push-parties.ts";
import { encrypt } from "../../src/protocol/encryption.ts";

const vector = vectors.rfc8291;
const keys = receiverOf(vector);
const body = bytesOf(vector.body);
const standard = { "content-encoding": "aes128gcm" };
const random = { bytes: (length: number) => randomBytes(length) };

test.each(badBodies)(
  "https://www.rfc-editor.org/rfc/rfc8188#section-2: %s is refused",
  (_name, damaged, reason) => {
    expect(reasonOf(() => decrypt(damaged, standard, keys))).toBe(reason);
  },
);

test("a record of exactly the record size is one record", () => {
  const exact = changed((copy) => void copy.writeUInt32BE(58, 16));
  expect(Buffer.from(decrypt(exact, standard, keys)).toString()).toContain("watermelon");
});

test("https://www.rfc-editor.org/rfc/rfc8291#section-4: two records under a proper key are refused", () => {
  const two = ece.encrypt(Buffer.from("I am the walrus"), {
    version: "aes128gcm",
    privateKey: ecdhOf(vector.as_private),
    dh: vector.ua_public,
    authSecret: vector.auth_secret,
    rs: 25,
  });
  expect(reasonOf(() => decrypt(two, standard, keys))).toBe("records");
});

test.each([
  ["https://www.rfc-editor.org/rfc/rfc8188#section-3.1", vectors.rfc8188_single],
  ["https://www.rfc-editor.org/rfc/rfc8188#section-3.2", vectors.rfc8188_two_records],
])("%s: the record layer alone decrypts it; a push receiver refuses its key id", (_url, example) => {
  // http_ece takes a given key for the whole input keying material.
  const parameters = { version: "aes128gcm", key: example.ikm } as unknown as Parameters<
    typeof ece.decrypt
  >[1];
  expect(ece.decrypt(bytesOf(example.body), parameters).toString("base64url")).toBe(example.plaintext);
  expect(reasonOf(() => decrypt(bytesOf(example.body), standard, keys))).toBe("key-id");
});

test("a wrong auth secret and a wrong receiver key are refused like damage: nobody can tell them apart", () => {
  const otherAuth = { ...keys, auth: new Secret(Buffer.alloc(16).toString("base64url")) };
  expect(reasonOf(() => decrypt(body, standard, otherAuth))).toBe("authentication");
  expect(reasonOf(() => decrypt(body, standard, createReceiverKeys(random)))).toBe("authentication");
});

test("padding of every length up to the maximum is taken off", () => {
  for (let padding = 0; padding <= 3992; padding += padding < 40 ? 1 : 247) {
    const record = Buffer.concat([Buffer.from("h"), Buffer.of(2), Buffer.alloc(padding)]);
    expect(Buffer.from(decrypt(sealRecord(record), standard, keys)).toString()).toBe("h");
  }
  const longest = sealRecord(Buffer.concat([Buffer.from("h"), Buffer.of(2), Buffer.alloc(3992)]));
  expect(longest).toHaveLength(4096);
  expect(Buffer.from(decrypt(longest, standard, keys)).toString()).toBe("h");
});

test("an empty message is no error", () => {
  expect(decrypt(sealRecord(Buffer.of(2)), standard, keys)).toHaveLength(0);
});

test.each<readonly [string, Record<string, string>]>([
  ["no Content-Encoding", {}],
  ["the dead aesgcm128", { "content-encoding": "aesgcm128" }],
  ["two codings", { "content-encoding": "gzip, aes128gcm" }],
])("%s is refused", (_name, headers) => {
  expect(reasonOf(() => decrypt(body, headers, keys))).toBe("encoding");
});

test("the name of the coding is read without case", () => {
  expect(decrypt(body, { "content-encoding": " AES128GCM " }, keys)).toHaveLength(41);
});

const legacy = vectors.aesgcm_draft04;
const legacyKeys = receiverOf(legacy);
const legacyBody = bytesOf(legacy.body);
const legacyHeaders = {
  "content-encoding": "aesgcm",
  encryption: `salt=${legacy.salt}`,
  "crypto-key": `dh=${legacy.as_public}`,
};

test.each<readonly [string, Record<string, string>]>([
  ["as the draft has them", {}],
  [
    "with rs and a key id",
    {
      encryption: `keyid=p256dh;salt=${legacy.salt};rs=4096`,
      "crypto-key": `keyid=p256dh;dh=${legacy.as_public}`,
    },
  ],
  ["with the VAPID key first", { "crypto-key": `p256ecdsa=BAAA;dh=${legacy.as_public}` }],
  ["in two elements", { "crypto-key": `p256ecdsa=BAAA, dh=${legacy.as_public}` }],
  ["quoted and padded", { encryption: `salt="${legacy.salt}=="`, "crypto-key": `DH="${legacy.as_public}="` }],
])("aesgcm headers %s are read", (_name, headers) => {
  const plaintext = decrypt(legacyBody, { ...legacyHeaders, ...headers }, legacyKeys);
  expect(Buffer.from(plaintext).toString()).toBe("I am the walrus");
});

test.each<readonly [string, Record<string, string>, Buffer, string]>([
  ["without a salt", { encryption: "rs=4096" }, legacyBody, "headers"],
  ["with a short salt", { encryption: "salt=AAAA" }, legacyBody, "headers"],
  ["without dh", { "crypto-key": `p256ecdsa=${legacy.as_public}` }, legacyBody, "headers"],
  [
    "with a damaged dh",
    { "crypto-key": `dh=${legacy.as_public.slice(0, -4)}AAAA` },
    legacyBody,
    "sender-key",
  ],
  ["with a short dh", { "crypto-key": "dh=BAAA" }, legacyBody, "sender-key"],
  ["with rs=2", { encryption: `salt=${legacy.salt};rs=2` }, legacyBody, "record-size"],
  ["with rs=x", { encryption: `salt=${legacy.salt};rs=x` }, legacyBody, "record-size"],
  ["with more than one record", { encryption: `salt=${legacy.salt};rs=16` }, legacyBody, "records"],
  [
    "with a full record, which announces another",
    { encryption: `salt=${legacy.salt};rs=17` },
    legacyBody,
    "records",
  ],
  ["cut to 17 bytes", {}, legacyBody.subarray(0, 17), "too-short"],
  ["with another salt", { encryption: `salt=${vector.salt}` }, legacyBody, "authentication"],
])("aesgcm %s is refused", (_name, headers, bytes, reason) => {
  expect(reasonOf(() => decrypt(bytes, { ...legacyHeaders, ...headers }, legacyKeys))).toBe(reason);
});

test("no change of any one byte is ever accepted", () => {
  const { body: sealed } = encrypt(Buffer.from("hello"), subscriptionOf(vector), materialOf(vector));
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const copy = Buffer.from(sealed);
      copy.writeUInt8(copy.readUInt8(at) ^ mask, at);
      // The record size alone is not authenticated, and any that holds the record is as good.
      if (at >= 16 && at < 20 && copy.readUInt32BE(16) >= 22) return;
      expect(() => decrypt(copy, standard, keys)).toThrow(DecryptionError);
    }),
  );
});

test("arbitrary bytes and headers are only ever refused with a DecryptionError", () => {
  const point = createECDH("prime256v1").generateKeys();
  const withHeader = fc
    .tuple(fc.integer({ min: 0, max: 5000 }), fc.uint8Array({ maxLength: 200 }))
    .map(([size, rest]) => {
      const head = Buffer.alloc(21, 65);
      head.writeUInt32BE(size, 16);
      return Buffer.concat([head, point, rest]);
    });
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), withHeader);
  const coding = fc.constantFrom("aes128gcm", "aesgcm");
  const parameters = fc.oneof(
    fc.string(),
    fc.constantFrom(legacyHeaders.encryption, legacyHeaders["crypto-key"]),
  );
  fc.assert(
    fc.property(bytes, coding, parameters, parameters, (arbitrary, encoding, encryption, cryptoKey) => {
      const headers = { "content-encoding": encoding, encryption, "crypto-key": cryptoKey };
      expect(() => decrypt(arbitrary, headers, keys)).toThrow(DecryptionError);
    }),
    { numRuns: 500 },
  );
});
