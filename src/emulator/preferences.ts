/** The request headers that are lists: `Prefer` (RFC 7240) and `Link` (RFC 8288), as far as web push uses them. */
import { refuse, type Refusal } from "./refusals.ts";

export interface Preferences {
  readonly kind: "preferences";
  /** A delivery receipt is wanted (RFC 8030 §5.1). */
  readonly respondAsync: boolean;
  /** How long to wait for something to come (RFC 8030 §6); `undefined` leaves it to the service. */
  readonly waitSeconds: number | undefined;
}

/** Reads `Prefer`. What is not known is ignored, as RFC 7240 §2 asks. */
export function readPreferences(header: string | undefined): Preferences | Refusal {
  let respondAsync = false;
  let waitSeconds: number | undefined;
  for (const preference of (header ?? "").split(",")) {
    const [token = ""] = preference.split(";");
    const [name = "", value = ""] = token.split("=", 2).map((part) => part.trim());
    if (name.toLowerCase() === "respond-async") respondAsync = true;
    if (name.toLowerCase() !== "wait" || waitSeconds !== undefined) continue;
    const seconds = value.replace(/^"(.*)"$/, "$1");
    if (!/^\d{1,9}$/.test(seconds)) {
      return refuse(
        "prefer-malformed",
        `Prefer says wait=${JSON.stringify(value.slice(0, 40))}, not a number of seconds`,
      );
    }
    waitSeconds = Number(seconds);
  }
  return { kind: "preferences", respondAsync, waitSeconds };
}

/** The target of the first link with relation `relation`. */
export function findLink(header: string | undefined, relation: string): string | undefined {
  // A link is <target> and parameters; a target holds no ">", a quoted parameter no quote.
  for (const [, target = "", parameters = ""] of (header ?? "").matchAll(
    /<([^<>]*)>((?:[^,"<]|"[^"]*")*)/g,
  )) {
    const [, quoted, bare] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters) ?? [];
    const relations = (quoted ?? bare ?? "").split(/\s+/);
    if (relations.includes(relation)) return target;
  }
  return undefined;
}
