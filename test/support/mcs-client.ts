/**
 * A raw MCS client: writes and reads frames byte by byte as BROWSERS.md has them, without the door's own code.
 *
 * It counts frames as Chromium does, but acknowledges only when told to.
 */
import type { Duplex } from "node:stream";

type FieldValue = bigint | number | boolean | string | Uint8Array;

/** One frame that came, its fields by number. */
export interface Frame {
  readonly tag: number;
  readonly fields: ReadonlyMap<number, readonly (bigint | Buffer)[]>;
}

/** A push message as a browser sees it. */
export interface ReceivedMessage {
  readonly from: string;
  readonly category: string;
  readonly appData: Readonly<Record<string, string>>;
  readonly persistentId: string;
  readonly streamId: number;
  readonly lastStreamIdReceived: number;
  readonly ttl: number;
  readonly sent: number;
  readonly body: Buffer | undefined;
  readonly immediateAck: boolean;
}

export const tags = { ping: 0, pingAck: 1, login: 2, loginResponse: 3, close: 4, iq: 7, message: 8 } as const;

export function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A protobuf message of fields in the given order. */
export function message(...fields: readonly (readonly [number, FieldValue])[]): Buffer {
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === "string" || value instanceof Uint8Array) {
        const bytes = Buffer.from(value as string);
        return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
      }
      return Buffer.concat([varint(number << 3), varint(BigInt(value))]);
    }),
  );
}

/** The same with one 64-bit field of fixed width in front. */
export function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([varint((number << 3) | 1), bytes]);
}

export function frame(tag: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), varint(payload.length), payload]);
}

/** Reads a protobuf message of the wire types that MCS uses. */
export function fieldsOf(bytes: Buffer): Frame["fields"] {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let at = 0;
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(readVarint());
    const values = fields.get(key >> 3) ?? [];
    fields.set(key >> 3, values);
    if ((key & 7) === 0) values.push(readVarint());
    else {
      const length = (key & 7) === 1 ? 8 : Number(readVarint());
      const part = bytes.subarray(at, (at += length));
      values.push((key & 7) === 1 ? part.readBigUInt64LE() : part);
    }
  }
  return fields;
}

export class McsClient {
  readonly socket: Duplex;
  /** Everything that came, before it is cut into frames. */
  #buffer = Buffer.alloc(0);
  #version: number | undefined;
  readonly #waiting: Frame[] = [];
  #noticed: () => void = () => undefined;
  #hasEnded = false;
  framesReceived = 0;
  readonly ended: Promise<void>;

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      this.#take(chunk);
    });
    this.ended = new Promise((resolve) => {
      for (const event of ["end", "close"])
        socket.on(event, () => {
          this.#hasEnded = true;
          this.#noticed();
          resolve();
        });
    });
  }

  get version(): number | undefined {
    return this.#version;
  }

  /** How many frames have come and were not asked for. */
  get pending(): number {
    return this.#waiting.length;
  }

  send(tag: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.socket.write(frame(tag, payload));
  }

  /** Logs in as Chromium 156 does; answers the LoginResponse. */
  async login(device: string, { received = [], secret = "1" }: LoginFields = {}): Promise<Frame> {
    this.socket.write(Buffer.from([41]));
    const hex = `android-${BigInt(/^\d+$/.test(device) ? device : 0).toString(16)}`;
    const fields: (readonly [number, FieldValue])[] = [
      [1, "chrome-156.0.8078.79"],
      [2, "mcs.android.com"],
      [3, device],
      [4, device],
      [5, secret],
      [6, hex],
      [8, message([1, "new_vc"], [2, "1"])],
      ...received.map((id) => [10, id] as const),
      [12, 0],
      [14, 1],
      [16, 2],
      [17, 1],
    ];
    this.send(tags.login, message(...fields));
    return this.next();
  }

  /** The next frame that comes. */
  async next(): Promise<Frame> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) return next;
      if (this.#hasEnded) throw new Error("the stream has ended");
      await new Promise<void>((resolve) => {
        this.#noticed = resolve;
      });
    }
  }

  async nextMessage(): Promise<ReceivedMessage> {
    const { tag, fields } = await this.next();
    if (tag !== tags.message) throw new Error(`expected a message, got a frame with tag ${tag}`);
    const text = (number: number) => String(fields.get(number)?.[0] ?? "");
    const pairs = (fields.get(7) ?? []).map((pair) => fieldsOf(pair as Buffer));
    return {
      from: text(3),
      category: text(5),
      appData: Object.fromEntries(pairs.map((pair) => [String(pair.get(1)?.[0]), String(pair.get(2)?.[0])])),
      persistentId: text(9),
      streamId: Number(fields.get(10)?.[0]),
      lastStreamIdReceived: Number(fields.get(11)?.[0]),
      ttl: Number(fields.get(17)?.[0]),
      sent: Number(fields.get(18)?.[0]),
      body: fields.get(21)?.[0] as Buffer | undefined,
      immediateAck: fields.get(24)?.[0] === 1n,
    };
  }

  /** A heartbeat that acknowledges nothing; its answer comes after everything sent before. */
  async ping(...fields: readonly (readonly [number, FieldValue])[]): Promise<Frame> {
    this.send(tags.ping, message(...fields));
    return this.next();
  }

  /** The stream acknowledgement Chromium sends: an Iq that says how many frames came. */
  acknowledge(count = this.framesReceived): void {
    this.send(tags.iq, message([2, 1], [3, ""], [7, message([1, 13], [2, ""])], [10, count]));
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    if (this.#version === undefined) {
      this.#version = this.#buffer[0];
      this.#buffer = this.#buffer.subarray(1);
    }
    for (;;) {
      const head = /^[\s\S][\x80-\xff]{0,4}[\x00-\x7f]/.exec(
        this.#buffer.toString("latin1").slice(0, 6),
      )?.[0];
      if (head === undefined) return;
      const lengthBytes = [...Buffer.from(head.slice(1), "latin1")];
      const length = lengthBytes.reduce((sum, byte, index) => sum + (byte & 127) * 2 ** (7 * index), 0);
      if (this.#buffer.length < head.length + length) return;
      const payload = this.#buffer.subarray(head.length, head.length + length);
      this.framesReceived += 1;
      this.#waiting.push({ tag: this.#buffer[0] ?? 0, fields: fieldsOf(payload) });
      this.#buffer = this.#buffer.subarray(head.length + length);
      this.#noticed();
    }
  }
}

export interface LoginFields {
  /** Messages that it says it has. */
  readonly received?: readonly string[];
  readonly secret?: string;
}
