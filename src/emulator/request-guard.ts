/**
 * Keeps web pages away from a service on loopback, and says which origin a request was sent to.
 *
 * Any page a developer opens can send requests to 127.0.0.1. Against DNS rebinding
 * the Host must be ours, or that of a push service we stand in for, which nobody
 * else can rebind; against cross-site requests the browser's own labels are
 * believed, since a page cannot forge them; and no CORS header is ever sent.
 */
import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { isLoopbackHost } from "../protocol/subscription.ts";
import { wireOf, type HttpRequest } from "./http-wire.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { isVendorHost } from "./vendor-hosts.ts";

export interface GuardOptions {
  readonly port: number;
  /** Whether the door was opened to other machines: then any IP address is a fine Host, and any port. */
  readonly allowRemote: boolean;
}

/** The origin a request was sent to, or why the request is not for us. */
export function originOf(
  request: HttpRequest,
  options: GuardOptions,
): { kind: "origin"; origin: string } | Refusal {
  const own = ownOriginOf(request, options);
  return own.kind === "refused" ? own : (isCrossSite(request, own.origin) ?? own);
}

/**
 * The same for a WebSocket. A page's `Origin` is that of the page and never one of `ws:` or `wss:`; Firefox's
 * push service, which is no page, sends the address it connects to.
 */
export function websocketOriginOf(
  request: HttpRequest,
  options: GuardOptions,
): { kind: "origin"; origin: string } | Refusal {
  const own = ownOriginOf(request, options);
  const { origin } = request.headers;
  if (own.kind === "refused" || origin === undefined) return own;
  const from = parseUrl(origin);
  const isOfSocket = from?.protocol === "ws:" || from?.protocol === "wss:";
  if (isOfSocket && from.host === new URL(own.origin).host) return own;
  return refuse("cross-site", `a page of another site sent this request (origin ${quote(origin)})`);
}

function ownOriginOf(
  request: HttpRequest,
  options: GuardOptions,
): { kind: "origin"; origin: string } | Refusal {
  const { host } = request.headers;
  const scheme = isEncrypted(request) ? "https" : "http";
  const isHost = host !== undefined && /^[\w.:[\]-]+$/.test(host);
  const url = isHost ? parseUrl(`${scheme}://${host}/`) : undefined;
  if (url === undefined) return refuse("host-not-allowed", `the Host header is ${quote(host)}, not a host`);
  if (isOurs(url, options)) return { kind: "origin", origin: url.origin };
  return (
    vendorOriginOf(`https://${host ?? ""}/`, options) ??
    refuse("host-not-allowed", `the Host header is ${quote(host)}, not localhost:${options.port}`)
  );
}

function isEncrypted(request: HttpRequest): boolean {
  const wire = wireOf(request);
  return wire.kind === "http2" || wire.socket instanceof TLSSocket;
}

function isOurs({ hostname, port, protocol }: URL, options: GuardOptions): boolean {
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
  // A rebound name is always a name: an address in the Host header is the one the client dialled.
  if (options.allowRemote) return isAddress || isLoopbackHost(hostname);
  const defaultPort = protocol === "https:" ? "443" : "80";
  return isLoopbackHost(hostname) && Number(port === "" ? defaultPort : port) === options.port;
}

/** A push service is known by https alone, however the request came to us. */
function vendorOriginOf(
  address: string,
  options: GuardOptions,
): { kind: "origin"; origin: string } | undefined {
  const url = parseUrl(address);
  if (url === undefined || !isVendorHost(url.hostname)) return undefined;
  return url.port === "" || Number(url.port) === options.port
    ? { kind: "origin", origin: url.origin }
    : undefined;
}

function isCrossSite({ headers }: HttpRequest, own: string): Refusal | undefined {
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
