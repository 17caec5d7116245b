/**
 * How requests travel: the seam between sending and the network.
 *
 * `exchange` never throws for what the network or a service does. Connections are
 * kept alive per origin; each new one goes to an address that was checked just now
 * (`address-guard.ts`), or through the proxy that applies. Certificates are always
 * checked: no environment variable switches that off here.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import type { PushResponse, TransportFailure } from "../protocol/delivery.ts";
import type { PushRequest } from "../protocol/message.ts";
import type { Endpoint } from "../protocol/subscription.ts";
import { createAddressGuard, type AddressRules, type Resolve } from "./address-guard.ts";
import { exchangeOverHttp1, type ExchangeOptions } from "./exchange.ts";
import { createProxyRule, openProxyAgent, type ProxySettings } from "./proxy.ts";
import { createTrust } from "./trust.ts";

/** Something that carries requests to push services. */
export interface Transport extends Disposable {
  /** Sends one request; the signal gives it up. Rejects only for a bug, such as a header that is none. */
  exchange(request: PushRequest, signal: AbortSignal): Promise<PushResponse | TransportFailure>;
  /** How many exchanges the connections to an endpoint's origin bear at once; as many as there are unless told. */
  capacityOf?(endpoint: Endpoint): number;
  /** What is spoken with an origin, once that is known. */
  protocolOf?(origin: string): "h2" | "http/1.1" | undefined;
}

/** What a transport must be told. */
export interface TransportOptions {
  /** The most one exchange may take. */
  readonly timeoutMs: number;
  /** The most it may take to connect; 10 s unless given. */
  readonly connectTimeoutMs?: number;
  readonly proxy: ProxySettings;
  /** PEM certificates to trust besides the default ones. */
  readonly ca: string | undefined;
  readonly allow: AddressRules;
  /** How names are resolved; the system's resolver unless given. */
  readonly resolve?: Resolve;
}

/**
 * Connections are closed when unused for this long. Most servers keep them for 5 s or
 * more, so this is what keeps a request from meeting one that is just being closed,
 * where nobody could tell whether it was processed.
 */
const idleMs = 4000;
const agentOptions = { keepAlive: true, timeout: idleMs, maxFreeSockets: 256, scheduling: "lifo" } as const;

/**
 * Opens the way to push services; disposing closes all connections.
 *
 * @throws UserError `allow-host`, `proxy-malformed`, `ca-malformed`
 */
export function openTransport(options: TransportOptions): Transport {
  const { timeoutMs, connectTimeoutMs = 10_000, ca } = options;
  const limits = { timeoutMs, connectTimeoutMs: Math.min(connectTimeoutMs, timeoutMs) };
  const guard = createAddressGuard(options.allow, options.resolve);
  const agents = createAgents();
  const proxyFor = createProxyRule(options.proxy);
  const trust = createTrust(ca);

  return {
    async exchange({ method, url: endpoint, headers, body }, signal) {
      const refusal = guard.refusalOf(endpoint);
      if (refusal !== undefined) return { kind: "blocked", message: refusal };
      const proxy = proxyFor(endpoint);
      const address = addressOf(endpoint);
      const request: ExchangeOptions["request"] = {
        ...address.request,
        ...trust,
        method,
        headers: { ...headers, "content-length": String(body.byteLength) }, // WNS refuses chunked bodies
        agent: await agents.agentFor(address.request.protocol, proxy),
        ...(proxy === undefined ? { lookup: guard.lookupFor(endpoint) } : {}),
      };
      return exchangeOverHttp1({ request, body, limits, signal, host: address.host, proxy: proxy?.host });
    },

    [Symbol.dispose]() {
      agents.destroy();
    },
  };
}

/** Where a request goes, in the words of `node:http`. The path is the endpoint's own, byte for byte. */
function addressOf(endpoint: Endpoint) {
  const { protocol, hostname, host, port } = new URL(endpoint);
  const name = hostname.replace(/^\[(.*)\]$/, "$1");
  const [, path = ""] = /^[^/]*\/\/[^/?]*(.*)$/s.exec(endpoint) ?? [];
  return {
    host,
    request: {
      protocol,
      host: name,
      port: port === "" ? (protocol === "http:" ? 80 : 443) : Number(port),
      path: path.startsWith("/") ? path : `/${path}`,
      // RFC 6066 §3: a server name has no dot at its end, and an address is none.
      ...(isIP(name) === 0 ? { servername: name.replace(/\.$/, "") } : {}),
    },
  };
}

/** The pools of connections: direct ones, and those through each proxy. */
function createAgents() {
  const plain = new HttpAgent(agentOptions);
  const secure = new HttpsAgent(agentOptions);
  const proxied = new Map<string, Promise<HttpAgent>>();

  return {
    agentFor(protocol: string, proxy: URL | undefined): HttpAgent | Promise<HttpAgent> {
      if (proxy === undefined) return protocol === "http:" ? plain : secure;
      const agent = proxied.get(proxy.href) ?? openProxyAgent(proxy, agentOptions);
      proxied.set(proxy.href, agent);
      return agent;
    },
    destroy(): void {
      plain.destroy();
      secure.destroy();
      for (const opened of proxied.values()) {
        void opened.then((agent) => {
          agent.destroy();
        });
      }
    },
  };
}
