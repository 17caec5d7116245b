/**
 * A push service that accepts whatever it gets, unless it is told another rule, and keeps account of it: for many
 * messages, where a script of answers would only be long.
 */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { parseEndpoint, type Endpoint } from "../../src/protocol/subscription.ts";

/** What is answered to a request; `times` counts the requests to its path, this one included. */
export type AnswerRule = (request: {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly times: number;
}) => Answer | Promise<Answer>;

interface Answer {
  /** 201 unless given. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export class AcceptingPushService implements AsyncDisposable {
  /** The paths that were posted to, in order. */
  readonly paths: string[] = [];
  readonly #server: Server;
  #noticed: () => void = () => undefined;

  private constructor(server: Server, rule: AnswerRule) {
    this.#server = server;
    const times = new Map<string, number>();
    server.on("request", (request, response) => {
      const { url: path = "", headers } = request;
      request.resume();
      request.on("end", () => {
        this.paths.push(path);
        times.set(path, (times.get(path) ?? 0) + 1);
        this.#noticed();
        void Promise.resolve(rule({ path, headers, times: times.get(path) ?? 0 })).then((answer) => {
          const { status = 201, headers, body = "" } = answer;
          response.writeHead(status, { "content-length": String(body.length), ...headers }).end(body);
        });
      });
    });
  }

  /** Starts on a free port of 127.0.0.1, speaking plain HTTP. */
  static async start(rule: AnswerRule = () => ({})): Promise<AcceptingPushService> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new AcceptingPushService(server, rule);
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
