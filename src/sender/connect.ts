/**
 * How a connection to an origin comes about: TCP, a tunnel where a proxy applies, TLS.
 *
 * Each new connection goes to an address that was checked just now (`address-guard.ts`),
 * or through the proxy, which resolves names itself. The certificate is always the
 * service's and always checked.
 */
import { once } from "node:events";
import { connect as connectPlain, isIP, type LookupFunction, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import type { Endpoint } from "../protocol/subscription.ts";
import type { Protocol } from "./connection.ts";
import { openTunnel } from "./proxy-tunnel.ts";
import type { Trust } from "./trust.ts";

/** The way to one origin. */
export interface Way {
  /** `host` or `host:port` as in the URL. */
  readonly host: string;
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  /** Resolves and checks the name, when the connection is direct. */
  readonly lookup: LookupFunction;
  readonly proxy: URL | undefined;
  readonly trust: Trust;
}

/** A connection, and what was agreed to speak over it. */
interface OpenSocket {
  readonly socket: Socket;
  readonly protocol: Protocol;
}

/** Where an endpoint's origin is, in the words of `node:net`. */
export function addressOf(endpoint: Endpoint): Pick<Way, "host" | "hostname" | "port" | "secure"> {
  const { protocol, hostname, host, port } = new URL(endpoint);
  const secure = protocol !== "http:";
  return {
    host,
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    secure,
  };
}

/** Connects; rejects with what went wrong, or with the signal's reason. */
export async function openSocket(
  way: Way,
  offered: readonly Protocol[],
  signal: AbortSignal,
): Promise<OpenSocket> {
  try {
    if (!way.secure) {
      const socket = connectPlain({ host: way.hostname, port: way.port, lookup: way.lookup });
      return { socket: await standing(socket, "connect", signal), protocol: "http/1.1" };
    }
    const tunnel = way.proxy === undefined ? undefined : await openTunnel(way.proxy, way, way.trust, signal);
    const socket = await standing(secured(way, offered, tunnel), "secureConnect", signal);
    return { socket, protocol: socket.alpnProtocol === "h2" ? "h2" : "http/1.1" };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function secured(way: Way, offered: readonly Protocol[], tunnel: Socket | undefined): TLSSocket {
  const { hostname, port, lookup, trust } = way;
  // RFC 6066 §3: a server name has no dot at its end, and an address is none.
  const name = hostname.replace(/\.$/, "");
  return connectTls({
    ...trust,
    ...(tunnel === undefined ? { host: hostname, port, lookup } : { socket: tunnel }),
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_name, certificate) => checkServerIdentity(name, certificate),
    ALPNProtocols: [...offered],
  });
}

/** Waits until the connection stands. The error listener stays, so that no late error is a surprise. */
async function standing<S extends Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
): Promise<S> {
  socket.on("error", () => undefined);
  socket.setNoDelay(true);
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
