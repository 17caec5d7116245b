/**
 * One HTTP/1.1 connection to a push service: RFC 9112, one request at a time.
 *
 * Each request leaves in a single write, of known length: WNS refuses chunked bodies. The
 * connection is kept for the next one only after an answer that came whole.
 */
import type { Socket } from "node:net";
import type { Connection, ConnectionOwner } from "../connection.ts";
import { DeadlineTimer } from "../deadline-timer.ts";
import type { Exchange, Holder } from "../exchange.ts";
import { brokeOff } from "../failure.ts";
import type { Verdict } from "../partial-response.ts";
import { ResponseReader } from "./response-reader.ts";

/**
 * Connections are closed when unused for this long. Most servers keep them for 5 s or
 * more, so this is what keeps a request from meeting one that is just being closed,
 * where nobody could tell whether it was processed.
 */
const keepIdleMs = 4000;

/** A request under way, and what came of its answer. */
interface Turn {
  readonly exchange: Exchange;
  readonly reader: ResponseReader;
}

export class Http1Connection implements Connection, Holder {
  readonly protocol = "http/1.1";
  readonly capacity = 1;
  readonly keepIdleMs = keepIdleMs;
  used = false;
  idleSince: number | undefined = performance.now();
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #deadline = new DeadlineTimer((now) => this.#expire(now));
  #turn: Turn | undefined;
  #isClosed = false;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.on("data", (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.once("end", () => {
      this.#finish(this.#turn?.reader.end() === "done" ? "done" : "malformed", brokeOff);
    });
    socket.once("close", () => {
      this.#end(brokeOff);
    });
    if (socket.destroyed) this.#isClosed = true;
  }

  get room(): number {
    return this.#turn === undefined && this.#isStanding ? 1 : 0;
  }

  /** A socket is lost a while before it says so: what is written there then never leaves. */
  get #isStanding(): boolean {
    return !this.#isClosed && this.#socket.writable;
  }

  readiness(now: number): "ready" | "stale" {
    if (!this.#isStanding) return "stale";
    return this.idleSince !== undefined && now - this.idleSince > keepIdleMs ? "stale" : "ready";
  }

  begin(exchange: Exchange, now: number): void {
    const { timeoutMs } = this.#owner.limits;
    this.#turn = { exchange, reader: new ResponseReader() };
    this.used = true;
    this.idleSince = undefined;
    exchange.holder = this;
    exchange.deadlineAt = now + timeoutMs;
    this.#deadline.expect(exchange.deadlineAt);
    this.#socket.write(formatRequest(exchange));
  }

  giveUp(): void {
    this.#end("stopped while waiting for an answer");
  }

  close(): void {
    this.#end(brokeOff);
  }

  #receive(chunk: Buffer): void {
    // Bytes that nobody asked for would be taken for the next answer.
    if (this.#turn === undefined) this.close();
    else this.#finish(this.#turn.reader.push(chunk), "the answer is not valid HTTP");
  }

  #finish(reading: Verdict, why: string): void {
    const turn = this.#turn;
    if (reading === "more") return;
    if (reading !== "done" || turn?.reader.isReusable !== true) {
      this.#end(why);
      return;
    }
    this.#turn = undefined;
    this.idleSince = performance.now();
    settle(turn, why);
    this.#owner.freed(this);
  }

  #expire(now: number): number | undefined {
    const deadlineAt = this.#turn?.exchange.deadlineAt;
    if (deadlineAt === undefined || deadlineAt > now) return deadlineAt;
    this.#end(`no answer within ${this.#owner.limits.timeoutMs} ms`);
    return undefined;
  }

  #end(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadline.stop();
    this.#socket.destroy();
    const turn = this.#turn;
    this.#turn = undefined;
    if (turn !== undefined) settle(turn, why);
    this.#owner.closed(this);
  }
}

/** The answer as far as it has come; without a status it is unknown what happened. */
function settle({ exchange, reader }: Turn, why: string): void {
  const { response } = reader;
  if (response === undefined) exchange.fail("ambiguous", why);
  else exchange.settle(response.finish());
}

/** The whole request, body included. */
function formatRequest({ host, path, headers, body }: Exchange): Buffer {
  let head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (const name of Object.keys(headers)) head += `${name}: ${headers[name] ?? ""}\r\n`;
  if (headers["content-length"] === undefined) head += `content-length: ${body.byteLength}\r\n`;
  head += "\r\n";
  const bytes = Buffer.allocUnsafe(head.length + body.byteLength);
  bytes.write(head, 0, "latin1");
  bytes.set(body, head.length);
  return bytes;
}
