/** Names and tags of subscriptions: what may be one. */
import { UserError } from "../../base/errors.ts";

const label = /^[\p{L}\p{N}][\p{L}\p{N}\p{M} ._@+-]{0,99}$/u;
const reserved = new Set(["all", "__proto__", "constructor", "prototype"]);

/**
 * Checks a name or tag.
 *
 * @throws UserError `label`
 */
export function parseLabel(what: "name" | "tag", text: string): string {
  const trimmed = text.trim();
  if (label.test(trimmed) && !reserved.has(trimmed)) return trimmed;
  throw new UserError("label", `${JSON.stringify(text)} cannot be a ${what}`, {
    hints: ["use up to 100 letters, digits, spaces and . _ @ + -, starting with a letter or digit"],
  });
}
