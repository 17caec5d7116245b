/**
 * A push service that accepts whatever it gets, and keeps account of it: for many messages,
 * where a script of answers would only be long.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { parseEndpoint, type Endpoint } from "../../src/protocol/subscription.ts";

export class AcceptingPushService implements AsyncDisposable {
  /** The paths that were posted to, in order. */
  readonly paths: string[] = [];
  readonly #server: Server;
  #noticed: () => void = () => undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      request.resume();
      request.on("end", () => {
        this.paths.push(request.url ?? "");
        response.writeHead(201, { "content-length": "0" }).end();
        this.#noticed();
      });
    });
  }

  /** Starts on a free port of 127.0.0.1, speaking plain HTTP. */
  static async start(): Promise<AcceptingPushService> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new AcceptingPushService(server);
  }

  endpoint(path: string): Endpoint {
    const { port } = this.#server.address() as AddressInfo;
    return parseEndpoint(`http://127.0.0.1:${port}${path}`);
  }

  /** Resolves when `count` requests have arrived in all. */
  async received(count: number): Promise<void> {
    while (this.paths.length < count) {
      await new Promise<void>((resolve) => {
        this.#noticed = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
