/**
 * The two kinds of failure.
 *
 * A `UserError` is something a person can act on: it has a permanent, searchable
 * code, says what was wrong and what to do. Anything else that is thrown is a bug
 * of ours. What a push service answers is neither: it is a value, a `Delivery`.
 */

/**
 * What kind of failure an error is, which decides the exit code (`webpush help exit-codes`).
 *
 * - `input`: a flag, key, subscription or payload is wrong; nothing was sent
 * - `failed`: the input was fine, the work could not be done
 * - `credentials`: the VAPID keys or subject cannot work
 * - `interrupted`: the person stopped it
 */
export type ErrorKind = "input" | "failed" | "credentials" | "interrupted";

export interface UserErrorDetails {
  readonly kind?: ErrorKind;
  /** Imperative lines, each a thing to do. */
  readonly hints?: readonly string[];
  readonly cause?: unknown;
}

/** A failure with a code, one clear line and what to do about it. */
export class UserError extends Error {
  override readonly name = "UserError";
  /** Permanent identifier, documented in `docs/errors.md`. */
  readonly code: string;
  readonly kind: ErrorKind;
  readonly hints: readonly string[];

  constructor(code: string, message: string, details: UserErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.kind = details.kind ?? "input";
    this.hints = details.hints ?? [];
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error such as `ENOENT`; `undefined` when there is none. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
