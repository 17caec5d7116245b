/**
 * Whom the measurements send to, and with what: made beforehand, so that nobody's key generation is counted.
 */
import { createECDH, randomBytes } from "node:crypto";

/** A message of 300 bytes: a title, a text, a link. */
export const payload = JSON.stringify({ title: "Order shipped", body: "x".repeat(247), url: "/orders/7" });

export const subject = "mailto:ops@example.com";

/** Nobody caches by a recipient's key; making a million pairs would only take time. */
const distinctKeys = 10_000;

/** Subscriptions as `JSON.stringify(pushSubscription)` writes them, with endpoints as long as FCM's. */
export function* subscriptions(origin, count) {
  const pair = createECDH("prime256v1");
  const keys = Array.from({ length: Math.min(count, distinctKeys) }, () => pair.generateKeys("base64url"));
  for (let index = 0; index < count; index += 1) {
    const endpoint = `${origin}/fcm/send/${randomBytes(114).toString("base64url")}`;
    const auth = randomBytes(16).toString("base64url");
    yield JSON.stringify({
      endpoint,
      expirationTime: null,
      keys: { p256dh: keys[index % distinctKeys], auth },
    });
  }
}
