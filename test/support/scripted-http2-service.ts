/**
 * A push service over HTTP/2 that sends exactly the frames a test tells it to.
 *
 * Node's own server cannot misbehave enough, so frames are written by hand: each
 * connection is handed to the next script. Leaving a test with a script that no connection
 * was made for, after a connection that no script was meant for, or with a connection that
 * the client does not let go of, throws.
 */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { readFileSync } from "node:fs";
import { parseEndpoint, type Endpoint } from "../../src/protocol/subscription.ts";

const tlsFile = (name: string): Buffer => readFileSync(new URL(`tls/${name}`, import.meta.url));

/** RFC 9113 §6 and §7, as numbers: what a test writes is not to depend on what it tests. */
export const types = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
};
export const codes = {
  noError: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
  http11: 13,
};
const endStream = 1;
const endHeaders = 4;
const ack = 1;
const prefaceBytes = 24;

/** A frame as the client sent it. */
export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** A request as it arrived: its stream, its header block as it was written, its body. */
export interface SentRequest {
  readonly streamId: number;
  readonly block: Buffer;
  readonly body: Buffer;
}

/** What the service does with one connection. */
type Script = (peer: Http2Peer) => void | Promise<void>;

/** The service's side of one connection. */
export class Http2Peer {
  readonly frames: SentFrame[] = [];
  readonly #requests: SentRequest[] = [];
  readonly #bodies = new Map<number, { readonly block: Buffer; readonly parts: Buffer[] }>();
  /** The streams that neither side has ended. */
  readonly #open = new Set<number>();
  readonly #socket: TLSSocket;
  #bytes = Buffer.alloc(0);
  /** Whether HTTP/2 was agreed; with anything else all that arrives is kept as text. */
  readonly #isHttp2: boolean;
  #isGreeted = false;
  #taken = 0;
  #noticed: () => void = () => undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.#isHttp2 = socket.alpnProtocol === "h2";
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      if (this.#isHttp2) this.#read();
      this.#noticed();
    });
    socket.on("close", () => {
      this.#noticed();
    });
  }

  /** The next request that arrived whole. */
  async request(): Promise<SentRequest> {
    const request = await this.#wait(() => this.#requests[this.#taken]);
    this.#taken += 1;
    return request;
  }

  /** The next `count` requests. */
  async requests(count: number): Promise<readonly SentRequest[]> {
    const list: SentRequest[] = [];
    while (list.length < count) list.push(await this.request());
    return list;
  }

  /** Every request, until the client goes away. */
  async *arrivals(): AsyncGenerator<SentRequest, void, undefined> {
    while (!this.#socket.destroyed) {
      const request = await this.#wait(() => this.#requests[this.#taken]).catch(() => undefined);
      if (request === undefined) return;
      this.#taken += 1;
      yield request;
    }
  }

  /** All that has come over HTTP/1.1, as soon as it ends so. */
  text(end: string): Promise<string> {
    return this.#wait(() => {
      const text = this.#bytes.toString("latin1");
      return text.endsWith(end) ? text : undefined;
    });
  }

  /** How many streams are open now. */
  get openCount(): number {
    return this.#open.size;
  }

  /** How many requests have arrived whole so far. */
  get requestCount(): number {
    return this.#requests.length;
  }

  /** The first frame of a type, also one that has come already. An acknowledgement is not meant. */
  frame(type: number): Promise<SentFrame> {
    return this.#wait(() =>
      this.frames.find((frame) => frame.type === type && (type === types.data || (frame.flags & ack) === 0)),
    );
  }

  /** The acknowledgement of our settings or of a ping. */
  acknowledged(type: number): Promise<SentFrame> {
    return this.#wait(() => this.frames.find((frame) => frame.type === type && (frame.flags & ack) !== 0));
  }

  /** Resolves when the client has gone. */
  async closed(): Promise<void> {
    if (!this.#socket.destroyed) await once(this.#socket, "close");
  }

  /** Resolves when the client has read all that was sent before. */
  async caughtUp(): Promise<void> {
    const data = Buffer.alloc(8);
    data.writeUInt32BE(this.frames.length);
    this.send(types.ping, 0, 0, data);
    await this.#wait(() =>
      this.frames.find(({ type, payload }) => type === types.ping && payload.equals(data)),
    );
  }

  /** Sends a frame. */
  send(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.raw(frameOf(type, flags, streamId, payload));
  }

  /** Sends bytes as they are. */
  raw(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  settings(pairs: Readonly<Record<number, number>> = {}): void {
    this.send(types.settings, 0, 0, settingsOf(pairs));
  }

  /** Answers a request; without a body the headers are the end. */
  answer(streamId: number, status = 201, headers: Readonly<Record<string, string>> = {}, body = ""): void {
    this.#open.delete(streamId);
    this.send(types.headers, endHeaders | (body === "" ? endStream : 0), streamId, blockOf(status, headers));
    if (body !== "") this.send(types.data, endStream, streamId, Buffer.from(body));
  }

  /** The beginning of an answer: headers, and more to come. */
  begin(streamId: number, status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.send(types.headers, endHeaders, streamId, blockOf(status, headers));
  }

  reset(streamId: number, code: number): void {
    this.#open.delete(streamId);
    this.send(types.reset, 0, streamId, uint32(code));
  }

  goaway(lastId: number, code = codes.noError): void {
    this.send(types.goaway, 0, 0, Buffer.concat([uint32(lastId), uint32(code)]));
  }

  widen(streamId: number, bytes: number): void {
    this.send(types.window, 0, streamId, uint32(bytes));
  }

  /** Closes the connection without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  async #wait<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#socket.destroyed) throw new Error("the client went away before that");
      await new Promise<void>((resolve) => {
        const earlier = this.#noticed;
        this.#noticed = () => {
          this.#noticed = () => undefined;
          earlier();
          resolve();
        };
      });
    }
  }

  #read(): void {
    if (!this.#isGreeted) {
      if (this.#bytes.length < prefaceBytes) return;
      if (!this.#bytes.toString("latin1").startsWith("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        throw new Error("the client does not begin with its preface");
      this.#bytes = this.#bytes.subarray(prefaceBytes);
      this.#isGreeted = true;
    }
    while (this.#bytes.length >= 9 && this.#bytes.length >= 9 + this.#bytes.readUIntBE(0, 3)) {
      const end = 9 + this.#bytes.readUIntBE(0, 3);
      const [type = 0, flags = 0] = this.#bytes.subarray(3, 5);
      this.#take({
        type,
        flags,
        streamId: this.#bytes.readUInt32BE(5),
        payload: this.#bytes.subarray(9, end),
      });
      this.#bytes = this.#bytes.subarray(end);
    }
  }

  #take(frame: SentFrame): void {
    const { type, flags, streamId, payload } = frame;
    this.frames.push(frame);
    if (type === types.headers) this.#open.add(streamId);
    if (type === types.reset) this.#open.delete(streamId);
    if (type === types.headers) this.#bodies.set(streamId, { block: payload, parts: [] });
    else if (type === types.data) this.#bodies.get(streamId)?.parts.push(payload);
    else return;
    const { block, parts } = this.#bodies.get(streamId) ?? { block: Buffer.alloc(0), parts: [] };
    if ((flags & endStream) !== 0) this.#requests.push({ streamId, block, body: Buffer.concat(parts) });
  }
}

export interface ServiceOptions {
  /** What the service agrees to speak; HTTP/2 unless given. */
  readonly protocols?: readonly string[];
}

