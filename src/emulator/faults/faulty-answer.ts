/**
 * Writes an answer as a fault wants it: in pieces, cut off, or with a length that is a lie.
 *
 * Over HTTP/1.1 the bytes of the whole answer, headers included, go to the socket directly, since Node
 * would not let a lie pass; the connection ends with it. Over HTTP/2 the headers are one frame and only the
 * body is shaped.
 */
import { STATUS_CODES } from "node:http";
import type { Writable } from "node:stream";
import type { HttpExchange } from "../http-exchange.ts";
import type { HttpWire } from "../http-wire.ts";
import type { Reply } from "../replies.ts";
import { hangUp } from "./breakage.ts";
import { announcedLength, endingOf, piecesOf, type Shape } from "./pieces.ts";
import { pause } from "./pause.ts";

/** Where the bytes go. */
interface Sink {
  /** Resolves when the bytes are on their way, or never will be. */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
}

/** Sends `reply` in the shape of a fault. */
export async function answerInShape(
  exchange: HttpExchange,
  reply: Reply,
  shape: Shape,
  chance: () => number,
): Promise<void> {
  const { wire } = exchange;
  const length = announcedLength(shape, reply.body.length);
  const { sink, bytes } = openSink(wire, reply, { length, date: exchange.clock.now() });
  for (const piece of piecesOf(shape, bytes, chance)) {
    if ((await pause(piece.afterMs, exchange)) === "gone") return;
    await sink.write(piece.bytes);
  }
  const { kind, afterMs } = endingOf(shape);
  if ((await pause(afterMs ?? "for-ever", exchange)) === "gone") return;
  if (kind === "end") sink.end();
  else hangUp(wire);
}

const chunkBytes = 65_536;

/** Sends a body of any size, no faster than it is read. */
export async function answerHugely(exchange: HttpExchange, status: number, bytes: number): Promise<void> {
  const { response, wire, clock } = exchange;
  const sink: Writable = wire.kind === "http2" ? wire.stream : response;
  const headers = { "content-type": "text/plain", "content-length": bytes, "cache-control": "no-store" };
  response.setHeader("date", new Date(clock.now()).toUTCString());
  response.writeHead(status, headers);
  const chunk = Buffer.alloc(chunkBytes, "x");
  for (let left = bytes; left > 0; left -= chunkBytes) {
    if (!sink.writable) return;
    const hasRoom = sink.write(chunk.subarray(0, Math.min(left, chunkBytes)));
    if (!hasRoom && (await drained(sink)) === "gone") return;
  }
  sink.end();
}

function drained(sink: Writable): Promise<"drained" | "gone"> {
  return new Promise((resolve) => {
    sink.once("drain", () => {
      resolve("drained");
    });
    sink.once("close", () => {
      resolve("gone");
    });
  });
}

interface Head {
  readonly length: number | undefined;
  readonly date: number;
}

function openSink(wire: HttpWire, reply: Reply, { length, date }: Head): { sink: Sink; bytes: Uint8Array } {
  const headers = {
    date: new Date(date).toUTCString(),
    "cache-control": "no-store",
    ...reply.headers,
    ...(length === undefined ? {} : { "content-length": String(length) }),
  };
  if (wire.kind === "http2") {
    const { stream } = wire;
    if (!stream.destroyed) stream.respond({ ":status": reply.status, ...headers });
    const sink = {
      write: (bytes: Uint8Array) => writeTo(stream, bytes),
      end: () => {
        stream.end();
      },
    };
    return { sink, bytes: reply.body };
  }
  const { socket } = wire;
  const lines = Object.entries({ ...headers, connection: "close" }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const head = `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ""}\r\n${lines.join("")}\r\n`;
  const sink = {
    write: (bytes: Uint8Array) => writeTo(socket, bytes),
    end: () => {
      socket.destroySoon();
    },
  };
  return { sink, bytes: Buffer.concat([Buffer.from(head, "latin1"), reply.body]) };
}

function writeTo(writable: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (!writable.writable) resolve();
    else
      writable.write(bytes, () => {
        resolve();
      });
  });
}
