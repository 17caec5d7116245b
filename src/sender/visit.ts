/**
 * A visit to a push service: the same way a push takes, and one plain request for its front page without a
 * token. Nothing is sent to anybody, so nobody is disturbed; what was seen on the way is the answer.
 */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { LookupFunction, Socket } from "node:net";
import { connect as connectTls, rootCertificates, TLSSocket } from "node:tls";
import { readClockSkew } from "../protocol/answer.ts";
import type { PushResponse, TransportFailure } from "../protocol/delivery.ts";
import { serviceLabel, serviceOf } from "../protocol/services.ts";
import { isLoopbackEndpoint, type Endpoint } from "../protocol/subscription.ts";
import {
  createAddressGuard,
  isPublicAddress,
  resolveAll,
  type AddressRules,
  type Resolve,
} from "./address-guard.ts";
import { addressOf, openSocket, type Way } from "./connect.ts";
import type { Protocol } from "./connection.ts";
import { failureOf, NoConnection, refusesOffer } from "./failure.ts";
import { ResponseReader } from "./http1/response-reader.ts";
import { createProxyRule, type ProxySettings } from "./proxy.ts";
import { openTunnel } from "./proxy-tunnel.ts";
import { createTrust } from "./trust.ts";

/** What was seen on the way. What was not reached is undefined. */
export interface Visit {
  /** `https://fcm.googleapis.com`. */
  readonly origin: string;
  /** The vendor's name, or the host. */
  readonly name: string;
  /** Whether HTTP/2 may be offered to it. */
  readonly offersHttp2: boolean;
  /** `host:port` of the proxy in between. */
  readonly proxy: string | undefined;
  /** Where the name leads; undefined through a proxy, which resolves it itself. */
  readonly addresses: readonly VisitedAddress[] | undefined;
  /** Why there was no answer. */
  readonly failure: TransportFailure | undefined;
  /** Who issued the certificate that was shown, accepted or not. */
  readonly issuer: string | undefined;
  /** Whether an authority that Node brings along stands behind the certificate; undefined without one. */
  readonly isPubliclyTrusted: boolean | undefined;
  readonly protocol: Protocol | undefined;
  readonly status: number | undefined;
  /** How far the clock here is ahead, in ms; negative when it is behind. */
  readonly clockSkewMs: number | undefined;
  /** From the first connection to the answer. */
  readonly durationMs: number;
}

interface VisitedAddress {
  readonly address: string;
  readonly isPublic: boolean;
}

export interface VisitOptions {
  /** The most connecting may take, and the answer once more. */
  readonly timeoutMs: number;
  readonly proxy: ProxySettings;
  /** PEM certificates to trust besides the default ones. */
  readonly ca: string | undefined;
  readonly allow: AddressRules;
  readonly now: () => number;
  /** How names are resolved; the system's resolver unless given. */
  readonly resolve?: Resolve;
}

/** What is noted while the visit goes on. */
type Notes = { -readonly [Name in keyof Visit]: Visit[Name] };

/**
 * Visits the push service at `origin`; a failure is a part of the answer.
 *
 * @throws UserError `allow-host`, `proxy-malformed`, `ca-malformed`
 */
export async function visitPushService(
  origin: string,
  options: VisitOptions,
  signal: AbortSignal,
): Promise<Visit> {
  const endpoint = `${origin}/` as Endpoint;
  const { resolve = resolveAll } = options;
  const guard = createAddressGuard(options.allow, resolve);
  const proxy = createProxyRule(options.proxy)(endpoint);
  const address = addressOf(endpoint);
  const way: Way = { ...address, proxy, trust: createTrust(options.ca), lookup: guard.lookupFor(endpoint) };
  const notes = emptyNotes(origin, proxy?.host);
  const refusal = guard.refusalOf(endpoint);
  if (refusal !== undefined) return { ...notes, failure: { kind: "blocked", message: refusal } };
  const startedAt = performance.now();
  const limit = AbortSignal.any([signal, deadline(options.timeoutMs)]);
  try {
    if (proxy === undefined && !isLoopbackEndpoint(endpoint))
      notes.addresses = await Promise.race([addressesOf(address.hostname, resolve), whenAborted(limit)]);
    await look(way, notes, options, limit);
  } catch (error) {
    signal.throwIfAborted();
    const cause: unknown = limit.aborted ? limit.reason : error;
    notes.failure = failureOf(cause, { host: way.host, proxy: proxy?.host });
    if (notes.failure.kind === "tls") notes.issuer = await issuerShown(way, limit).catch(() => undefined);
  }
  return { ...notes, durationMs: performance.now() - startedAt };
}

