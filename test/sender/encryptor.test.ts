import { describe, expect, test } from "vitest";
import { createReceiverKeys, decrypt } from "../../src/protocol/decryption.ts";
import { contentEncodings, parseSubscription } from "../../src/protocol/subscription.ts";
import { createEncryptor } from "../../src/sender/encryptor.ts";
import { seededRandom } from "../support/test-context.ts";
import { errorOf } from "../support/thrown.ts";

const keys = createReceiverKeys(seededRandom("receiver"));
const subscriptionFor = (contentEncoding: string) =>
  parseSubscription({
    endpoint: "https://push.example.net/a",
    keys: { p256dh: keys.publicKey, auth: keys.auth.reveal() },
    contentEncoding,
  });

describe("an encryptor on the caller's thread", () => {
  test.each(contentEncodings)("encrypts in %s for who holds the subscription's keys", async (encoding) => {
    using encryptor = createEncryptor(seededRandom("sealing"));
    const { body, headers } = await encryptor.seal(Buffer.from("héllo"), subscriptionFor(encoding));
    expect(Buffer.from(decrypt(body, headers, keys)).toString()).toBe("héllo");
  });

  test("gives every message a salt and a key of its own (RFC 8291 §3.1)", async () => {
    using encryptor = createEncryptor(seededRandom("sealing"));
    const heads = new Set<string>();
    for (let count = 0; count < 300; count += 1) {
      const { body } = await encryptor.seal(Buffer.from("a"), subscriptionFor("aes128gcm"));
      heads.add(Buffer.from(body.subarray(0, 16)).toString("hex"));
      heads.add(Buffer.from(body.subarray(21, 86)).toString("hex"));
    }
    expect(heads.size).toBe(600);
  });

  test("refuses a payload that fits no record", () => {
    using encryptor = createEncryptor(seededRandom("sealing"));
    const error = errorOf(() => encryptor.seal(new Uint8Array(4079), subscriptionFor("aes128gcm")));
    expect(error).toMatchObject({ code: "payload-too-large" });
  });
});
