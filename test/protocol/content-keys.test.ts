import { hkdfSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { deriveContentKeys } from "../../src/protocol/content-keys.ts";
import { bytesOf, vectors } from "./push-parties.ts";

function materialOf(vector: typeof vectors.rfc8291) {
  return {
    ecdhSecret: bytesOf(vector.ecdh_secret),
    auth: bytesOf(vector.auth_secret),
    salt: bytesOf(vector.salt),
    receiverKey: bytesOf(vector.ua_public),
    senderKey: bytesOf(vector.as_public),
  };
}

test.each([
  ["https://www.rfc-editor.org/rfc/rfc8291#appendix-A", "aes128gcm", vectors.rfc8291],
  ["draft-ietf-webpush-encryption-04 §5", "aesgcm", vectors.aesgcm_draft04],
] as const)("%s: key and nonce", (_source, encoding, vector) => {
  const { key, nonce } = deriveContentKeys(encoding, materialOf(vector));
  expect(Buffer.from(key).toString("base64url")).toBe(vector.cek);
  expect(Buffer.from(nonce).toString("base64url")).toBe(vector.nonce);
});

test("the steps are those of Node's HKDF", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const material = fc.record({
    ecdhSecret: bytes(32),
    auth: bytes(16),
    salt: bytes(16),
    receiverKey: bytes(65),
    senderKey: bytes(65),
  });
  fc.assert(
    fc.property(material, (shared) => {
      const info = Buffer.concat([Buffer.from("WebPush: info\0"), shared.receiverKey, shared.senderKey]);
      const ikm = hkdfSync("sha256", shared.ecdhSecret, shared.auth, info, 32);
      const expand = (name: string, length: number) =>
        Buffer.from(hkdfSync("sha256", Buffer.from(ikm), shared.salt, `Content-Encoding: ${name}\0`, length));
      const { key, nonce } = deriveContentKeys("aes128gcm", shared);
      expect(Buffer.compare(key, expand("aes128gcm", 16))).toBe(0);
      expect(Buffer.compare(nonce, expand("nonce", 12))).toBe(0);
    }),
  );
});