export class ScriptedHttp2Service implements AsyncDisposable {
  /** The connections, in the order in which they were made. */
  readonly peers: Http2Peer[] = [];
  readonly #server: Server;
  readonly #scripts: Script[];
  readonly #running: Promise<void>[] = [];
  readonly #sockets = new Set<Socket>();
  #unexpected = 0;

  private constructor(scripts: Script[], { protocols = ["h2"] }: ServiceOptions) {
    this.#scripts = scripts;
    this.#server = createServer({
      key: tlsFile("key.pem"),
      cert: tlsFile("cert.pem"),
      ALPNProtocols: [...protocols],
    });
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
    });
    this.#server.on("tlsClientError", () => undefined);
    this.#server.on("secureConnection", (socket) => {
      socket.on("error", () => undefined);
      const script = this.#scripts.shift();
      if (script === undefined) {
        this.#unexpected += 1;
        socket.destroy();
        return;
      }
      const peer = new Http2Peer(socket);
      this.peers.push(peer);
      this.#running.push((async () => script(peer))());
    });
  }

  /** Starts on a free port of 127.0.0.1; each connection is handed to the next script. */
  static async start(...scripts: Script[]): Promise<ScriptedHttp2Service> {
    return ScriptedHttp2Service.startWith({}, ...scripts);
  }

  static async startWith(options: ServiceOptions, ...scripts: Script[]): Promise<ScriptedHttp2Service> {
    const service = new ScriptedHttp2Service(scripts, options);
    service.#server.listen(0, "127.0.0.1");
    await once(service.#server, "listening");
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  endpoint(path = "/push/1", host = "127.0.0.1"): Endpoint {
    return parseEndpoint(`https://${host}:${this.port}${path}`);
  }

  /** Resolves when every script has come to its end. */
  async finished(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Waits until the client has let go of every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.finished();
    await Promise.all([...this.#sockets].map((socket) => once(socket, "close")));
    this.#server.close();
    await once(this.#server, "close");
    if (this.#scripts.length > 0) throw new Error(`${this.#scripts.length} connections were not made`);
    if (this.#unexpected > 0) throw new Error(`${this.#unexpected} connections were not expected`);
  }
}

/** The bytes of a frame. */
export function frameOf(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A header block of plain literals (RFC 7541 §6.2.2). */
export function blockOf(status: number, headers: Readonly<Record<string, string>> = {}): Buffer {
  return Buffer.concat(
    Object.entries({ ":status": String(status), ...headers }).flatMap(([name, value]) => [
      Buffer.of(0),
      literal(name),
      literal(value),
    ]),
  );
}

function literal(text: string): Buffer {
  return Buffer.concat([integer(text.length, 7), Buffer.from(text, "latin1")]);
}

/** RFC 7541 §5.1. */
function integer(value: number, bits: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.of(value);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

function settingsOf(pairs: Readonly<Record<number, number>>): Buffer {
  return Buffer.concat(
    Object.entries(pairs).map(([id, value]) => {
      const pair = Buffer.alloc(6);
      pair.writeUInt16BE(Number(id), 0);
      pair.writeUInt32BE(value, 2);
      return pair;
    }),
  );
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
