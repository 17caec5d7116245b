/**
 * Time and randomness as arguments.
 *
 * The protocol is a function of its inputs only when both are handed in; the
 * real ones are built in `cli/real-context.ts`, tests pass fixed ones.
 */

/** The current time. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}

/** A source of cryptographically strong random bytes. */
export interface Random {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array;
}
