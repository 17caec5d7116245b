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

/** The headers that carry a token. */
export type Authorization = Readonly<Record<string, string>>;

/** A token that a service refused because of its time. */
export interface RefusedToken {
  readonly authorization: Authorization;
  /** How far the local clock is ahead of the service's, as far as the answer told. */
  readonly clockSkewMs: number | undefined;
}

/** Authorization headers by recipient. */
export interface TokenCache {
  authorizationFor(endpoint: Endpoint, pair: VapidKeyPair, encoding: ContentEncoding): Authorization;
  /**
   * Replaces a token that was refused, once for all messages that carried it.
   *
   * False when the refused token was such a replacement itself: then another would do no better.
   */
  renew(endpoint: Endpoint, pair: VapidKeyPair, encoding: ContentEncoding, refused: RefusedToken): boolean;
}

const hourMs = 3_600_000;
/** Half of the 24 h that RFC 8292 §2 allows: a clock that is hours ahead still makes valid tokens. */
const lifetimeMs = 12 * hourMs;
/** The library that signs goes by the local clock, and refuses what ends after 24 h there. */
const longestLifetimeMs = 24 * hourMs - 60_000;
/** A token is replaced this long before it expires, so that none expires in flight. */
const marginMs = 10 * 60_000;
/** Less is no wrong clock: `Date` has whole seconds, and an answer takes its time. */
const leastSkewMs = 60_000;
/** Origins are as many as recipients want; the token of the first one is signed again if it must be. */
const mostTokens = 1024;

interface CachedToken {
  readonly headers: Authorization;
  /** By the local clock, however wrong. */
  readonly expiresAt: number;
  /** It replaces one that was refused. */
  readonly isReplacement: boolean;
  /** How far the local clock is ahead of the service's. */
  readonly skewMs: number;
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
  type Key = readonly [endpoint: Endpoint, pair: VapidKeyPair, encoding: ContentEncoding];

  function keyOf(...[endpoint, pair, encoding]: Key): string {
    return `${encoding} ${pair.publicKey} ${endpointOrigin(endpoint)}`;
  }

  function sign(
    [endpoint, pair, encoding]: Key,
    { skewMs, isReplacement }: Pick<CachedToken, "skewMs" | "isReplacement">,
  ): CachedToken {
    const now = clock.now();
    const expiresAt = Math.min(now - skewMs + lifetimeMs, now + longestLifetimeMs);
    const headers = signToken({ audience: endpointOrigin(endpoint), subject, pair, expiresAt, encoding });
    const token = { headers, expiresAt: expiresAt + skewMs, skewMs, isReplacement };
    const key = keyOf(endpoint, pair, encoding);
    const [oldest] = tokens.keys();
    if (tokens.size >= mostTokens && !tokens.has(key) && oldest !== undefined) tokens.delete(oldest);
    tokens.set(key, token);
    return token;
  }

  return {
    authorizationFor(...key) {
      const cached = tokens.get(keyOf(...key));
      if (cached !== undefined && cached.expiresAt - marginMs > clock.now()) return cached.headers;
      // The time of the next token is the service's as well.
      return sign(key, { skewMs: cached?.skewMs ?? 0, isReplacement: false }).headers;
    },

    renew(endpoint, pair, encoding, { authorization, clockSkewMs = 0 }) {
      const cached = tokens.get(keyOf(endpoint, pair, encoding));
      if (cached?.headers !== authorization) return true;
      if (cached.isReplacement) return false;
      const skewMs = Math.abs(clockSkewMs) < leastSkewMs ? 0 : clockSkewMs;
      sign([endpoint, pair, encoding], { skewMs, isReplacement: true });
      return true;
    },
  };
}
