/**
 * What a connection is to the pool that holds it, whichever protocol it speaks.
 */
import type { Exchange, ExchangeLimits } from "./exchange.ts";

/** The protocols of this transport, by their ALPN names (RFC 7301). */
export type Protocol = "h2" | "http/1.1";

/** A connection that stands and can carry requests. */
export interface Connection {
  readonly protocol: Protocol;
  /** How many exchanges may begin now. */
  readonly room: number;
  /** How many it can carry at once. */
  readonly capacity: number;
  /** Whether it ever carried one. */
  readonly used: boolean;
  /** Since when it carries nothing, by `performance.now()`; `undefined` while it does. */
  readonly idleSince: number | undefined;
  /** How long it is worth keeping unused. */
  readonly keepIdleMs: number;
  /**
   * Whether a request can be entrusted to it: `checking` when it has to be tried first (the owner
   * is told by `freed` or `closed`), `stale` when it had better be closed.
   */
  readiness(now: number): "ready" | "checking" | "stale";
  /** Sends a request. There must be room. */
  begin(exchange: Exchange, now: number): void;
  /** Closes now; exchanges under way end without an answer. */
  close(): void;
}

/** Who is told what happens to a connection. */
export interface ConnectionOwner {
  readonly limits: ExchangeLimits;
  /** There may be room again. */
  freed(connection: Connection): void;
  /** The service finds that it is asked for too much (ENHANCE_YOUR_CALM, RFC 9113 §7). */
  overloaded(): void;
  /** It takes no more requests. */
  retired(connection: Connection): void;
  /** It is no more. */
  closed(connection: Connection): void;
  /** The peer's HTTP/2 cannot be followed; `closed` comes besides. */
  misunderstood(): void;
  /** The request was not processed, and may go over another connection. */
  unprocessed(exchange: Exchange): void;
  /** The request was not processed: the service wants it over HTTP/1.1 (RFC 9113 §7). */
  wantsHttp1(exchange: Exchange): void;
}
