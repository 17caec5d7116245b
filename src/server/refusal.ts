/**
 * Why a request gets no for an answer: a status, a permanent code and one line, as a value.
 *
 * The page is told `{ error, message }`, the terminal the same words. Nothing of a
 * stack or a path of this machine goes to the page.
 */

/** The statuses a refusal may have. 404, 405 and 501 are what the page takes for "there is no server at all". */
export type RefusalStatus = 400 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 429 | 431 | 500 | 502 | 507;

/** A request that is not done, and why. */
export interface Refusal {
  readonly kind: "refused";
  readonly status: RefusalStatus;
  /** Permanent, in docs/json.md. */
  readonly code: string;
  readonly message: string;
}

/** Makes a refusal. */
export function refuse(status: RefusalStatus, code: string, message: string): Refusal {
  return { kind: "refused", status, code, message };
}

/** What a stranger sent, short enough to repeat. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
