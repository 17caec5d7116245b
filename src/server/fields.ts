/**
 * The members of a request body, read into fresh values.
 *
 * Unknown members are refused by name, which also keeps `__proto__` and its like
 * away from everything behind (PROTOCOL.md §6 rows 7 and 10).
 */
import { quote, refuse, type Refusal } from "./refusal.ts";

export type Members = ReadonlyMap<string, unknown>;

/** The members of a JSON object that has none but `known` ones; what it is called stands in the words. */
export function membersOf(value: unknown, known: readonly string[], what: string): Members | Refusal {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse(400, "body-malformed", `${what} is not a JSON object`);
  }
  const members = new Map(Object.entries(value));
  for (const name of members.keys()) {
    if (known.includes(name)) continue;
    return refuse(
      400,
      "field-unknown",
      `${what} has the unknown member ${quote(name)}; known are ${known.join(", ")}`,
    );
  }
  return members;
}

/** Whether reading gave a refusal. */
export function isRefusal(value: Members | Refusal): value is Refusal {
  return "kind" in value;
}
