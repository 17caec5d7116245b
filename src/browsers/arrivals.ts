/**
 * What arrives one by one and is read by a `for await` loop, now or later.
 *
 * Nothing is lost between two readings, up to a bound: a reader that never comes
 * must not fill the memory, so the oldest are dropped past it.
 */

/** The most that wait for a reader. */
const maxWaiting = 1000;

export class Arrivals<Item> implements AsyncIterable<Item> {
  readonly #waiting: Item[] = [];
  #isEnded = false;
  #wake: () => void = () => undefined;

  add(item: Item): void {
    if (this.#isEnded) return;
    this.#waiting.push(item);
    if (this.#waiting.length > maxWaiting) this.#waiting.shift();
    this.#wake();
  }

  /** Nothing more will come; what waits can still be read. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#isEnded) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
