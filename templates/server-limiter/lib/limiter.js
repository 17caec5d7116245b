/**
 * So many requests of one client in a minute, and who a client is.
 */
import { BlockList, isIP, isIPv6 } from "node:net";
import { limits } from "./service.js";

const minuteMs = 60_000;
/** Above this many clients those who have been quiet are forgotten. */
const manyClients = 10_000;

/** @returns {(limit: string | undefined, client: string) => boolean} whether one more is let through */
export function createLimiter(now = Date.now) {
  const counts = new Map();
  return (limit, client) => {
    if (limit === undefined) return true;
    const key = `${limit} ${client}`;
    const at = now();
    if (counts.size > manyClients) {
      for (const [old, { since }] of counts) if (at - since >= minuteMs) counts.delete(old);
    }
    const known = counts.get(key);
    const count = known && at - known.since < minuteMs ? known : { since: at, taken: 0 };
    count.taken += 1;
    counts.set(key, count);
    return count.taken <= limits[limit];
  };
}

/**
 * Who the client of a request is: the connection's other end, or, where that is a proxy of ours, whom it wrote down
 * last. What stands further left in X-Forwarded-For the client may have made up.
 *
 * @param {readonly string[]} trusted  addresses and networks of our proxies
 */
export function createClientFinder(trusted) {
  const proxies = new BlockList();
  for (const entry of trusted) {
    const [address, prefix] = entry.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    proxies.addSubnet(address, Number(prefix ?? (family === "ipv6" ? 128 : 32)), family);
  }
  const isProxy = (address) => isIP(address) && proxies.check(address, isIPv6(address) ? "ipv6" : "ipv4");

  return ({ headers, socket }) => {
    const forwarded = String(headers["x-forwarded-for"] ?? "").split(",");
    const way = [...forwarded, socket.remoteAddress ?? ""].map(plain).filter((address) => address !== "");
    return networkOf(way.findLast((address) => !isProxy(address)) ?? way[0] ?? "");
  };
}

/** An IPv4 client of a socket for both families shows as ::ffff:192.0.2.1. */
function plain(address) {
  return address.trim().replace(/^::ffff:(?=\d+\.)/i, "");
}

/** One household has a whole /64 of IPv6 addresses, so that is one client. */
function networkOf(address) {
  if (!isIPv6(address) || address.includes("%")) return address;
  const [head, tail = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - groups.length - rest.length }, () => "0");
  return [...groups, ...zeros, ...rest].slice(0, 4).join(":");
}
