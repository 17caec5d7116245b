/** Where pages register a service worker, and with what. */
import type { AnyNode } from "acorn";
import type { Html } from "./html.ts";
import {
  callsOf,
  hole,
  objectOf,
  propertyOf,
  receiverOf,
  textsOf,
  type Call,
  type Located,
} from "./names.ts";
import type { Sources } from "./page.ts";
import { placeOf, type Place } from "./places.ts";
import { calleeName, lastName, literalText, unwrap, type Script } from "./script.ts";

export interface Registration extends Located<Call> {
  /** The worker's address as written; undefined when it is computed. */
  readonly address: string | undefined;
  readonly place: Place;
  /** The `scope` option: a text, "absent" or "unclear". */
  readonly scope: { readonly text: string } | "absent" | "unclear";
  readonly hasUpdateRule: boolean | undefined;
  /** The pages it is registered from, as far as that is known. */
  readonly pages: readonly Html[];
}

export function findRegistrations(
  scripts: readonly Script[],
  sources: Sources,
  loadedBy: (path: string) => readonly Html[],
): readonly Registration[] {
  return scripts.flatMap((script) =>
    callsOf(script, "register", "Workbox")
      .filter(({ node }) => isRegistration(node))
      .map((call) => readRegistration(call, sources, loadedBy(script.path))),
  );
}

function isRegistration(call: Call): boolean {
  if (call.type === "NewExpression") return calleeName(call) === "Workbox";
  const receiver = receiverOf(call);
  return receiver !== undefined && calleeName(call) === "register" && lastName(receiver) === "serviceWorker";
}

function readRegistration(call: Located<Call>, sources: Sources, pages: readonly Html[]): Registration {
  const { script, node } = call;
  const [worker, options] = node.arguments;
  const texts = worker === undefined ? [] : [...new Set(textsOf({ script, node: worker }, sources))];
  const address = texts.length === 1 ? texts[0] : undefined;
  const from =
    worker !== undefined && isBesideScript(worker) ? script.path : (pages[0]?.path ?? "index.html");
  const given = options === undefined ? undefined : objectOf({ script, node: options }, sources);
  const rule = given === undefined ? "absent" : propertyOf(given, "updateViaCache");
  return {
    script,
    node,
    address: address?.replaceAll(hole, "…"),
    place: address === undefined ? { kind: "unclear" } : workerPlace(address, from),
    scope: scopeOf(given, sources),
    hasUpdateRule: rule === "unclear" ? undefined : rule !== "absent",
    pages,
  };
}

/** A hole in the query does not hide the file. */
function workerPlace(address: string, from: string): Place {
  const [file = "", query = ""] = address.split("?", 2);
  if (file.includes(hole)) return { kind: "unclear" };
  const place = placeOf(file, from);
  return place.kind === "inside" ? { ...place, query: query === "" ? "" : `?${query}` } : place;
}

function scopeOf(options: Located | undefined, sources: Sources): Registration["scope"] {
  if (options === undefined) return "absent";
  const scope = propertyOf(options, "scope");
  if (typeof scope === "string") return scope;
  const [text] = textsOf({ script: options.script, node: scope }, sources);
  return text === undefined || text.includes(hole) ? "unclear" : { text };
}

/** `new URL("sw.js", import.meta.url)` is beside the script; any other address is the page's. */
function isBesideScript(node: AnyNode): boolean {
  const inner = unwrap(node);
  if (inner.type !== "NewExpression" || literalText(inner) !== undefined) return false;
  const base = inner.arguments[1];
  return base?.type === "MemberExpression" && base.object.type === "MetaProperty";
}
