/**
 * One TCP port for everything: listens, bounds the number of connections, and ends them all.
 *
 * What a connection speaks is found out in protocols.ts, first for the connection
 * itself, then for the inside of a tunnel through it (tunnel.ts).
 */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { messageOf, UserError } from "../base/errors.ts";
import { hostInUrl } from "../base/host.ts";
import { describePortFailure } from "../base/port-failure.ts";
import { isLoopbackHost } from "../protocol/subscription.ts";
import type { AutopushDoor } from "./autopush-door.ts";
import type { TlsIdentity } from "./certificate.ts";
import type { ChromiumDoor } from "./chromium-door/door.ts";
import { createHttpDoor, type HttpDoorOptions } from "./http-door.ts";
import { createProtocols } from "./protocols.ts";
import { refuse } from "./refusals.ts";
import { createTunnels, refuseTunnels } from "./tunnel.ts";

export interface PortOptions extends HttpDoorOptions {
  readonly tls: TlsIdentity;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** An address of this machine; 127.0.0.1 by default. */
  readonly host?: string;
  /** Lets `host` be an address that other machines reach. */
  readonly allowRemote?: boolean;
  /** How long a client may take for its first byte, a handshake, or a request; 10 s by default. */
  readonly requestTimeoutMs?: number;
  /** How many connections may be open; more are dropped. */
  readonly maxConnections?: number;
  readonly autopush?: AutopushDoor;
  readonly chromium?: Pick<ChromiumDoor, "accept">;
}

/** An open port. */
export interface Port extends AsyncDisposable {
  /** Where it listens, as `http://127.0.0.1:8030`. */
  readonly origin: string;
  /** The same over TLS. */
  readonly httpsOrigin: string;
  readonly port: number;
  /** Stops listening and ends every connection, waiting polls included. */
  close(): Promise<void>;
}

/**
 * Opens the port of a push service.
 *
 * @throws UserError `emulator-host` when the address is not on loopback and `allowRemote` was not given,
 *   `emulator-port` when the port cannot be had.
 */
export async function openPort(options: PortOptions): Promise<Port> {
  const { service, tls, autopush, chromium } = options;
  const { host = "127.0.0.1", requestTimeoutMs = 10_000, allowRemote = false } = options;
  if (!allowRemote && !isLoopbackHost(hostInUrl(host))) throw remoteHostError(host);
  // Half open, as HTTP servers are: a client may end its side with its request.
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  await listen(server, host, options.port ?? 0);
  server.maxConnections = options.maxConnections ?? 2000;
  server.on("error", (error) => {
    service.report(refuse("internal", `a connection could not be accepted: ${messageOf(error)}`));
  });
  const { port } = server.address() as AddressInfo;
  const guard = { port, allowRemote };
  const door = createHttpDoor(options, guard);
  const shared = { service, door, guard, tls, requestTimeoutMs, autopush, chromium };
  const inside = createProtocols({ ...shared, openTunnel: refuseTunnels(service) });
  const openTunnel = createTunnels({
    service,
    port,
    enter: (socket) => {
      inside.accept(socket);
    },
  });
  const outside = createProtocols({ ...shared, openTunnel });
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    outside.accept(socket);
  });
  const close = async () => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
    for (const socket of sockets) socket.destroy();
    inside.close();
    outside.close();
    await closed;
  };
  const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : hostInUrl(host);
  return {
    origin: `http://${shown}:${port}`,
    httpsOrigin: `https://${shown}:${port}`,
    port,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      reject(portError(error, host, port));
    };
    server.once("error", fail);
    server.listen({ host, port, exclusive: true }, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

function remoteHostError(host: string): UserError {
  return new UserError("emulator-host", `${host} is not a loopback address`, {
    hints: [
      "listen on 127.0.0.1",
      "or let other machines reach this push service, which protects nothing: --allow-remote",
    ],
  });
}

function portError(cause: Error, host: string, port: number): UserError {
  const { message, hints } = describePortFailure(cause, { host, port, anyPort: "0" });
  return new UserError("emulator-port", message, { kind: "failed", hints, cause });
}
