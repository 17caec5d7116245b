/**
 * One VAPID token per key, origin and coding.
 *
 * A token is good for every message to its origin until it expires (RFC 8292 §5);
 * Apple asks not to be shown a new one more than about once an hour. Signing anew
 * for each message would also cost more than encrypting it.
 */
import type { Clock } from "../base/clock.ts";
import type { Subject } from "../protocol/subject.ts";
import { endpointOrigin, type ContentEncoding, type Endpoint } from "../protocol/subscription.ts";
import { signToken } from "../protocol/vapid-token.ts";
import type { VapidKeyPair } from "../protocol/vapid.ts";

/** Authorization headers by recipient. */
export interface TokenCache {
  authorizationFor(
    endpoint: Endpoint,
    pair: VapidKeyPair,
    encoding: ContentEncoding,
  ): Readonly<Record<string, string>>;
}

/** Half of the 24 h that RFC 8292 §2 allows: a clock that is hours ahead still makes valid tokens. */
const lifetimeMs = 12 * 3_600_000;
/** A token is replaced this long before it expires, so that none expires in flight. */
const marginMs = 10 * 60_000;

interface CachedToken {
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: number;
}

/** A cache for one run; tokens are signed when first asked for. */
export function createTokenCache({
  subject,
  clock,
}: {
  readonly subject: Subject | undefined;
  readonly clock: Clock;
}): TokenCache {
  const tokens = new Map<string, CachedToken>();
  return {
    authorizationFor(endpoint, pair, encoding) {
      const audience = endpointOrigin(endpoint);
      const key = `${encoding} ${pair.publicKey} ${audience}`;
      const cached = tokens.get(key);
      const now = clock.now();
      if (cached !== undefined && cached.expiresAt - marginMs > now) return cached.headers;
      const expiresAt = now + lifetimeMs;
      const headers = signToken({ audience, subject, pair, expiresAt, encoding });
      tokens.set(key, { headers, expiresAt });
      return headers;
    },
  };
}
