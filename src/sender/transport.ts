/**
 * How requests travel: the seam between sending and the network.
 *
 * `exchange` never throws for what the network or a service does. Connections are
 * kept alive per origin; each new one goes to an address that was checked just now
 * (`address-guard.ts`), or through the proxy that applies. Certificates are always
 * checked: no environment variable switches that off here.
 */
import type { PushResponse, TransportFailure } from "../protocol/delivery.ts";
import type { PushRequest } from "../protocol/message.ts";
import { serviceOf } from "../protocol/services.ts";
import { endpointOrigin, type Endpoint } from "../protocol/subscription.ts";
import { createAddressGuard, type AddressGuard, type AddressRules, type Resolve } from "./address-guard.ts";
import { addressOf } from "./connect.ts";
import type { Connection, Protocol } from "./connection.ts";
import { Exchange, type Answer, type ExchangeLimits } from "./exchange.ts";
import { assertHeaders } from "./http2/header-encoder.ts";
import { OriginPool } from "./origin-pool.ts";
import { createProxyRule, type ProxyRule, type ProxySettings } from "./proxy.ts";
import { StopSignals } from "./stop-signals.ts";
import { createTrust, type Trust } from "./trust.ts";

/** Something that carries requests to push services. */
export interface Transport extends Disposable {
  /** Sends one request; the signal gives it up. Rejects only for a bug, such as a header that is none. */
  exchange(request: PushRequest, signal: AbortSignal): Promise<PushResponse | TransportFailure>;
  /** What is spoken with an endpoint's origin; `undefined` as long as that is not known. */
  protocolOf?(endpoint: Endpoint): Protocol | undefined;
  /** How many exchanges with an endpoint's origin may be on the wire at once, as far as is known. More are queued. */
  capacityOf?(endpoint: Endpoint): number;
}

/** What a transport must be told. */
export interface TransportOptions {
  /** The most one exchange may take, from when it is on the wire. */
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

/** How often connections are looked at that nobody uses. */
const sweepMs = 1000;
/** Beyond this many connections that nobody uses, those unused for longest are closed. */
const mostIdle = 256;
/** Beyond this many origins, those without a connection are forgotten. */
const mostRoutes = 1000;

/**
 * Opens the way to push services; disposing closes all connections.
 *
 * @throws UserError `allow-host`, `proxy-malformed`, `ca-malformed`
 */
export function openTransport(options: TransportOptions): Transport {
  const routes = new Routes(options);
  const signals = new StopSignals();
  return {
    exchange: (request, signal) =>
      new Promise<Answer>((resolve) => {
        const { url } = request;
        const end = endOfAuthority(url);
        const { refusal, host, pool } = routes.find(url, end);
        if (refusal !== undefined) {
          resolve({ kind: "blocked", message: refusal });
          return;
        }
        const exchange = new Exchange(request, { host, path: pathFrom(url, end) }, (answer) => {
          signals.forget(signal, exchange);
          resolve(answer);
        });
        assertHeaders(exchange);
        if (signal.aborted) {
          exchange.fail("connect", "stopped before the request was sent");
          return;
        }
        signals.watch(signal, exchange);
        pool.send(exchange);
      }),

    protocolOf: (endpoint) => routes.find(endpoint, endOfAuthority(endpoint)).pool.protocol,
    capacityOf: (endpoint) => routes.find(endpoint, endOfAuthority(endpoint)).pool.capacity,

    [Symbol.dispose]() {
      routes.close();
    },
  };
}

/** What is known about all endpoints of one origin. */
interface Route {
  /** Why none of them may be used. */
  readonly refusal: string | undefined;
  /** `host` or `host:port`. */
  readonly host: string;
  readonly pool: OriginPool;
}

/** The routes in use. */
class Routes {
  readonly #options: TransportOptions;
  readonly #limits: ExchangeLimits;
  readonly #guard: AddressGuard;
  readonly #proxyFor: ProxyRule;
  readonly #trust: Trust;
  /** By scheme and authority as they are written, so that a URL is parsed once and not for each message. */
  readonly #routes = new Map<string, Route>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: TransportOptions) {
    const { timeoutMs, connectTimeoutMs = 10_000 } = options;
    this.#options = options;
    this.#limits = { timeoutMs, connectTimeoutMs: Math.min(connectTimeoutMs, timeoutMs) };
    this.#guard = createAddressGuard(options.allow, options.resolve);
    this.#proxyFor = createProxyRule(options.proxy);
    this.#trust = createTrust(options.ca);
    this.#sweeper = setInterval(() => {
      this.#sweep();
    }, sweepMs);
    this.#sweeper.unref();
  }

  find(endpoint: Endpoint, authorityEnd: number): Route {
    const prefix = endpoint.slice(0, authorityEnd);
    let route = this.#routes.get(prefix);
    if (route === undefined) {
      route = this.#open(endpoint);
      this.#routes.set(prefix, route);
    }
    return route;
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const { pool } of this.#routes.values()) pool.close();
  }

  #open(endpoint: Endpoint): Route {
    const address = addressOf(endpoint);
    const way = {
      ...address,
      trust: this.#trust,
      proxy: this.#proxyFor(endpoint),
      lookup: this.#guard.lookupFor(endpoint),
    };
    return {
      refusal: this.#guard.refusalOf(endpoint),
      host: address.host,
      pool: new OriginPool({ way, http2: mayOfferHttp2(endpoint), limits: this.#limits }),
    };
  }

  /** Lets go of what is not used: a list of a million may know thousands of origins. */
  #sweep(): void {
    const now = performance.now();
    const idle: Connection[] = [];
    for (const [prefix, { pool }] of this.#routes) {
      idle.push(...pool.sweep(now));
      if (this.#routes.size > mostRoutes && pool.isIdle) this.#routes.delete(prefix);
    }
    if (idle.length <= mostIdle) return;
    idle.sort((a, b) => (a.idleSince ?? now) - (b.idleSince ?? now));
    for (const connection of idle.slice(0, -mostIdle)) connection.close();
  }
}

/** Goes by the origin alone: what a path looks like must not decide for all others there. */
function mayOfferHttp2(endpoint: Endpoint): boolean {
  return serviceOf(`${endpointOrigin(endpoint)}/` as Endpoint).http2;
}

/** Where scheme and authority of an endpoint end. It has neither user-info nor fragment, and no backslash. */
function endOfAuthority(endpoint: Endpoint): number {
  const start = endpoint.indexOf("//") + 2;
  const slash = endpoint.indexOf("/", start);
  const end = slash < 0 ? endpoint.length : slash;
  const question = endpoint.indexOf("?", start);
  return question < 0 || question > end ? end : question;
}

/** Path and query, byte for byte: a re-encoded one is another one. */
function pathFrom(endpoint: Endpoint, authorityEnd: number): string {
  const path = endpoint.slice(authorityEnd);
  return path.startsWith("/") ? path : `/${path}`;
}
