/**
 * Which addresses a stranger's endpoint may lead us to (server-side request forgery).
 *
 * An endpoint comes from whoever subscribed, so its host may name our own network or
 * resolve to it. The rule: https on port 443 of a public address, unless the person
 * running the program said otherwise. Names are resolved here, every address is
 * checked, and the connection is made to just those addresses: what was checked is
 * what is used, on each new connection, so a name cannot change its mind in between.
 * Endpoints that say plainly that they are on this machine (`localhost`, `127.0.0.1`)
 * are used where the caller's own list of them is no stranger's.
 */
import { lookup as resolveName } from "node:dns/promises";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { UserError } from "../base/errors.ts";
import { isLoopbackEndpoint, type Endpoint } from "../protocol/subscription.ts";

/** What the person running the program opened. */
export interface AddressRules {
  /** Addresses that are not public may be used. */
  readonly private: boolean;
  /** Endpoints that say that they are on this machine may be used unasked; true unless given. */
  readonly loopback?: boolean;
  /** `HOST` or `HOST:PORT`: these may be used whatever their address; without a port on any port. */
  readonly hosts: readonly string[];
}

/** One address a name resolves to. */
interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a name. Rejects with the system's error when there is none. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** Checks endpoints before, and addresses while, a connection is made. */
export interface AddressGuard {
  /** Why the endpoint may not be used, as far as its text tells; `undefined` when it may. */
  refusalOf(endpoint: Endpoint): string | undefined;
  /** Whether the person running the program named the endpoint's host. */
  isNamed(endpoint: Endpoint): boolean;
  /** Resolves and checks the endpoint's host for one connection; fails with `AddressRefused`. */
  lookupFor(endpoint: Endpoint): LookupFunction;
}

/** A name led to an address that may not be used. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
}

/** RFC 6761 §6.3: these names are this machine; no resolver is asked. */
const loopbackAddresses: readonly ResolvedAddress[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

/**
 * Makes a guard out of what was opened.
 *
 * @throws UserError `allow-host`
 */
export function createAddressGuard(rules: AddressRules, resolve: Resolve = resolveAll): AddressGuard {
  const allowed = rules.hosts.map(parseAllowedHost);
  const isTrusted = (target: Target): boolean =>
    allowed.some(({ host, port }) => host === target.host && (port === undefined || port === target.port));

  return {
    refusalOf(endpoint) {
      const target = targetOf(endpoint);
      if (target.local) {
        const isOpen = (rules.loopback ?? true) || rules.private || isTrusted(target);
        return isOpen ? undefined : `${target.host} is this machine`;
      }
      if (target.scheme !== "https:") return `${target.host} is not asked over ${target.scheme.slice(0, -1)}`;
      if (isTrusted(target)) return undefined;
      if (target.port !== 443) return `port ${target.port} of ${target.host} is not 443`;
      if (isIP(target.host) === 0 || rules.private || isPublicAddress(target.host)) return undefined;
      return `${target.host} is not a public address`;
    },

    isNamed: (endpoint) => isTrusted(targetOf(endpoint)),

    lookupFor(endpoint) {
      const target = targetOf(endpoint);
      const open = rules.private || isTrusted(target);
      return answering(async () => {
        if (target.local) return loopbackAddresses;
        const addresses = await resolve(target.host);
        const refused = open ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
        if (refused === undefined) return addresses;
        throw new AddressRefused(`${target.host} leads to ${refused.address}, which is not a public address`);
      });
    },
  };
}

/**
 * Whether an address is global unicast: reachable from anywhere, and one machine's.
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !specialIpv4.check(address, "ipv4");
  if (family !== 6 || address.includes("%")) return false;
  const carried = carriedIpv4(address);
  if (carried !== undefined) return isPublicAddress(carried);
  return unicastIpv6.check(address, "ipv6") && !specialIpv6.check(address, "ipv6");
}

interface Target {
  readonly scheme: string;
  /** Without brackets and without the dot that may end a name. */
  readonly host: string;
  readonly port: number;
  readonly local: boolean;
}

function targetOf(endpoint: Endpoint): Target {
  const { protocol, hostname, port } = new URL(endpoint);
  const defaultPort = protocol === "http:" ? 80 : 443;
  return {
    scheme: protocol,
    host: plainHost(hostname),
    port: port === "" ? defaultPort : Number(port),
    local: isLoopbackEndpoint(endpoint),
  };
}

function plainHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

/**
 * Reads `HOST` or `HOST:PORT`, an IPv6 address in brackets.
 *
 * @throws UserError `allow-host`
 * @internal
 */
export function parseAllowedHost(text: string): { readonly host: string; readonly port: number | undefined } {
  const [, name = "", port] = /^(\[[^\]]*\]|[^:/?#@\s]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const url = `https://${name}:${port ?? "443"}/`;
  if (name === "" || !URL.canParse(url)) {
    throw new UserError("allow-host", `allowed host ${JSON.stringify(text)} is not a host name`, {
      hints: ["write it as push.example.net or push.example.net:8443"],
    });
  }
  return {
    host: plainHost(new URL(url).hostname),
    port: port === undefined ? undefined : Number(port),
  };
}

/** A promise of addresses in the callback form that sockets ask for. */
function answering(find: () => Promise<readonly ResolvedAddress[]>): LookupFunction {
  return (_hostname, options, callback) => {
    void find().then(
      (addresses) => {
        const [first] = addresses;
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first?.address ?? "", first?.family ?? 0);
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error(String(error)), "", 0);
      },
    );
  };
}

/** Asks the system for all addresses of a name. */
export function resolveAll(hostname: string): Promise<readonly ResolvedAddress[]> {
  return resolveName(hostname, { all: true });
}

function listOf(
  family: "ipv4" | "ipv6",
  ranges: readonly (readonly [net: string, prefix: number])[],
): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of ranges) list.addSubnet(net, prefix, family);
  return list;
}

/** The IANA IPv4 special-purpose registry, with multicast and the reserved rest. */
const specialIpv4 = listOf("ipv4", [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // link-local, and the metadata service of most clouds
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
]);

/** RFC 4291 §2.4: all that IANA hands out. Loopback, private, link-local and multicast lie outside. */
const unicastIpv6 = listOf("ipv6", [["2000::", 3]]);

/** What inside 2000::/3 is not one machine's public address. */
const specialIpv6 = listOf("ipv6", [
  ["2001::", 23], // protocol assignments, Teredo among them
  ["2001:db8::", 32],
  ["2002::", 16], // 6to4 carries any IPv4 address
  ["3fff::", 20],
]);

/** Prefixes whose last 32 bits are the IPv4 address really meant: mapped (RFC 4291 §2.5.5.2), NAT64 (RFC 6052 §2.1). */
const carriesIpv4 = listOf("ipv6", [
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
]);

function carriedIpv4(address: string): string | undefined {
  if (!carriesIpv4.check(address, "ipv6")) return undefined;
  // The URL parser writes every IPv6 spelling as hexadecimal groups, the longest run of zeros as `::`.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(":");
  const [high, low] = [groups.at(-2), groups.at(-1)].map((group) => parseInt(group || "0", 16));
  if (high === undefined || low === undefined) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
