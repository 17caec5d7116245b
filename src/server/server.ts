/**
 * The development server's socket: HTTP/1.1 on loopback, IPv4 and, where it can, IPv6.
 *
 * Nothing a client sends brings it down or makes it wait: sizes, times and the number
 * of connections are bounded.
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { systemCode, UserError } from "../base/errors.ts";
import { hostInUrl } from "../base/host.ts";
import { describePortFailure } from "../base/port-failure.ts";
import { isLoopbackHost } from "../protocol/subscription.ts";
import { createApp, type AppOptions } from "./app.ts";
import { createEndpointRule } from "./endpoint-rule.ts";
import { closeListener, openListener } from "./listener.ts";
import type { LocalPushService } from "./local-push-service.ts";
import { createRegistrations, type RegistrationOptions } from "./registrations.ts";

export interface ServerOptions
  extends Omit<AppOptions, "registrations" | "guard">, Pick<RegistrationOptions, "store" | "holdsKey"> {
  /** 0 takes any free port. */
  readonly port: number;
  /** An address of this machine; undefined is loopback, of both kinds. */
  readonly host: string | undefined;
  /** Lets `host` be an address that other machines reach. */
  readonly allowRemote: boolean;
  /** Push services, beside the known ones, that a page may be subscribed at. */
  readonly allowHosts: readonly string[];
  readonly localPushService: LocalPushService | undefined;
  /** The most subscriptions that pages may fill the store with; 1000 by default. */
  readonly maxSubscriptions?: number;
  /** How long a client may take to send one request; 10 s by default. */
  readonly requestTimeoutMs?: number;
}

/** A running server. */
export interface DevelopmentServer extends AsyncDisposable {
  /** Where the page is, as `http://localhost:8040`. */
  readonly origin: string;
  readonly port: number;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** How often a free port of IPv4 is tried again because IPv6 has it taken. */
const portAttempts = 5;

/**
 * Starts the server.
 *
 * @throws UserError `serve-host`, `serve-port`, `allow-host`
 */
export async function startServer(options: ServerOptions): Promise<DevelopmentServer> {
  const { host, allowRemote } = options;
  const isLoopback = host === undefined || isLoopbackHost(hostInUrl(host));
  if (!isLoopback && !allowRemote) throw remoteHostError(host);
  const isLoopbackAllowed = isLoopback;
  const endpointRule = createEndpointRule({ allowHosts: options.allowHosts, isLoopbackAllowed });
  const registrations = createRegistrations({ maxSubscriptions: 1000, ...options, endpointRule });
  // The guard has to know the port, so the servers listen first, and answer from the next tick on.
  const { servers, port } = await listen(options);
  const app = createApp({ ...options, registrations, guard: { port, isRemoteAllowed: !isLoopback } });
  const answer = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    hostname: "localhost",
    errorHandler: () => new Response(malformedRequest, { status: 400, headers: malformedHeaders }),
  });
  for (const server of servers) server.on("request", (request, response) => void answer(request, response));
  const close = async () => {
    await Promise.all(servers.map((server) => closeListener(server)));
  };
  const shown = host === undefined ? "localhost" : shownHost(host);
  return { origin: `http://${shown}:${port}`, port, close, [Symbol.asyncDispose]: close };
}

const malformedRequest = JSON.stringify({
  error: "request-malformed",
  message: "the request has no usable address",
});
const malformedHeaders = {
  "content-type": "application/json",
  "cross-origin-resource-policy": "same-origin",
};

/** Listens where it was told to; on loopback, at the same port of both kinds of address. */
async function listen(
  options: ServerOptions,
): Promise<{ readonly servers: readonly Server[]; readonly port: number }> {
  const { host, port } = options;
  for (let attempt = 1; ; attempt += 1) {
    const first = await open(host ?? "127.0.0.1", port, options);
    const taken = (first.address() as AddressInfo).port;
    if (host !== undefined) return { servers: [first], port: taken };
    try {
      return { servers: [first, await open("::1", taken, options)], port: taken };
    } catch (error) {
      const code = error instanceof UserError ? systemCode(error.cause) : undefined;
      // A machine without IPv6 gets by without.
      if (code !== "EADDRINUSE") return { servers: [first], port: taken };
      // Whoever has the port over IPv6 would be what some browsers find at localhost.
      await closeListener(first);
      if (port !== 0 || attempt === portAttempts) throw error;
    }
  }
}

async function open(
  host: string,
  port: number,
  { requestTimeoutMs = 10_000 }: ServerOptions,
): Promise<Server> {
  try {
    return await openListener({ host, port, requestTimeoutMs });
  } catch (error) {
    const { message, hints } = describePortFailure(error, { host, port, anyPort: "--port 0" });
    throw new UserError("serve-port", message, { kind: "failed", hints, cause: error });
  }
}

function shownHost(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "localhost" : hostInUrl(host);
}

function remoteHostError(host: string): UserError {
  return new UserError("serve-host", `${host} is not a loopback address`, {
    hints: ["leave --host out to serve this machine alone", "or add --allow-remote to let other machines in"],
  });
}
