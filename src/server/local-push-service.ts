/**
 * Endpoints of a push service beside this server, told by their token.
 *
 * A stock Chromium wired to an emulator still says that its endpoint is Google's:
 * `https://jmt17.google.com/fcm/send/TOKEN`. Whoever sends to it would ask Google, who
 * never heard of it. So what is stored is the same path at the emulator's own origin.
 * The path holds the token, 128 bits and more, so it tells the subscription for sure.
 */
import { isLoopbackEndpoint, parseEndpoint, type Endpoint } from "../protocol/subscription.ts";

/** A push service that runs beside the server. */
export interface LocalPushService {
  /** As `http://127.0.0.1:8030`. */
  readonly origin: string;
  /** Whether it has a live subscription of that token. */
  knows(token: string): boolean;
}

/** The endpoint at which `send` reaches the subscription; undefined when it is no subscription of the service. */
export function localEndpointOf(
  endpoint: Endpoint,
  service: LocalPushService | undefined,
): Endpoint | undefined {
  if (service === undefined) return undefined;
  const url = new URL(endpoint);
  if (!tokensOf(url).some((token) => service.knows(token))) return undefined;
  return parseEndpoint(service.origin + url.pathname + url.search);
}

/** Whether two endpoints are one subscription of a push service on this machine, at whatever port and host. */
export function isSameLocally(stored: Endpoint, said: Endpoint): boolean {
  if (!isLoopbackEndpoint(stored)) return false;
  const [one, other] = [new URL(stored), new URL(said)];
  return one.pathname.length > shortestToken && one.pathname + one.search === other.pathname + other.search;
}

/** 128 bits in base64url. */
const shortestToken = 22;

/** What may be the token: the last part of the path, or WNS's parameter. */
function tokensOf({ pathname, searchParams }: URL): readonly string[] {
  const last = pathname.split("/").at(-1) ?? "";
  const parameter = searchParams.get("token");
  return [last, ...(parameter === null ? [] : [parameter])].filter((token) => token.length >= shortestToken);
}
