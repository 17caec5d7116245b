/**
 * Outcomes of one turn on their way into the database: in batches, one at a time, none lost and none held for long.
 *
 * Whoever brings outcomes waits when one batch is being written and the next is full, so a slow database slows down
 * the sending and memory stays flat.
 */
import type { Outcome } from "../../campaigns/campaign.ts";
import { countsOf, sumOf, type Counts } from "../../campaigns/counts.ts";

const batchSize = 100;
const longestWaitMs = 200;

/** Writes a batch; false when it never will be, because the chunk is in other hands. */
export type WriteBatch = (outcomes: readonly Outcome[]) => Promise<boolean>;

export class Recording {
  readonly #write: WriteBatch;
  readonly #onLost: () => void;
  #counts: Counts = {};
  #pending: Outcome[] = [];
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLost = false;
  #failure: { readonly error: unknown } | undefined;

  /** `onLost` is called at most once, in the moment it is known that nothing more can be recorded. */
  constructor(write: WriteBatch, onLost: () => void) {
    this.#write = write;
    this.#onLost = onLost;
  }

  /** Whether what was brought can no longer be recorded. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What is recorded, by outcome and cause. */
  get counts(): Counts {
    return this.#counts;
  }

  /** Takes one more outcome; waits while there is no room. */
  async add(outcome: Outcome): Promise<void> {
    this.#pending.push(outcome);
    if (this.#pending.length < batchSize) {
      this.#timer ??= setTimeout(() => void this.#flush(), longestWaitMs);
      return;
    }
    if (this.#writing !== undefined) await this.#writing;
    void this.#flush();
  }

  /** Waits until everything is recorded, or never will be; false then. */
  async end(): Promise<boolean> {
    while (this.#writing !== undefined || (this.#pending.length > 0 && !this.#isLost)) await this.#flush();
    clearTimeout(this.#timer);
    if (this.#failure !== undefined) throw this.#failure.error;
    return !this.#isLost;
  }

  /** Writes what is there; what comes meanwhile is for the next time. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0 || this.#isLost) return;
    try {
      if (await this.#write(batch)) this.#counts = sumOf(this.#counts, countsOf(batch));
      else this.#lose();
    } catch (error) {
      this.#failure = { error };
      this.#lose();
    }
  }

  #lose(): void {
    this.#isLost = true;
    this.#onLost();
  }
}
