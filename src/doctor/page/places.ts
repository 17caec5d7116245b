/** Addresses that a page names, as paths in its folder. */

/** What an address leads to. `query` is kept apart: it is no part of a file's name. */
export type Place =
  | { readonly kind: "inside"; readonly path: string; readonly query: string }
  | { readonly kind: "outside" }
  /** A placeholder of a template, or no address at all. */
  | { readonly kind: "unclear" };

const site = "https://site.invalid";

/** Where `address`, written in the file `from`, leads. An address from the root means the folder's top. */
export function placeOf(address: string, from: string): Place {
  if (/%\w+%|\{\{|\$\{|<%/.test(address)) return { kind: "unclear" };
  try {
    const base = new URL(from.split("/").map(encodeURIComponent).join("/"), `${site}/`);
    const url = new URL(address, base);
    if (url.origin !== site) return { kind: "outside" };
    return { kind: "inside", path: decodeURIComponent(url.pathname.slice(1)), query: url.search };
  } catch {
    return { kind: "unclear" };
  }
}

/** `./shared.js` and `/shared.js` are files; `lodash` is a package, which no folder of a page has. */
export function isPackageName(source: string): boolean {
  return !/^(?:\.{0,2}\/|[a-z][a-z0-9+.-]*:)/i.test(source);
}

/** The folder a file is in, with a slash at its end; empty for the top. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}
