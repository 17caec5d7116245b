/** PROTOCOL.md A.1 as data: bodies that no receiver of RFC 8291's vector may take for a message. */
import { createCipheriv, hkdfSync } from "node:crypto";
import { bytesOf, ecdhOf, vectors } from "./push-parties.ts";

const vector = vectors.rfc8291;
const body = bytesOf(vector.body);

/** A copy of the RFC's body with `change` done to it. */
export function changed(change: (copy: Buffer) => Buffer | undefined): Buffer {
  const copy = Buffer.from(body);
  return change(copy) ?? copy;
}

/** Seals one record's raw plaintext, delimiter and all, by node:crypto alone (RFC 8291 §3.4). */
export function sealRecord(record: Uint8Array): Buffer {
  const sender = ecdhOf(vector.as_private);
  const info = Buffer.concat([
    Buffer.from("WebPush: info\0"),
    bytesOf(vector.ua_public),
    sender.getPublicKey(),
  ]);
  const salt = bytesOf(vector.salt);
  const secret = sender.computeSecret(bytesOf(vector.ua_public));
  const ikm = Buffer.from(hkdfSync("sha256", secret, bytesOf(vector.auth_secret), info, 32));
  const key = Buffer.from(hkdfSync("sha256", ikm, salt, "Content-Encoding: aes128gcm\0", 16));
  const nonce = Buffer.from(hkdfSync("sha256", ikm, salt, "Content-Encoding: nonce\0", 12));
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  return Buffer.concat([body.subarray(0, 86), cipher.update(record), cipher.final(), cipher.getAuthTag()]);
}

/** Each with the reason it is refused for. */
export const badBodies: readonly (readonly [string, Buffer, string])[] = [
  ["an empty body", Buffer.alloc(0), "too-short"],
  ["a body that ends in its header", body.subarray(0, 20), "too-short"],
  ["a body that is its header alone", body.subarray(0, 86), "too-short"],
  ["a body one byte short of an empty message", body.subarray(0, 102), "too-short"],
  ["a record size of 17", changed((copy) => void copy.writeUInt32BE(17, 16)), "record-size"],
  ["a record size of 0", changed((copy) => void copy.writeUInt32BE(0, 16)), "record-size"],
  ["a key id of 64 bytes", changed((copy) => void copy.writeUInt8(64, 20)), "key-id"],
  ["no key id", changed((copy) => void copy.writeUInt8(0, 20)), "key-id"],
  [
    "a hybrid point as the sender's key",
    changed((copy) => void copy.writeUInt8(6 + (copy.readUInt8(85) & 1), 21)),
    "sender-key",
  ],
  [
    "a sender's key off the curve",
    changed((copy) => void copy.writeUInt8(copy.readUInt8(85) ^ 1, 85)),
    "sender-key",
  ],
  ["a sender's key of zeros", changed((copy) => copy.fill(0, 22, 86)), "sender-key"],
  [
    "one bit changed in the salt",
    changed((copy) => void copy.writeUInt8(copy.readUInt8(0) ^ 1, 0)),
    "authentication",
  ],
  [
    "one bit changed in the ciphertext",
    changed((copy) => void copy.writeUInt8(copy.readUInt8(90) ^ 1, 90)),
    "authentication",
  ],
  [
    "one bit changed in the tag",
    changed((copy) => void copy.writeUInt8(copy.readUInt8(143) ^ 128, 143)),
    "authentication",
  ],
  ["a byte too many", Buffer.concat([body, Buffer.of(0)]), "authentication"],
  ["a byte too few", body.subarray(0, 143), "authentication"],
  ["a record size below the record", changed((copy) => void copy.writeUInt32BE(57, 16)), "records"],
  ["the delimiter of a record that is not the last", sealRecord(Buffer.from("hello\u0001")), "padding"],
  ["the delimiter 0x03", sealRecord(Buffer.from("hello\u0003")), "padding"],
  ["no delimiter but zeros", sealRecord(Buffer.alloc(5)), "padding"],
];
