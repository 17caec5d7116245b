import { expect, test } from "vitest";
import { createReceiverKeys, decrypt } from "../../src/protocol/decryption.ts";
import { createRecordEncryption } from "../../src/protocol/encryption.ts";
import { contentEncodings, parseSubscription } from "../../src/protocol/subscription.ts";
import { packOrder, sealOrder, unpackBatch } from "../../src/sender/encryption-batch.ts";
import { bytesOf, materialOf, subscriptionOf, vectors } from "../protocol/push-parties.ts";
import { seededRandom } from "../support/test-context.ts";

/** Hands out these bytes, in this order. */
function scriptedRandom(...draws: readonly Uint8Array[]) {
  const rest = [...draws];
  return { bytes: () => rest.shift() ?? new Uint8Array() };
}

test("a batch encrypts the messages of RFC 8291 Appendix A and of the aesgcm draft to the octet", () => {
  const { rfc8291, aesgcm_draft04 } = vectors;
  const sealings = [
    { payload: bytesOf(rfc8291.plaintext), to: subscriptionOf(rfc8291) },
    { payload: bytesOf(aesgcm_draft04.plaintext), to: subscriptionOf(aesgcm_draft04, "aesgcm") },
  ];
  const random = scriptedRandom(
    ...[rfc8291, aesgcm_draft04].flatMap((vector) => {
      const { salt, privateKey } = materialOf(vector);
      return [salt, privateKey];
    }),
  );
  const sealed = unpackBatch(sealOrder(packOrder(sealings), createRecordEncryption(), random), sealings);
  expect(sealed.map(({ body }) => Buffer.from(body).toString("base64url"))).toEqual([
    rfc8291.body,
    aesgcm_draft04.body,
  ]);
  expect(sealed[1]?.headers).toEqual({
    "content-encoding": "aesgcm",
    encryption: `salt=${aesgcm_draft04.salt}`,
    "crypto-key": `dh=${aesgcm_draft04.as_public}`,
  });
});

test("payloads that differ, recipients that differ and both codings keep their order", () => {
  const random = seededRandom("batch");
  const shared = Buffer.from("to all");
  const people = Array.from({ length: 40 }, (_, index) => {
    const keys = createReceiverKeys(random);
    const to = parseSubscription({
      endpoint: `https://push.example.net/${index}`,
      keys: { p256dh: keys.publicKey, auth: keys.auth.reveal() },
      contentEncoding: contentEncodings[index % 2],
    });
    return { keys, to, payload: index % 3 === 0 ? Buffer.from(`to ${index} alone`) : shared };
  });
  const sealed = unpackBatch(sealOrder(packOrder(people), createRecordEncryption(), random), people);
  const read = sealed.map(({ body, headers }, index) => {
    const keys = people[index]?.keys;
    return keys === undefined ? undefined : Buffer.from(decrypt(body, headers, keys)).toString();
  });
  expect(read).toEqual(people.map(({ payload }) => payload.toString()));
});

test("a payload for many goes over once, and without what lies around it in memory", () => {
  const to = subscriptionOf(vectors.rfc8291);
  const payload = Buffer.from("secret hello secret").subarray(7, 12);
  const { payloads } = packOrder([
    { payload, to },
    { payload, to },
  ]);
  expect(payloads.map((bytes) => Buffer.from(bytes.buffer).toString())).toEqual(["hello"]);
  expect(payload.toString()).toBe("hello");
});
