/** A visit to a push service: a connection and one plain request without a token, so that nobody is disturbed. */
import type { TransportFailure } from "../protocol/delivery.ts";

/** What was seen on the way. What was not reached is undefined. */
export interface PushServiceVisit {
  /** `https://fcm.googleapis.com`. */
  readonly origin: string;
  /** The vendor's name, or the host. */
  readonly name: string;
  /** Whether HTTP/2 may be offered to it. */
  readonly offersHttp2: boolean;
  /** `host:port` of the proxy in between. */
  readonly proxy: string | undefined;
  /** Where the name leads; undefined through a proxy, which resolves it itself. */
  readonly addresses: readonly ResolvedName[] | undefined;
  readonly failure: TransportFailure | undefined;
  /** Who issued the certificate that was shown, accepted or not. */
  readonly issuer: string | undefined;
  /** Whether an authority that Node brings along stands behind the certificate; undefined without one. */
  readonly isPubliclyTrusted: boolean | undefined;
  readonly protocol: "h2" | "http/1.1" | undefined;
  readonly status: number | undefined;
  /** How far the clock here is ahead, in ms; negative when it is behind. */
  readonly clockSkewMs: number | undefined;
  /** Connecting and the answer, together. */
  readonly durationMs: number;
}

export interface ResolvedName {
  readonly address: string;
  readonly isPublic: boolean;
}
