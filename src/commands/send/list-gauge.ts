/**
 * How many recipients the files hold, guessed while they are read: by how far they have been.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";

export class ListGauge {
  entries = 0;
  #bytes = 0;
  /** Of all files together; `undefined` where one of them is a pipe. */
  readonly #size: number | undefined;

  constructor(files: readonly string[], cwd: string) {
    const sizes = files.map((file) => (file === "-" ? undefined : sizeOf(resolve(cwd, file))));
    this.#size = sizes.reduce(
      (sum, size) => (sum === undefined || size === undefined ? undefined : sum + size),
      0,
    );
  }

  /** Whether one of them is a pipe, which may be somebody's live stream. */
  get hasPipe(): boolean {
    return this.#size === undefined;
  }

  /** Passes chunks on, and keeps account of them. */
  async *measure(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  /** How many there will be in all, besides `others`. */
  expect(others: number): number | undefined {
    if (this.#size === undefined) return undefined;
    const perEntry = this.entries === 0 ? 0 : this.#bytes / this.entries;
    return others + (perEntry === 0 ? 0 : Math.max(this.entries, Math.round(this.#size / perEntry)));
  }
}

/** A pipe or a device has no size that says anything; what is missing is for who reads it to say. */
function sizeOf(path: string): number | undefined {
  try {
    const found = statSync(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return 0;
  }
}
