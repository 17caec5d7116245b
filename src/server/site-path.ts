/**
 * The path of a request target, read once: what is decoded here is never decoded again.
 *
 * The raw target is read, not what a URL parser makes of it, so nothing has been
 * folded away before it is judged. Segments that start with a dot are no part of a
 * site: `..` leads out of it, `.webpush` and `.env` hold secrets.
 */
import { quote, refuse, type Refusal } from "./refusal.ts";

/** A path inside of a site. */
export interface SitePath {
  readonly kind: "path";
  /** Decoded, none of them empty. */
  readonly segments: readonly string[];
  /** It ends with a slash: the index of a folder is meant. */
  readonly isFolder: boolean;
}

/** Reads a request target such as `/icons/badge-96.png?v=2`. */
export function parseSitePath(target: string): SitePath | Refusal {
  const [raw = ""] = target.split(/[?#]/, 1);
  if (!raw.startsWith("/")) return malformed(target);
  const isFolder = raw.endsWith("/");
  const segments: string[] = [];
  for (const part of raw === "/" ? [] : raw.slice(1, isFolder ? -1 : undefined).split("/")) {
    const segment = decode(part);
    // Separators that came in encoded, drives and streams of Windows, and what ends its names too early.
    if (segment === undefined || segment === "" || /[\p{Cc}/\\:]|[. ]$/u.test(segment))
      return malformed(target);
    if (segment.startsWith(".")) {
      return refuse(
        404,
        "path-private",
        `${quote(raw)} is not served: names that start with a dot are private`,
      );
    }
    segments.push(segment);
  }
  return { kind: "path", segments, isFolder };
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function malformed(target: string): Refusal {
  return refuse(400, "path-malformed", `${quote(target)} is not a path of this site`);
}
