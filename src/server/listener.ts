/**
 * A socket for HTTP/1.1 that nothing a client sends brings down or makes wait: sizes, times and the number of
 * connections are bounded.
 */
import { createServer, type Server } from "node:http";

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** How long a client may take to send one request; 10 s by default. */
  readonly requestTimeoutMs?: number;
}

const maxConnections = 256;
const maxHeaderBytes = 16_384;

/** Listens; rejects with the system's error. */
export function openListener({ host, port, requestTimeoutMs = 10_000 }: ListenerOptions): Promise<Server> {
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
  });
  server.maxConnections = maxConnections;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true, ipv6Only: host === "::1" }, () => {
      resolve(server);
    });
  });
}

/** Stops listening and ends every connection. */
export function closeListener(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
