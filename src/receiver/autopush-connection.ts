/**
 * One WebSocket to an autopush service: frames out, frames in, in order, and the reason of its end.
 *
 * What comes faster than it is taken stays in the socket; a service that no longer
 * answers pings is given up.
 */
import type { Agent } from "node:http";
import { WebSocket } from "ws";
import { messageOf } from "../base/errors.ts";

/** A frame of the service, its fields unread. */
export type ServerFrame = Readonly<Record<string, unknown>>;

export interface ConnectOptions {
  readonly service: string;
  readonly signal: AbortSignal;
  /** How often to ask whether the service is still there; autopush disconnects who does it more often than every 45 s. */
  readonly pingMs: number;
  /** What opens the connection, when a proxy does. */
  readonly agent?: Agent | undefined;
}

const maxFrameBytes = 16 * 1_048_576;
const connectTimeoutMs = 10_000;
const answerTimeoutMs = 10_000;
/** Frames that may wait before the socket is told to pause. */
const maxWaiting = 100;

export class AutopushConnection implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #waiting: ServerFrame[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #wake: () => void = () => undefined;
  #ended: string | undefined;
  #isAnswered = true;

  constructor(socket: WebSocket, { signal, pingMs }: ConnectOptions) {
    this.#socket = socket;
    socket.on("message", (data) => {
      this.#take(data as Buffer);
    });
    socket.on("error", (error) => {
      this.#end(error.message);
    });
    socket.on("close", (code, reason) => {
      this.#end(`the service closed with ${code}${reason.length === 0 ? "" : ` ${reason.toString()}`}`);
    });
    const stop = () => {
      this.#end("stopped");
    };
    signal.addEventListener("abort", stop, { once: true });
    socket.once("close", () => {
      signal.removeEventListener("abort", stop);
    });
    this.#timers.add(
      setInterval(() => {
        this.#ping();
      }, pingMs).unref(),
    );
  }

  send(frame: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** Why it ended; `undefined` while it is open. */
  get why(): string | undefined {
    return this.#ended;
  }

  /** The next frame; `undefined` when no more will come. */
  async next(): Promise<ServerFrame | undefined> {
    for (;;) {
      const frame = this.#waiting.shift();
      if (this.#waiting.length < maxWaiting && this.#socket.isPaused) this.#socket.resume();
      if (frame !== undefined && this.#ended !== "stopped") return frame;
      if (this.#ended !== undefined) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Says goodbye and waits a little for what was sent to arrive. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.resume();
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(() => {
        this.#socket.terminate();
      }, 1000);
      this.#socket.once("close", () => {
        clearTimeout(giveUp);
        resolve();
      });
      this.#socket.close(1000);
    });
  }

  #take(data: Buffer): void {
    this.#isAnswered = true;
    const frame = parseFrame(data.toString());
    if (frame === undefined) {
      this.#end("the service sent a frame that is no JSON object");
      return;
    }
    this.#waiting.push(frame);
    if (this.#waiting.length >= maxWaiting) this.#socket.pause();
    this.#wake();
  }

  #ping(): void {
    this.#isAnswered = false;
    this.send({});
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isAnswered) this.#end("the service no longer answers");
    }, answerTimeoutMs).unref();
    this.#timers.add(timer);
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#wake();
  }
}

/** Connects, or says why it could not. */
export async function openAutopush(
  options: ConnectOptions,
): Promise<AutopushConnection | { readonly why: string }> {
  let socket: WebSocket;
  try {
    socket = new WebSocket(options.service, {
      handshakeTimeout: connectTimeoutMs,
      maxPayload: maxFrameBytes,
      perMessageDeflate: false,
      ...(options.agent === undefined ? {} : { agent: options.agent }),
    });
  } catch (error) {
    return { why: messageOf(error) };
  }
  const why = await new Promise<string | undefined>((resolve) => {
    const stop = () => {
      socket.terminate();
      resolve("stopped");
    };
    options.signal.addEventListener("abort", stop, { once: true });
    socket.once("open", () => {
      options.signal.removeEventListener("abort", stop);
      resolve(undefined);
    });
    socket.on("error", (error) => {
      options.signal.removeEventListener("abort", stop);
      resolve(error.message === "" ? "the connection was refused" : error.message);
    });
  });
  return why === undefined ? new AutopushConnection(socket, options) : { why };
}

function parseFrame(text: string): ServerFrame | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    return Object.assign(Object.create(null) as Record<string, unknown>, json);
  } catch {
    return undefined;
  }
}
