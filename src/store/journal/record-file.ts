/**
 * Appends records to a file so that a full disk is noticed before a request leaves, not after.
 *
 * The file runs ahead of the records: it is extended by filler, blank lines, and records
 * overwrite those. A record is only written while room for everything that must still
 * follow it is on the disk already. So a disk that fills up refuses an intent, and what is
 * in flight by then can still be recorded. Closing cuts the filler off; where a killed run
 * left it, readers skip blank lines. (A file system that copies on write takes new blocks
 * for the overwriting too: there the room is as good as its own reserve.)
 *
 * A record is with the kernel when `append` returns, so killing this process loses none.
 * The disk is asked to have them a fifth of a second later, for all since then at once: a
 * power cut costs so much. To ask for each record took 4 ms when tried, to write it 3 us.
 */
import type { Clock } from "../../base/clock.ts";
import { fileFailure, lostJournal } from "./errors.ts";

/** The open file; tests hand in one on a small disk. */
export interface OpenFile {
  /** Writes at a position; may write less than asked for, as a full disk does before it refuses. */
  write(bytes: Uint8Array, position: number): number;
  /** How long the file is; `undefined` when it was removed. */
  size(): number | undefined;
  /** Makes the disk have what was written. */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** How long a record may be with the kernel alone. */
const syncAfterMs = 200;
/** Not having looked for so long means that this process stood still, and a lock it holds may have been taken over. */
const trustMs = 2_000;
const fillerBytes = 64 * 1024;
const lineBreak = 0x0a;

export class RecordFile {
  readonly #file: OpenFile;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #filler = Buffer.alloc(fillerBytes, lineBreak);
  /** Where the next record goes, and where the file ends. */
  #end: number;
  #fileEnd: number;
  #lookedAt: number;
  /** Why nothing more can be written. */
  #failure: Error | undefined;
  #timer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;

  /** `end` is both where records go on and how long the file is. */
  constructor(file: OpenFile, end: number, { path, clock }: { path: string; clock: Clock }) {
    this.#file = file;
    this.#path = path;
    this.#clock = clock;
    this.#end = end;
    this.#fileEnd = end;
    this.#lookedAt = clock.now();
  }

  /**
   * Writes a record, while there is room for it and for `reserve` bytes more.
   *
   * @throws UserError `journal-full`, `journal-unwritable`, `journal-lost`
   */
  append(line: string, reserve: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.from(line);
    try {
      if (this.#clock.now() - this.#lookedAt > trustMs) this.#assertOurs();
      while (this.#fileEnd < this.#end + bytes.length + reserve) this.#extend();
      this.#writeWhole(bytes);
    } catch (error) {
      throw fileFailure(this.#path, error);
    }
    this.#end += bytes.length;
    this.#timer ??= setTimeout(() => void this.#syncNow(), syncAfterMs).unref();
  }

  /**
   * Makes the disk have all records.
   *
   * @throws UserError `journal-unwritable`, `journal-lost`
   */
  async sync(): Promise<void> {
    await this.#syncNow();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Cuts the filler off and closes the file. Filler that cannot be cut off does no harm: readers skip it.
   *
   * @throws UserError `journal-unwritable`, `journal-lost` when the last records did not reach the disk, and
   *   nobody was told of a failure before
   */
  async close(): Promise<void> {
    const told = this.#failure;
    await this.#syncNow();
    const failure = this.#failure;
    // The number of a closed file may soon be that of another one.
    this.#failure = new Error("a record came after the journal was closed");
    if (failure === undefined) await this.#file.truncate(this.#end).catch(() => undefined);
    await this.#file.close();
    if (told === undefined && failure !== undefined) throw failure;
  }

  /** What a full disk took of the filler is room all the same. */
  #extend(): void {
    this.#fileEnd += writeSome(this.#file, this.#filler, this.#fileEnd);
  }

  #writeWhole(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;)
      done += writeSome(this.#file, bytes.subarray(done), this.#end + done);
  }

  async #syncNow(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // Records that came while the disk was busy are asked for again.
    const earlier = this.#syncing;
    const syncing = (async () => {
      await earlier;
      if (this.#failure !== undefined) return;
      try {
        this.#assertOurs();
        await this.#file.sync();
      } catch (error) {
        this.#failure ??= fileFailure(this.#path, error);
      }
    })();
    this.#syncing = syncing;
    await syncing;
  }

  /** Whoever else wrote to the file has changed its length, since it grows by whole pieces of filler. */
  #assertOurs(): void {
    this.#lookedAt = this.#clock.now();
    if (this.#file.size() === this.#fileEnd) return;
    this.#failure = lostJournal(this.#path);
    throw this.#failure;
  }
}

/** A write that takes nothing and does not say why stands for a full disk. */
function writeSome(file: OpenFile, bytes: Uint8Array, position: number): number {
  const written = file.write(bytes, position);
  if (written === 0) throw Object.assign(new Error("nothing was written"), { code: "ENOSPC" });
  return written;
}
