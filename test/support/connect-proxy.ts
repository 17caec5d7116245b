/**
 * A proxy that tunnels every CONNECT to one port of this machine, or refuses it.
 *
 * It stands for a company's proxy: names that no resolver here knows lead somewhere.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

export interface ConnectProxyOptions {
  /** Where all tunnels lead. */
  readonly to: number;
  /** What CONNECT is answered; 200 unless given, `close` hangs up. */
  readonly answer?: number | "close";
}

export class ConnectProxy implements AsyncDisposable {
  /** The `host:port` of every CONNECT. */
  readonly targets: string[] = [];
  /** The `Proxy-Authorization` of every CONNECT. */
  readonly credentials: (string | undefined)[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor({ to, answer = 200 }: ConnectProxyOptions) {
    this.#server = createServer();
    this.#server.on("connection", (socket: Socket) => {
      this.#keep(socket);
    });
    this.#server.on("connect", (request: IncomingMessage, client: Socket) => {
      this.targets.push(request.url ?? "");
      this.credentials.push(request.headers["proxy-authorization"]);
      if (answer === "close") client.destroy();
      else if (answer !== 200) client.end(`HTTP/1.1 ${answer} No\r\nContent-Length: 4\r\n\r\ngone`);
      else this.#tunnel(client, to);
    });
  }

  static async start(options: ConnectProxyOptions): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(options);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** As `HTTPS_PROXY` wants it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #tunnel(client: Socket, to: number): void {
    const upstream = connect(to, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    this.#keep(upstream);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
