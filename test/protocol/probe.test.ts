import { expect, test } from "vitest";
import { createReceiverKeys, decrypt } from "../../src/protocol/decryption.ts";
import { encrypt } from "../../src/protocol/encryption.ts";
import { probeMessage, withLostKeys } from "../../src/protocol/probe.ts";
import { parseSubscription } from "../../src/protocol/subscription.ts";
import { createScalar } from "../../src/protocol/vapid.ts";
import { seededRandom } from "../support/test-context.ts";

const keys = createReceiverKeys(seededRandom("browser"));
const subscription = parseSubscription({
  endpoint: "https://push.example.net/send/alice",
  keys: { p256dh: keys.publicKey, auth: keys.auth.reveal() },
  contentEncoding: "aesgcm",
});

function lost(seed: string) {
  const random = seededRandom(seed);
  return withLostKeys(subscription, { privateKey: createScalar(random), auth: random.bytes(16) });
}

test("a probe is a whole aes128gcm message that its subscription's keys do not open", () => {
  const random = seededRandom("sender");
  const material = { salt: random.bytes(16), privateKey: createScalar(random) };
  const { body, headers } = encrypt(probeMessage.payload ?? Buffer.alloc(0), lost("lost"), material);
  expect(headers).toEqual({ "content-encoding": "aes128gcm" });
  expect(Buffer.from(body).readUInt32BE(16)).toBe(4096);
  expect(body[20]).toBe(65);
  expect(() => decrypt(body, headers, keys)).toThrow();
});

test("it goes to the same endpoint, and its keys are other ones each time", () => {
  const [one, two] = [lost("one"), lost("two")];
  expect(one).toMatchObject({ endpoint: subscription.endpoint, contentEncoding: "aes128gcm" });
  expect(
    parseSubscription({ endpoint: one.endpoint, keys: { p256dh: one.p256dh, auth: one.auth.reveal() } }),
  ).toBeDefined();
  expect(new Set([subscription.p256dh, one.p256dh, two.p256dh]).size).toBe(3);
  expect(one.auth.reveal()).not.toBe(two.auth.reveal());
});

test("it is for now or never, and the least urgent of all", () => {
  expect(probeMessage).toMatchObject({ ttlSeconds: 0, urgency: "very-low", topic: undefined });
  expect(probeMessage.payload?.length).toBeGreaterThan(0);
});
