/** Valid values for tests that are about something else. */
import { createECDH, createHash } from "node:crypto";
import { formatBase64url } from "../../src/base/bytes.ts";
import {
  parseEndpoint,
  parseSubscription,
  type Endpoint,
  type Subscription,
} from "../../src/protocol/subscription.ts";
import { createKeyPair, type VapidKeyPair } from "../../src/protocol/vapid.ts";
import { seededRandom } from "./test-context.ts";

/** The key pair of this name; the same in every run. */
export function samplePair(name: string): VapidKeyPair {
  return createKeyPair(seededRandom(`pair ${name}`));
}

/** Where the browser of this name is to be reached. */
export function sampleEndpoint(name: string): Endpoint {
  return parseEndpoint(`https://push.example.net/send/${name}`);
}

/** `PushSubscription.toJSON()` of a browser of this name; the same in every run. */
export function sampleJson(name: string, over: Readonly<Record<string, unknown>> = {}) {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(createHash("sha256").update(`subscriber ${name}`).digest());
  return {
    endpoint: sampleEndpoint(name) as string,
    expirationTime: null as number | null,
    keys: {
      p256dh: formatBase64url(ecdh.getPublicKey()),
      auth: formatBase64url(createHash("sha256").update(`auth ${name}`).digest().subarray(0, 16)),
    },
    ...over,
  };
}

/** The same as a parsed subscription. */
export function sampleSubscription(name: string, over: Readonly<Record<string, unknown>> = {}): Subscription {
  return parseSubscription(sampleJson(name, over));
}
