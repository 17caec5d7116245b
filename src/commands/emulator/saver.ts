/**
 * Writes a state that changes often: one write at a time, the newest state always last.
 *
 * Changes during a write are one further write. A write that fails ends the run
 * through `failed`: an emulator that forgets is worse than one that stops.
 */
import type { EmulatorStateFile } from "../../store/emulator-state.ts";

export class Saver {
  readonly #file: EmulatorStateFile;
  readonly #snapshot: () => object;
  readonly failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;
  #isStale = true;
  #isScheduled = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: EmulatorStateFile, snapshot: () => object) {
    this.#file = file;
    this.#snapshot = snapshot;
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined); // Whoever races against it is told; nobody else needs to be.
    this.changed();
  }

  /** The state is not the saved one any more. */
  changed(): void {
    this.#isStale = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#writing = this.#writing.then(() => this.#write()).catch(this.#fail);
  }

  /** Resolves when the state of now is on disk. */
  async finish(): Promise<void> {
    this.changed();
    await Promise.race([this.#writing, this.failed]);
  }

  async #write(): Promise<void> {
    // A tick later, so that what one request changes is one write.
    await new Promise((resolve) => setImmediate(resolve));
    this.#isScheduled = false;
    if (!this.#isStale) return;
    this.#isStale = false;
    await this.#file.save(this.#snapshot());
  }
}
