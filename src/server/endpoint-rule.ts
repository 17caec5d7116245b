/**
 * Which endpoints a page may hand in (PROTOCOL.md §6 row 1).
 *
 * An endpoint is where this machine will send to, so a stranger's must not lead
 * elsewhere: the host is that of a known push service, told by the parsed name alone,
 * or one the person allowed; and the sender's own guard has nothing against it. What
 * a name resolves to is looked at when sending.
 */
import { classifyEndpoint, diagnosisOf } from "../protocol/delivery.ts";
import { hasKnownHost } from "../protocol/services.ts";
import { isLoopbackEndpoint, type Endpoint } from "../protocol/subscription.ts";
import { createAddressGuard } from "../sender/address-guard.ts";
import { refuse, type Refusal } from "./refusal.ts";

export interface EndpointRules {
  /** `HOST` or `HOST:PORT`, allowed by the person. */
  readonly allowHosts: readonly string[];
  /** Whether endpoints on this machine are fine: only as long as nobody else can hand one in. */
  readonly isLoopbackAllowed: boolean;
}

/** Answers why an endpoint is refused; undefined when it is fine. */
export type EndpointRule = (endpoint: Endpoint) => Refusal | undefined;

/**
 * Makes the rule.
 *
 * @throws UserError `allow-host`
 */
export function createEndpointRule({ allowHosts, isLoopbackAllowed }: EndpointRules): EndpointRule {
  const guard = createAddressGuard({ private: false, hosts: allowHosts });
  return (endpoint) => {
    const { host } = new URL(endpoint);
    const isNamed = guard.isNamed(endpoint);
    const dead = classifyEndpoint(endpoint);
    if (dead !== undefined) return refuse(400, "endpoint-dead", diagnosisOf(dead.cause).meaning);
    if (isLoopbackEndpoint(endpoint)) {
      if (isLoopbackAllowed || isNamed) return undefined;
      return refuse(
        403,
        "endpoint-refused",
        `${host} is on this machine, and other machines may hand in subscriptions; start with --allow-host ${host} to allow it`,
      );
    }
    const refused = guard.refusalOf(endpoint);
    if (refused !== undefined) {
      return refuse(
        403,
        "endpoint-refused",
        `${refused}; start with --allow-host ${host} if it is your push service`,
      );
    }
    if (isNamed || hasKnownHost(endpoint)) return undefined;
    return refuse(
      403,
      "endpoint-refused",
      `${host} is no push service known to webpush; start with --allow-host ${host} if it is yours`,
    );
  };
}
