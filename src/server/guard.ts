/**
 * Which requests are for us: the defence of a server on loopback against the web (PROTOCOL.md §6 row 6).
 *
 * Any page a developer opens can send requests to localhost. Against DNS rebinding
 * the Host must be one of ours. Against cross-site requests the browser's own labels
 * are believed, Origin and Sec-Fetch-Site, which a page cannot forge; what neither
 * label covers, a form, cannot have the content type JSON. `same-site` is foreign
 * too: every port of localhost is one site. No CORS header is ever sent.
 */
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { isLoopbackHost } from "../protocol/subscription.ts";
import { quote, refuse, type Refusal } from "./refusal.ts";

export interface GuardRules {
  /** The port it listens on. */
  readonly port: number;
  /** Whether other machines were let in: then any IP address is a fine Host. */
  readonly isRemoteAllowed: boolean;
}

/** What the guard looks at. */
export interface GuardedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  /** One of the resources the page talks to, rather than a file. */
  readonly isApi: boolean;
}

/** Why a request is not for us; undefined when it is. */
export function guardRequest(request: GuardedRequest, rules: GuardRules): Refusal | undefined {
  const own = ownOrigin(request.headers.host, rules);
  if (typeof own !== "string") return own;
  return foreignOrigin(request, own) ?? foreignSite(request) ?? contentType(request);
}

/** The origin that the request was sent to, by its Host header. */
function ownOrigin(host: string | undefined, { port, isRemoteAllowed }: GuardRules): string | Refusal {
  const refused = (what: string) =>
    refuse(403, "host-not-allowed", `the Host header is ${what}, not localhost:${port}`);
  if (host === undefined) return refused("missing");
  const url =
    /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`) : undefined;
  if (url === undefined || Number(url.port === "" ? "80" : url.port) !== port) return refused(quote(host));
  // A rebound name is always a name: an address in the Host header is the one the browser dialled.
  const isAddress = isIP(url.hostname.replace(/^\[|\]$/g, "")) !== 0;
  if (isLoopbackHost(url.hostname) || (isRemoteAllowed && isAddress)) return url.origin;
  return refused(quote(host));
}

function foreignOrigin({ headers: { origin } }: GuardedRequest, own: string): Refusal | undefined {
  if (origin === undefined || origin === own) return undefined;
  return refuse(403, "cross-site", `a page of ${quote(origin)} sent this request, not one of ${own}`);
}

function foreignSite({ headers, isApi }: GuardedRequest): Refusal | undefined {
  const site = headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return undefined;
  // A link that leads here is no attack; a script, an image or a frame in a foreign page may be one.
  const isVisit = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  if (isVisit && !isApi) return undefined;
  return refuse(403, "cross-site", `another site's page sent this request (Sec-Fetch-Site ${quote(site)})`);
}

function contentType({ headers, isApi, method }: GuardedRequest): Refusal | undefined {
  if (!isApi || method === "GET" || method === "HEAD") return undefined;
  const type = headers["content-type"];
  if (/^application\/json\s*(?:;.*)?$/i.test(type ?? "")) return undefined;
  const what = type === undefined ? "missing" : quote(type);
  return refuse(415, "not-json", `the Content-Type is ${what}, not application/json`);
}
