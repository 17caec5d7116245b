/**
 * How far a chunk came: everyone up to `position` is settled, and of those after it the ones in `beyond`.
 *
 * Results come out of order, but nearly in order, so `beyond` holds about as many as are in flight. With the two a
 * chunk goes on elsewhere without anybody who was recorded.
 */

export interface Progress {
  readonly position: bigint;
  readonly beyond: readonly bigint[];
}

export class Ledger {
  /** Those who are not settled, in order; settled ones are dropped when all before them are. */
  readonly #order: readonly bigint[];
  readonly #settled = new Set<bigint>();
  #next = 0;
  #position: bigint;

  /** `recipients` in order; `position` as it was recorded before. */
  constructor(recipients: readonly bigint[], { position, beyond }: Progress) {
    this.#order = recipients;
    this.#position = position;
    for (const seq of beyond) this.#settled.add(seq);
  }

  /** How far the chunk has come, as it is recorded. */
  get progress(): Progress {
    return { position: this.#position, beyond: [...this.#settled].sort(ascending) };
  }

  /** How far the chunk has come when `seqs` are settled too. Not kept before `keep`: recording may fail. */
  with(seqs: readonly bigint[]): Progress {
    const settled = new Set([...this.#settled, ...seqs]);
    let next = this.#next;
    let position = this.#position;
    for (; next < this.#order.length; next += 1) {
      const seq = this.#order[next];
      if (seq === undefined || !settled.has(seq)) break;
      position = seq;
    }
    return { position, beyond: [...settled].filter((seq) => seq > position).sort(ascending) };
  }

  /** What `with` answered was recorded. */
  keep({ position, beyond }: Progress): void {
    this.#position = position;
    this.#settled.clear();
    for (const seq of beyond) this.#settled.add(seq);
    while ((this.#order[this.#next] ?? position + 1n) <= position) this.#next += 1;
  }

  /** Whether everybody is settled. */
  get isComplete(): boolean {
    return this.#next === this.#order.length;
  }
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : 1;
}
