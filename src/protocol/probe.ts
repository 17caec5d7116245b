/**
 * A probe: a push that no browser can decrypt, to hear what the push service says of a subscription.
 *
 * No push service can be asked whether a subscription lives without sending it something. A
 * probe is a whole, well-formed message, signed as always, but encrypted to keys that nobody
 * has: a browser that is there drops it before the page's service worker is started. TTL 0
 * keeps it from being stored for one that is not. Which browsers are known to drop it is data
 * in `services.ts`.
 */
import { createECDH } from "node:crypto";
import { formatBase64url } from "../base/bytes.ts";
import { Secret } from "../base/secret.ts";
import type { Message } from "./message.ts";
import type { Subscription, SubscriptionKey } from "./subscription.ts";

/** What a probe says, to nobody. Without a payload the worker would be started: there would be nothing to decrypt. */
export const probeMessage: Message = {
  payload: Buffer.from("probe"),
  ttlSeconds: 0,
  urgency: "very-low",
  topic: undefined,
};

/** The keys of a browser that does not exist, new for each probe. */
interface LostKeys {
  /** 32 bytes from `createScalar`; forgotten as soon as its public key is made. */
  readonly privateKey: Uint8Array;
  /** 16 random bytes. */
  readonly auth: Uint8Array;
}

/**
 * The same subscription with keys that nobody has. Always aes128gcm: in aesgcm a browser
 * would look for the keys in HTTP headers, and who drops that has not been measured.
 */
export function withLostKeys(subscription: Subscription, { privateKey, auth }: LostKeys): Subscription {
  const nobody = createECDH("prime256v1");
  nobody.setPrivateKey(privateKey);
  return {
    ...subscription,
    p256dh: formatBase64url(nobody.getPublicKey()) as SubscriptionKey,
    auth: new Secret(formatBase64url(auth)),
    contentEncoding: "aes128gcm",
  };
}
