/**
 * How the bytes of an answer leave when a fault shapes them: in which pieces, after which pauses, and how it ends. Pure.
 */
import type { Toxic } from "./fault.ts";

/** The toxics that shape an answer instead of replacing it. */
export type Shape = Extract<
  Toxic,
  { type: "bandwidth" | "slicer" | "limit-data" | "slow-close" | "stall" | "lying-length" }
>;

export function isShape(toxic: Toxic): toxic is Shape {
  return ["bandwidth", "slicer", "limit-data", "slow-close", "stall", "lying-length"].includes(toxic.type);
}

/** One piece and how long to wait before it. */
export interface Piece {
  readonly afterMs: number;
  readonly bytes: Uint8Array;
}

/** How an answer ends: properly, or by breaking the connection, after so long; `undefined` waits for the client to leave. */
export interface Ending {
  readonly kind: "end" | "break";
  readonly afterMs: number | undefined;
}

/** The least time between two pieces of a narrow connection: a timer each millisecond would be slower than asked. */
const tickMs = 50;

/** What to announce as the length of a body: `undefined` leaves the header out. */
export function announcedLength(shape: Shape, bodyBytes: number): number | undefined {
  switch (shape.type) {
    case "slow-close":
      return undefined; // Then the end of the connection is the end of the body (RFC 9112 §6.3).
    case "lying-length":
      return Math.max(0, bodyBytes + shape.byBytes);
    case "bandwidth":
    case "slicer":
    case "limit-data":
    case "stall":
      return bodyBytes;
  }
}

/** The pieces of `bytes`; `chance` gives numbers from 0 up to 1. */
export function* piecesOf(shape: Shape, bytes: Uint8Array, chance: () => number): Generator<Piece> {
  switch (shape.type) {
    case "bandwidth": {
      const size = Math.max(1, Math.floor((shape.bytesPerSecond * tickMs) / 1000));
      const afterMs = (size / shape.bytesPerSecond) * 1000;
      yield* cut(bytes, () => size, afterMs);
      return;
    }
    case "slicer": {
      const size = () => shape.bytes + Math.round((chance() * 2 - 1) * shape.variationBytes);
      yield* cut(bytes, size, shape.pauseMs);
      return;
    }
    case "limit-data":
      yield { afterMs: 0, bytes: bytes.subarray(0, shape.bytes) };
      return;
    case "stall":
      yield { afterMs: 0, bytes: bytes.subarray(0, Math.floor(bytes.length / 2)) };
      return;
    case "slow-close":
    case "lying-length":
      yield { afterMs: 0, bytes };
      return;
  }
}

export function endingOf(shape: Shape): Ending {
  switch (shape.type) {
    case "bandwidth":
    case "slicer":
    case "lying-length":
      return { kind: "end", afterMs: 0 };
    case "slow-close":
      return { kind: "end", afterMs: shape.ms };
    case "limit-data":
      return { kind: "break", afterMs: 0 };
    case "stall":
      return { kind: "break", afterMs: shape.ms === 0 ? undefined : shape.ms };
  }
}

function* cut(bytes: Uint8Array, size: () => number, afterMs: number): Generator<Piece> {
  for (let at = 0; at < bytes.length;) {
    const next = at + Math.max(1, size());
    yield { afterMs: at === 0 ? 0 : afterMs, bytes: bytes.subarray(at, next) };
    at = next;
  }
}
