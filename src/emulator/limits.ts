/** How much a push service takes and for how long it keeps it. */

/** A service must take bodies of this size (RFC 8030 §7.2). */
const leastBodyLimit = 4096;

export interface PushServiceLimits {
  /** Largest body; 4096 by default and never less (RFC 8030 §7.2). */
  readonly maxBodyBytes?: number;
  /** Longest time a message is kept; a longer TTL is cut and the sender told (RFC 8030 §5.2). 30 days, as Mozilla. */
  readonly maxTtlSeconds?: number;
  /** Life of a subscription; for ever by default. */
  readonly subscriptionTtlSeconds?: number | undefined;
  /** Messages of one subscription, waiting or unacknowledged, before its senders get a 429. */
  readonly maxMessagesPerSubscription?: number;
  /**
   * Messages that may have gathered for one user agent of the autopush door while it was away; with more it is
   * forgotten when it comes back, all its subscriptions with it. Mozilla's documentation says 1000, the code 150.
   */
  readonly maxMessagesPerUserAgent?: number;
  /** Subscriptions before subscribers get a 429. */
  readonly maxSubscriptions?: number;
  /** Receipt subscriptions before senders that ask for a new one get a 429 (RFC 8030 §5.1). */
  readonly maxReceiptSubscriptions?: number;
  /** How long after delivery an acknowledgement still counts though the TTL has passed meanwhile. */
  readonly acknowledgeWithinMs?: number;
}

/** The limits with nothing left open. */
export type CompleteLimits = Required<PushServiceLimits>;

/** `limits` with the defaults for what they leave out. */
export function completeLimits(limits: PushServiceLimits): CompleteLimits {
  return {
    maxBodyBytes: Math.max(leastBodyLimit, limits.maxBodyBytes ?? leastBodyLimit),
    maxTtlSeconds: limits.maxTtlSeconds ?? 2_592_000,
    subscriptionTtlSeconds: limits.subscriptionTtlSeconds,
    maxMessagesPerSubscription: limits.maxMessagesPerSubscription ?? 1000,
    maxMessagesPerUserAgent: limits.maxMessagesPerUserAgent ?? 1000,
    maxSubscriptions: limits.maxSubscriptions ?? 100_000,
    maxReceiptSubscriptions: limits.maxReceiptSubscriptions ?? 10_000,
    acknowledgeWithinMs: limits.acknowledgeWithinMs ?? 30_000,
  };
}
