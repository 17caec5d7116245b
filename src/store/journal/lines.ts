/**
 * The lines of a file of any length, in flat memory.
 *
 * Lines are handed to a function instead of being yielded: a broadcast to a million
 * recipients leaves two million of them. Between two blocks other work gets its turn.
 */
import type { FileHandle } from "node:fs/promises";

/** One line, without its line break. The bytes are those of a buffer that is used again. */
export type LineVisitor = (bytes: Buffer, place: LinePlace) => void;

export interface LinePlace {
  /** Counted from 1, blank lines included. */
  readonly line: number;
  /** Where its first byte stands in the file. */
  readonly from: number;
  /** Where the next line begins. */
  readonly end: number;
  /** False for a last line without a line break. */
  readonly isEnded: boolean;
}

/** A line longer than this comes as its first part only. */
const blockBytes = 256 * 1024;
const lineBreak = 0x0a;

/** Visits every line that is not blank, from first to last. */
export async function visitLines(
  handle: FileHandle,
  visit: LineVisitor,
  signal?: AbortSignal,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(blockBytes);
  /** Where in the file the buffer's first byte stands, how many bytes an earlier block left in it, which line that is. */
  let [offset, kept, line] = [0, 0, 1];
  /** Whether the line's first part was handed out already. */
  let isCut = false;
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, kept, blockBytes - kept, offset + kept);
    const block = buffer.subarray(0, kept + bytesRead);
    let start = 0;
    for (let stop = block.indexOf(lineBreak); stop !== -1; stop = block.indexOf(lineBreak, start)) {
      const place = { line, from: offset + start, end: offset + stop + 1, isEnded: true };
      if (stop > start && !isCut) visit(block.subarray(start, stop), place);
      isCut = false;
      start = stop + 1;
      line += 1;
    }
    const rest = block.subarray(start);
    if (bytesRead > 0 && rest.length < blockBytes) {
      rest.copy(buffer);
      [offset, kept] = [offset + start, rest.length];
      continue;
    }
    const place = { line, from: offset + start, end: offset + block.length, isEnded: false };
    if (rest.length > 0 && !isCut) visit(rest, place);
    if (bytesRead === 0) return;
    isCut = true;
    [offset, kept] = [offset + block.length, 0];
  }
}
