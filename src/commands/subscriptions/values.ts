/** Values of the flags of `webpush subscriptions`. */
import { readSeconds } from "../../base/duration.ts";
import { UserError } from "../../base/errors.ts";

/** A hundred years: anything above is a slip. */
const longestAgeSeconds = 3_155_760_000;

/**
 * Reads an age, `30d`, in milliseconds.
 *
 * @throws UserError `age`
 */
export function parseAge(text: string): number {
  const seconds = readSeconds(text.trim());
  if (seconds !== undefined && seconds <= longestAgeSeconds) return seconds * 1000;
  throw new UserError("age", `age cannot be ${JSON.stringify(text)}`, {
    hints: ["give a number with s, m, h, d or w: 12h, 30d, 8w"],
  });
}
