/** A raw autopush client: sends frames as BROWSERS.md has them, keeps what comes. */
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";

export type Frame = Readonly<Record<string, unknown>>;

export class RawClient {
  readonly socket: WebSocket;
  readonly #waiting: Frame[] = [];
  #noticed: () => void = () => undefined;
  /** The close code and reason, once the connection has ended. */
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;

  constructor(origin: string, headers: Readonly<Record<string, string>> = {}) {
    const address = new URL(origin.replace("http:", "ws:"));
    this.socket = new WebSocket(address, "push-notification", { headers });
    this.socket.on("error", () => undefined);
    this.socket.on("message", (data: Buffer) => {
      this.#waiting.push(JSON.parse(data.toString()) as Frame);
      this.#noticed();
    });
    this.ended = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
      });
    });
    onTestFinished(() => {
      this.socket.terminate();
    });
  }

  async opened(): Promise<this> {
    if (this.socket.readyState !== WebSocket.OPEN)
      await new Promise<void>((resolve, reject) => {
        this.socket.once("open", resolve).once("error", reject);
      });
    return this;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The next frame that comes. */
  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.#waiting.shift();
      if (frame !== undefined) return frame;
      await new Promise<void>((resolve) => {
        this.#noticed = resolve;
      });
    }
  }

  async ask(frame: unknown): Promise<Frame> {
    this.send(frame);
    return this.next();
  }

  /** How many frames have come and were not asked for. */
  get pending(): number {
    return this.#waiting.length;
  }

  ack(frame: Frame, code?: number): void {
    const { channelID, version } = frame;
    this.send({ messageType: "ack", updates: [{ channelID, version, code }] });
  }
}

/** A client that has said hello; answers it and its user agent id. */
export async function hello(
  origin: string,
  uaid?: string,
): Promise<{ readonly client: RawClient; readonly uaid: string }> {
  const client = await new RawClient(origin).opened();
  const frame = { messageType: "hello", use_webpush: true, broadcasts: {}, ...(uaid && { uaid }) };
  const answer = await client.ask(frame);
  return { client, uaid: String(answer["uaid"]) };
}

export function channel(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}

/** Registers a channel; answers its endpoint. */
export async function register(client: RawClient, channelID: string, key?: string): Promise<string> {
  const answer = await client.ask({ messageType: "register", channelID, ...(key && { key }) });
  return String(answer["pushEndpoint"]);
}
