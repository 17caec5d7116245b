/**
 * Keeps web pages away from a service on loopback.
 *
 * Any page a developer opens can send requests to 127.0.0.1. Against DNS rebinding
 * the Host must be ours; against cross-site requests the browser's own labels are
 * believed, since a page cannot forge them; and no CORS header is ever sent.
 */
import { isIP } from "node:net";
import type { IncomingMessage } from "node:http";
import { isLoopbackHost } from "../protocol/subscription.ts";
import { refuse, type Refusal } from "./refusals.ts";

export interface GuardOptions {
  readonly port: number;
  /** Whether the door was opened to other machines: then any IP address is a fine Host, and any port. */
  readonly allowRemote: boolean;
}

/** The origin a request was sent to, or why the request is not for us. */
export function originOf(
  request: IncomingMessage,
  options: GuardOptions,
): { kind: "origin"; origin: string } | Refusal {
  const own = ownOriginOf(request, options);
  return own.kind === "refused" ? own : (isCrossSite(request, own.origin) ?? own);
}

/**
 * The same for a WebSocket. A page's `Origin` is that of the page and never one of `ws:`; Firefox's
 * push service, which is no page, sends the address it connects to.
 */
export function websocketOriginOf(
  request: IncomingMessage,
  options: GuardOptions,
): { kind: "origin"; origin: string } | Refusal {
  const own = ownOriginOf(request, options);
  const { origin } = request.headers;
  if (own.kind === "refused" || origin === undefined) return own;
  const from = parseUrl(origin);
  if (from?.protocol === "ws:" && `http://${from.host}` === own.origin) return own;
  return refuse("cross-site", `a page of another site sent this request (origin ${quote(origin)})`);
}

function ownOriginOf(
  request: IncomingMessage,
  options: GuardOptions,
): { kind: "origin"; origin: string } | Refusal {
  const { host } = request.headers;
  const url = host === undefined || !/^[\w.:[\]-]+$/.test(host) ? undefined : parseUrl(`http://${host}/`);
  if (url === undefined) return refuse("host-not-allowed", `the Host header is ${quote(host)}, not a host`);
  if (!isOurs(url, options)) {
    return refuse("host-not-allowed", `the Host header is ${quote(host)}, not localhost:${options.port}`);
  }
  return { kind: "origin", origin: url.origin };
}

function isOurs({ hostname, port }: URL, options: GuardOptions): boolean {
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
  // A rebound name is always a name: an address in the Host header is the one the client dialled.
  if (options.allowRemote) return isAddress || isLoopbackHost(hostname);
  return isLoopbackHost(hostname) && Number(port === "" ? "80" : port) === options.port;
}

function isCrossSite({ headers }: IncomingMessage, own: string): Refusal | undefined {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    return refuse("cross-site", `a page of another site sent this request (sec-fetch-site ${quote(site)})`);
  }
  const { origin } = headers;
  if (origin === undefined || origin === own) return undefined;
  return refuse("cross-site", `a page of another site sent this request (origin ${quote(origin)})`);
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function quote(text: string | undefined): string {
  return text === undefined ? "missing" : JSON.stringify(text.slice(0, 100));
}
