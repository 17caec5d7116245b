/**
 * What frames say that carry no part of a message: RFC 9113 §6.4 to §6.9.
 */
import { ConnectionError, errorCode, type Frame } from "./frames.ts";

/** Why a stream is ended (§6.4). */
export function readReset({ payload }: Frame): number {
  assertForm(payload.length === 4, "a reset");
  return payload.readUInt32BE(0);
}

/** A sign of life, asked for or given (§6.7). */
export function readPing({ payload, streamId }: Frame): Buffer {
  assertForm(payload.length === 8 && streamId === 0, "a ping");
  return payload;
}

/** The last stream that the peer may have processed, and why it goes (§6.8). */
export function readGoaway({ payload, streamId }: Frame): { readonly lastId: number; readonly code: number } {
  assertForm(payload.length >= 8 && streamId === 0, "a goodbye");
  return { lastId: payload.readUInt32BE(0) & 0x7fff_ffff, code: payload.readUInt32BE(4) };
}

/** By how much a window grows (§6.9). */
export function readWindowUpdate({ payload }: Frame): number {
  assertForm(payload.length === 4, "a window update");
  return payload.readUInt32BE(0) & 0x7fff_ffff;
}

/** Identifiers and values (§6.5). */
export function readSettings({
  payload,
  streamId,
}: Frame): readonly (readonly [id: number, value: number])[] {
  assertForm(payload.length % 6 === 0 && streamId === 0, "a settings frame");
  return Array.from({ length: payload.length / 6 }, (_, at) => [
    payload.readUInt16BE(at * 6),
    payload.readUInt32BE(at * 6 + 2),
  ]);
}

/** @throws ConnectionError */
function assertForm(isWellFormed: boolean, what: string): void {
  if (!isWellFormed) throw new ConnectionError(errorCode.frameSizeError, `${what} is malformed`);
}
