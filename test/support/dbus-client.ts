/** A D-Bus client, as a browser is one: hears every message, and awaits the answers to its calls. */
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import {
  decodeMessage,
  encodeMessage,
  type DbusMessage,
} from "../../src/browsers/notification-bus/message.ts";
import type { ByteOrder } from "../../src/browsers/notification-bus/marshalling.ts";
import type { DbusValue } from "../../src/browsers/notification-bus/signature.ts";

export interface DbusCall {
  readonly destination: string;
  readonly path?: string;
  readonly interface?: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly DbusValue[];
}

export class DbusClient {
  readonly #socket: Socket;
  readonly #order: ByteOrder;
  #pending: Buffer = Buffer.alloc(0);
  #isTalking = false;
  #serial = 0;
  readonly #lines: string[] = [];
  readonly #messages: DbusMessage[] = [];
  #wake: () => void = () => undefined;
  readonly closed: Promise<void>;

  private constructor(socket: Socket, order: ByteOrder) {
    this.#socket = socket;
    this.#order = order;
    socket.on("data", (chunk: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      this.#read();
      this.#wake();
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        resolve();
      });
    });
    onTestFinished(() => {
      socket.destroy();
    });
  }

  /** A client that has not proved who it is. */
  static async open(socketPath: string, order: ByteOrder = "little"): Promise<DbusClient> {
    const socket = connect(socketPath);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    return new DbusClient(socket, order);
  }

  /** A client that has said hello, with its name. */
  static async join(socketPath: string, order: ByteOrder = "little"): Promise<DbusClient & { name: string }> {
    const client = await DbusClient.open(socketPath, order);
    client.write("\0AUTH EXTERNAL 30\r\n");
    await client.line();
    client.begin();
    const { body } = await client.call({ ...bus, member: "Hello" });
    return Object.assign(client, { name: typeof body[0] === "string" ? body[0] : "" });
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  begin(): void {
    this.#isTalking = true;
    this.write("BEGIN\r\n");
  }

  /** The next line of the authentication. */
  line(): Promise<string> {
    return this.#next(() => this.#lines.shift());
  }

  /** The answer to a call. */
  call({ path = "/", body = [], ...call }: DbusCall): Promise<DbusMessage> {
    const serial = (this.#serial += 1);
    this.write(encodeMessage({ kind: "call", serial, path, body, ...call }, this.#order));
    return this.#next(() => this.#take((message) => message.replySerial === serial));
  }

  /** The next signal of this name. */
  signal(member: string): Promise<DbusMessage> {
    return this.#next(() => this.#take((message) => message.kind === "signal" && message.member === member));
  }

  #take(isWanted: (message: DbusMessage) => boolean): DbusMessage | undefined {
    const at = this.#messages.findIndex(isWanted);
    return at === -1 ? undefined : this.#messages.splice(at, 1)[0];
  }

  async #next<Found>(find: () => Found | undefined): Promise<Found> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #read(): void {
    for (;;) {
      if (this.#isTalking) {
        const decoded = decodeMessage(this.#pending);
        if (decoded === undefined) return;
        this.#messages.push(decoded.message);
        this.#pending = this.#pending.subarray(decoded.size);
      } else {
        const end = this.#pending.indexOf("\r\n");
        if (end === -1) return;
        this.#lines.push(this.#pending.toString("latin1", 0, end));
        this.#pending = this.#pending.subarray(end + 2);
      }
    }
  }
}

/** Where the bus itself answers. */
export const bus = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
} as const;

/** Where the notifications are. */
export const notificationService = {
  destination: "org.freedesktop.Notifications",
  path: "/org/freedesktop/Notifications",
  interface: "org.freedesktop.Notifications",
} as const;
