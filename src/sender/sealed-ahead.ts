/**
 * Lets those be encrypted whose turn comes next, so that the threads that do it have enough at a time.
 */
import type { Attempts } from "./attempt.ts";
import type { OriginQueue } from "./origin-queue.ts";
import type { PendingJob } from "./pending-job.ts";

/** Each origin may have this many encrypted ahead, however low its limit. */
const leastAhead = 16;

export class SealedAhead<Tag> {
  readonly #attempts: Attempts<Tag>;
  readonly #most: number;
  #count = 0;

  /** `most` over all origins; 0 where nothing is gained by it. */
  constructor(attempts: Attempts<Tag>, most: number) {
    this.#attempts = attempts;
    this.#most = most;
  }

  /** Encrypts the next ones of an origin. */
  fill(queue: OriginQueue<Tag>): void {
    while (this.#count < this.#most && queue.sealedAhead < Math.max(leastAhead, 2 * queue.limit.value)) {
      const pending = queue.takeToSeal();
      if (pending === undefined) return;
      pending.isAhead = true;
      this.#count += 1;
      this.#attempts.sealAhead(pending);
    }
  }

  /** A job's turn has come, or it has ended. */
  countOff(pending: PendingJob<Tag>): void {
    if (pending.isAhead) this.#count -= 1;
    pending.isAhead = false;
  }
}