function emptyNotes(origin: string, proxy: string | undefined): Notes {
  const endpoint = `${origin}/` as Endpoint;
  return {
    origin,
    name: serviceLabel(endpoint),
    offersHttp2: serviceOf(endpoint).http2 && origin.startsWith("https:"),
    proxy,
    addresses: undefined,
    failure: undefined,
    issuer: undefined,
    isPubliclyTrusted: undefined,
    protocol: undefined,
    status: undefined,
    clockSkewMs: undefined,
    durationMs: 0,
  };
}

async function look(way: Way, notes: Notes, options: VisitOptions, signal: AbortSignal): Promise<void> {
  const first = await openSocket(way, notes.offersHttp2 ? ["h2", "http/1.1"] : ["http/1.1"], signal);
  notes.protocol = first.protocol;
  if (first.socket instanceof TLSSocket) noteCertificate(first.socket, notes);
  // One request is all there is to ask: where HTTP/2 was agreed to, it goes over a connection of the older kind.
  let socket = first.socket;
  if (first.protocol === "h2") {
    socket.destroy();
    const older = await openSocket(way, ["http/1.1"], signal).catch((error: unknown) => {
      if (refusesOffer(error)) return undefined; // It was reached, and has nothing to say in that language.
      throw error;
    });
    if (older === undefined) return;
    ({ socket } = older);
  }
  const { status, headers } = await ask(socket, way.host, signal);
  notes.status = status;
  notes.clockSkewMs = readClockSkew(headers, options.now());
}

async function addressesOf(hostname: string, resolve: Resolve): Promise<readonly VisitedAddress[]> {
  const addresses = await resolve(hostname);
  return addresses.map(({ address }) => ({ address, isPublic: isPublicAddress(address) }));
}

/** Asks for the front page, and reads the answer as far as its head. */
async function ask(socket: Socket, host: string, signal: AbortSignal): Promise<PushResponse> {
  const reader = new ResponseReader();
  const stop = (): void => void socket.destroy();
  signal.addEventListener("abort", stop);
  try {
    socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\naccept: */*\r\nconnection: close\r\n\r\n`);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      const verdict = reader.push(chunk);
      if (reader.response !== undefined) return reader.response.finish();
      if (verdict === "malformed") throw new NoConnection("the answer is not valid HTTP");
    }
    throw new NoConnection("the connection broke before an answer came");
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}

function noteCertificate(socket: TLSSocket, notes: Notes): void {
  const chain = chainOf(socket);
  notes.issuer = organisationOf(chain[0]?.issuer);
  notes.isPubliclyTrusted = chain.some((certificate) => isBehindRoot(certificate));
}

/** The certificates that the server showed, its own first. */
function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let at = socket.getPeerX509Certificate();
  while (at !== undefined && chain.length < 10) {
    chain.push(at);
    const issuer: X509Certificate | undefined = at.issuerCertificate;
    at = issuer?.fingerprint256 === at.fingerprint256 ? undefined : issuer;
  }
  return chain;
}

/** Whether a certificate is, or was signed by, an authority that Node brings along. */
function isBehindRoot(certificate: X509Certificate): boolean {
  return rootCertificates.some((pem) => {
    const root = new X509Certificate(pem);
    if (root.fingerprint256 === certificate.fingerprint256) return true;
    return root.subject === certificate.issuer && certificate.verify(root.publicKey);
  });
}

/** The name in an issuer's lines: its organisation, or else its common name. */
function organisationOf(issuer: string | undefined): string | undefined {
  const lines = issuer?.split("\n") ?? [];
  const of = (field: string): string | undefined =>
    lines.find((line) => line.startsWith(`${field}=`))?.slice(field.length + 1);
  return of("O") ?? of("CN");
}

/** Who issued the certificate that is not accepted. Nothing is said over this connection. */
async function issuerShown(way: Way, signal: AbortSignal): Promise<string | undefined> {
  const { hostname, port, lookup, proxy, trust } = way;
  const tunnel = proxy === undefined ? undefined : await openTunnel(proxy, way, trust, signal);
  const to: { socket: Socket } | { host: string; port: number; lookup: LookupFunction } =
    tunnel === undefined ? { host: hostname, port, lookup } : { socket: tunnel };
  const socket = connectTls({ ...to, servername: hostname, rejectUnauthorized: false });
  socket.on("error", () => undefined);
  try {
    await once(socket, "secureConnect", { signal });
    return organisationOf(socket.getPeerX509Certificate()?.issuer);
  } finally {
    socket.destroy();
  }
}

/** Rejects when the signal comes: a name server that does not answer cannot be told to stop. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      reject(signal.reason as Error);
    });
  });
}

function deadline(timeoutMs: number): AbortSignal {
  const limit = new AbortController();
  const why = new NoConnection(`no answer within ${timeoutMs} ms`);
  setTimeout(() => {
    limit.abort(why);
  }, timeoutMs).unref();
  return limit.signal;
}
