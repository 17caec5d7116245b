import { randomBytes } from "node:crypto";
import fc from "fast-check";
import ece from "http_ece";
import { expect, test } from "vitest";
import webPush from "web-push";
import { createReceiverKeys, decrypt, type ReceiverKeys } from "../../src/protocol/decryption.ts";
import { createRecordEncryption, encrypt } from "../../src/protocol/encryption.ts";
import {
  parseSubscription,
  type ContentEncoding,
  type Subscription,
} from "../../src/protocol/subscription.ts";
import { createScalar } from "../../src/protocol/vapid.ts";
import { bytesOf, ecdhOf, materialOf, receiverOf, subscriptionOf, vectors } from "./push-parties.ts";

const random = { bytes: (length: number) => randomBytes(length) };
const freshMaterial = () => ({ salt: randomBytes(16), privateKey: createScalar(random) });

function subscriptionFor(keys: ReceiverKeys, contentEncoding: ContentEncoding): Subscription {
  return parseSubscription({
    endpoint: "https://push.example.net/a",
    keys: { p256dh: keys.publicKey, auth: keys.auth.reveal() },
    contentEncoding,
  });
}

test("https://www.rfc-editor.org/rfc/rfc8291#section-5: the example message is encrypted to the octet", () => {
  const vector = vectors.rfc8291;
  const { body, headers } = encrypt(bytesOf(vector.plaintext), subscriptionOf(vector), materialOf(vector));
  expect(Buffer.from(body).toString("base64url")).toBe(vector.body);
  expect(headers).toEqual({ "content-encoding": "aes128gcm" });
});

test("https://www.rfc-editor.org/rfc/rfc8291#appendix-A: the example message is decrypted", () => {
  const vector = vectors.rfc8291;
  const plaintext = decrypt(bytesOf(vector.body), { "content-encoding": "aes128gcm" }, receiverOf(vector));
  expect(Buffer.from(plaintext).toString()).toBe("When I grow up, I want to be a watermelon");
});

test("https://datatracker.ietf.org/doc/html/draft-ietf-webpush-encryption-04#section-5: aesgcm is encrypted to the octet", () => {
  const vector = vectors.aesgcm_draft04;
  const sealed = encrypt(bytesOf(vector.plaintext), subscriptionOf(vector, "aesgcm"), materialOf(vector));
  expect(Buffer.from(sealed.body).toString("base64url")).toBe(vector.body);
  expect(sealed.headers).toEqual({
    "content-encoding": "aesgcm",
    encryption: `salt=${vector.salt}`,
    "crypto-key": `dh=${vector.as_public}`,
  });
  expect(Buffer.from(decrypt(sealed.body, sealed.headers, receiverOf(vector))).toString()).toBe(
    "I am the walrus",
  );
});

test.each(["aes128gcm", "aesgcm"] as const)("what we encrypt as %s, http_ece alone decrypts", (version) => {
  const vector = vectors.rfc8291;
  const material = freshMaterial();
  const { body } = encrypt(Buffer.from("héllo"), subscriptionOf(vector, version), material);
  const sender = ecdhOf(Buffer.from(material.privateKey).toString("base64url")).getPublicKey();
  const plaintext = ece.decrypt(Buffer.from(body), {
    version,
    privateKey: ecdhOf(vector.ua_private),
    authSecret: vector.auth_secret,
    ...(version === "aesgcm" ? { salt: Buffer.from(material.salt), dh: sender } : {}),
  });
  expect(plaintext.toString()).toBe("héllo");
});

test.each(["aes128gcm", "aesgcm"] as const)("what web-push encrypts as %s, we decrypt", (encoding) => {
  const keys = createReceiverKeys(random);
  const sealed = webPush.encrypt(keys.publicKey, keys.auth.reveal(), "héllo", encoding);
  const headers = {
    "content-encoding": encoding,
    encryption: `salt=${sealed.salt}`,
    "crypto-key": `dh=${Buffer.from(sealed.localPublicKey).toString("base64url")};p256ecdsa=BA`,
  };
  expect(Buffer.from(decrypt(sealed.cipherText, headers, keys)).toString()).toBe("héllo");
});

test("an empty plaintext and one of 3993 bytes make bodies of 103 and 4096 bytes", () => {
  const to = subscriptionOf(vectors.rfc8291);
  expect(encrypt(new Uint8Array(), to, freshMaterial()).body).toHaveLength(103);
  expect(encrypt(new Uint8Array(3993), to, freshMaterial()).body).toHaveLength(4096);
  expect(encrypt(new Uint8Array(3994), to, freshMaterial()).body).toHaveLength(4097);
});

test("what does not fit one record is our bug, not a second record", () => {
  const to = subscriptionOf(vectors.rfc8291);
  expect(encrypt(new Uint8Array(4078), to, freshMaterial()).body).toHaveLength(4078 + 103);
  expect(() => encrypt(new Uint8Array(4079), to, freshMaterial())).toThrow(RangeError);
});

test("one encryption makes of message after message what a new one would make of each", () => {
  const { rfc8291, aesgcm_draft04 } = vectors;
  const encryptRecord = createRecordEncryption();
  for (const [vector, encoding] of [
    [rfc8291, "aes128gcm"],
    [aesgcm_draft04, "aesgcm"],
    [rfc8291, "aes128gcm"],
  ] as const) {
    const to = subscriptionOf(vector, encoding);
    const { body } = encrypt(bytesOf(vector.plaintext), to, materialOf(vector), encryptRecord);
    expect(Buffer.from(body).toString("base64url")).toBe(vector.body);
  }
});

test("a view into a larger buffer is encrypted for what it shows, not for what lies around it", () => {
  const vector = vectors.rfc8291;
  const around = Buffer.concat([Buffer.from("secret"), bytesOf(vector.plaintext), Buffer.from("secret")]);
  const view = new Uint8Array(around.buffer, around.byteOffset + 6, 41);
  const { body } = encrypt(view, subscriptionOf(vector), materialOf(vector));
  expect(Buffer.from(body).toString("base64url")).toBe(vector.body);
});

test.each(["aes128gcm", "aesgcm"] as const)(
  "every length from 0 to 3993 comes back from %s as it went in",
  (encoding) => {
    const keys = createReceiverKeys(random);
    const to = subscriptionFor(keys, encoding);
    const lengths = fc.oneof(
      fc.constantFrom(0, 1, 2, 15, 16, 17, 3992, 3993),
      fc.integer({ min: 0, max: 3993 }),
    );
    // Bytes that look like padding and its delimiters must survive too.
    fc.assert(
      fc.property(lengths, fc.constantFrom(0, 1, 2, 255), (length, byte) => {
        const plaintext = Buffer.alloc(length, byte);
        const { body, headers } = encrypt(plaintext, to, freshMaterial());
        expect(Buffer.compare(decrypt(body, headers, keys), plaintext)).toBe(0);
      }),
    );
  },
);

test("receiver keys are a key pair and 16 bytes, and print as secrets", () => {
  const keys = createReceiverKeys(random);
  expect(ecdhOf(keys.privateKey.reveal()).getPublicKey("base64url")).toBe(
    Buffer.from(keys.publicKey, "base64url").toString("base64url"),
  );
  expect(bytesOf(keys.auth.reveal())).toHaveLength(16);
  expect(JSON.stringify(keys)).not.toContain(keys.auth.reveal());
});
