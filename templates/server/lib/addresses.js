/**
 * Where this server may be made to connect to.
 *
 * An endpoint comes from a stranger, and we send requests to it. So its host must be a known push service's, and
 * the address behind the name a public one: nobody shall reach your database or your cloud's metadata through us.
 * The second is checked at each connection, with the very address that is then used.
 */
import { lookup } from "node:dns";
import { Agent } from "node:https";
import { BlockList, isIP } from "node:net";

/** Push services: these hosts and all below them. */
const pushHosts = [
  "fcm.googleapis.com", // Chrome, Edge on Android, Opera, Samsung Internet
  "jmt17.google.com",
  "push.services.mozilla.com", // Firefox
  "push.apple.com", // Safari
  "notify.windows.com", // Edge
];

/** @typedef {{ allowHosts: readonly string[], allowLoopback: boolean }} EndpointRules */

/**
 * Why an endpoint is not sent to; undefined when it is fine.
 *
 * @param {URL} url
 * @param {EndpointRules} rules
 */
export function refusalOf({ protocol, hostname, host, username, password }, { allowHosts, allowLoopback }) {
  if (username || password) return "it has a password in it";
  const name = hostname.replace(/\.$/, "");
  // web-push speaks TLS whatever the scheme, and so does an emulator whose addresses begin with http:.
  if (allowLoopback && isLoopback(name) && /^https?:$/.test(protocol)) return undefined;
  if (protocol !== "https:") return "it is not https";
  if (isIP(bare(name)) && !isPublic(bare(name))) return `${host} is not a public address`;
  if (allowHosts.includes(host)) return undefined;
  const isKnown = pushHosts.some((known) => name === known || name.endsWith(`.${known}`));
  if (!isKnown || host !== hostname) return `${host} is no push service known here (ALLOW_HOSTS adds one)`;
  return undefined;
}

function isLoopback(name) {
  return name === "localhost" || name === "127.0.0.1" || name === "[::1]";
}

function bare(name) {
  return name.replace(/^\[(.*)\]$/, "$1");
}

/**
 * Keeps connections open, and makes them to public addresses only.
 *
 * @param {Pick<EndpointRules, "allowLoopback">} rules
 */
export function createAgent({ allowLoopback }) {
  return new Agent({
    keepAlive: true,
    maxSockets: 100,
    lookup: (hostname, options, callback) => {
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error);
        const hidden = addresses.find(({ address }) => !isPublic(address));
        if (hidden && !(allowLoopback && isLoopback(hostname))) {
          return callback(new AddressRefused(`${hostname} leads to ${hidden.address}`));
        }
        if (options.all) return callback(null, addresses);
        return callback(null, addresses[0].address, addresses[0].family);
      });
    },
  });
}

/** A name led to an address that is not public. */
export class AddressRefused extends Error {}

/** The IANA registries of special addresses: this machine, private networks, link-local, multicast, examples. */
const special = new BlockList();
for (const range of [
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24",
  "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4",
].flatMap((line) => line.split(" "))) {
  const [net, prefix] = range.split("/");
  special.addSubnet(net, Number(prefix), "ipv4");
}
for (const [net, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
]) {
  special.addSubnet(net, prefix, "ipv6");
}
/** All that IANA has handed out of IPv6; loopback, private, link-local and mapped IPv4 lie outside. */
const unicast = new BlockList();
unicast.addSubnet("2000::", 3, "ipv6");

/** Whether an address is one machine's, reachable from anywhere. */
export function isPublic(address) {
  if (isIP(address) === 4) return !special.check(address, "ipv4");
  if (isIP(address) !== 6 || address.includes("%")) return false;
  return unicast.check(address, "ipv6") && !special.check(address, "ipv6");
}
