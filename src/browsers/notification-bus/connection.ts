/**
 * One client of the bus: who it is, settled in lines of text, then messages (D-Bus specification, "Authentication Protocol").
 *
 * Whoever can open the socket may speak, since the socket's folder is the owner's
 * alone; so the only mechanism is EXTERNAL, and what it says is not looked at.
 */
import type { Duplex } from "node:stream";
import { decodeMessage, encodeMessage, type DbusMessage } from "./message.ts";
import { DbusFormatError } from "./signature.ts";

/** A message before the connection has numbered it. */
export type OutgoingMessage = Omit<DbusMessage, "serial">;

export interface BusConnectionOptions {
  readonly socket: Duplex;
  /** The bus, as 32 hex digits. */
  readonly busId: string;
  readonly onMessage: (message: DbusMessage) => void;
  readonly onEnd: () => void;
}

/** Before it has proved itself, a client has no business to say more. */
const maxLineBytes = 16 * 1024;

export class BusConnection {
  readonly #options: BusConnectionOptions;
  #state: "texts" | "messages" | "ended" = "texts";
  #isAuthenticated = false;
  #pending: Buffer = Buffer.alloc(0);
  #serial = 0;

  constructor(options: BusConnectionOptions) {
    this.#options = options;
    const { socket } = options;
    socket.on("data", (chunk: Buffer) => {
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
      this.#read();
    });
    socket.on("error", () => {
      this.close();
    });
    socket.on("close", () => {
      this.close();
    });
  }

  /** Sends a message, and says by which number an answer to it would name it. */
  send(message: OutgoingMessage): number {
    this.#serial += 1;
    if (this.#state === "messages")
      this.#options.socket.write(encodeMessage({ ...message, serial: this.#serial }));
    return this.#serial;
  }

  close(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#options.socket.destroy();
    this.#options.onEnd();
  }

  #read(): void {
    try {
      while (this.#state === "texts" && this.#readLine());
      while (this.#state === "messages" && this.#readMessage());
    } catch (error) {
      // Its bytes cannot be told apart any more; a bus drops such a client.
      if (!(error instanceof DbusFormatError)) throw error;
      this.close();
    }
  }

  #readLine(): boolean {
    const end = this.#pending.indexOf("\r\n");
    if (end === -1) {
      if (this.#pending.length > maxLineBytes) throw new DbusFormatError("a line is too long");
      return false;
    }
    // The very first byte is a zero, which carries credentials on some systems.
    const line = this.#pending.toString("latin1", 0, end).replace(/^\0/, "");
    this.#pending = this.#pending.subarray(end + 2);
    const reply = this.#answerTo(line);
    if (reply !== undefined) this.#options.socket.write(`${reply}\r\n`);
    return true;
  }

  /** File descriptors cannot be passed here, so a client that asks for them is told so and goes on without. */
  #answerTo(line: string): string | undefined {
    const [command, mechanism, response] = line.split(" ");
    switch (command) {
      case "AUTH":
        if (mechanism !== "EXTERNAL") return "REJECTED EXTERNAL";
        if (response === undefined) return "DATA";
        return this.#accept();
      case "DATA":
        return this.#accept();
      case "BEGIN":
        if (!this.#isAuthenticated) throw new DbusFormatError("messages begin before authentication");
        this.#state = "messages";
        return undefined;
      case "CANCEL":
      case "ERROR":
        return "REJECTED EXTERNAL";
      default:
        return "ERROR";
    }
  }

  #accept(): string {
    this.#isAuthenticated = true;
    return `OK ${this.#options.busId}`;
  }

  #readMessage(): boolean {
    const decoded = decodeMessage(this.#pending);
    if (decoded === undefined) return false;
    this.#pending = this.#pending.subarray(decoded.size);
    this.#options.onMessage(decoded.message);
    return true;
  }
}
