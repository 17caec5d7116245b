/** Values of single `send` flags that no other module reads. */
import { UserError } from "../../base/errors.ts";

/**
 * Reads a time as ms since 1970: ISO 8601, or the number itself.
 *
 * @throws UserError `timestamp`
 */
export function parseTimestamp(text: string): number {
  const ms = /^\d{1,15}$/.test(text.trim()) ? Number(text) : Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  throw new UserError("timestamp", `timestamp cannot be ${JSON.stringify(text)}`, {
    hints: ["use ISO 8601 such as 2030-01-31T09:00Z, or milliseconds since 1970"],
  });
}

/**
 * Reads the number for the app's icon.
 *
 * @throws UserError `app-badge`
 */
export function parseAppBadge(text: string): number {
  if (/^\d{1,9}$/.test(text.trim())) return Number(text);
  throw new UserError("app-badge", `app badge cannot be ${JSON.stringify(text)}`, {
    hints: ["use a whole number; 0 clears it"],
  });
}
