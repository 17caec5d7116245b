/**
 * The hosts of the vendors' push services that the emulator stands in for.
 *
 * Browsers put them into endpoints, so senders ask for them: through a tunnel, or in the Host header.
 */
import { factsOf, servesHost, type PushServiceFacts } from "../protocol/services.ts";

/** Those whose endpoints a stock browser makes; not the services that anybody can run. */
function vendors(): readonly PushServiceFacts[] {
  return [factsOf("fcm"), factsOf("mozilla"), factsOf("apple"), factsOf("wns")];
}

/** Whether the `hostname` of a parsed URL is a vendor's. */
export function isVendorHost(hostname: string): boolean {
  const host = hostname.replace(/\.$/, "");
  return vendors().some((facts) => servesHost(facts, host));
}

/** The vendors' domains, each standing for its subdomains too (RFC 5280 §4.2.1.10). */
export function vendorDomains(): readonly string[] {
  return vendors().flatMap(({ hosts }) => [...hosts.exact, ...hosts.suffixes]);
}

/** The names a certificate needs to be any of them; `*` is one label. */
export function vendorNames(): readonly string[] {
  return vendors().flatMap(({ hosts }) => [
    ...hosts.exact,
    ...hosts.suffixes.flatMap((suffix) => [suffix, `*.${suffix}`]),
  ]);
}
