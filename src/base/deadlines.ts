/**
 * A set of things that each end at some time, ready to hand over those that are due.
 *
 * A binary heap that knows where each item stands, so that an item which ends
 * early leaves at once: a service holding messages for four weeks would otherwise
 * keep every acknowledged one in memory until its TTL had passed.
 */

interface Entry<Item> {
  readonly item: Item;
  readonly at: number;
}

/** Items by deadline; each item at most once. */
export class Deadlines<Item> {
  readonly #heap: Entry<Item>[] = [];
  readonly #positions = new Map<Item, number>();

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest deadline; infinity when there is none. */
  get nextAt(): number {
    return this.#at(0);
  }

  /** Every item with its deadline, in no order. */
  entries(): readonly Readonly<Entry<Item>>[] {
    return this.#heap;
  }

  /** Gives `item` the deadline `at`, in place of the one it had. */
  set(item: Item, at: number): void {
    this.delete(item);
    this.#place({ item, at }, this.#heap.length);
    this.#rise(this.#heap.length - 1);
  }

  /** Forgets `item`. */
  delete(item: Item): void {
    const position = this.#positions.get(item);
    if (position === undefined) return;
    this.#positions.delete(item);
    const last = this.#heap.pop();
    if (last === undefined || last.item === item) return;
    this.#place(last, position);
    this.#rise(position);
    this.#sink(position);
  }

  /** Removes and returns the item with the earliest deadline, if that is `now` or before. */
  takeDue(now: number): Item | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.delete(first.item);
    return first.item;
  }

  #place(entry: Entry<Item>, position: number): void {
    this.#heap[position] = entry;
    this.#positions.set(entry.item, position);
  }

  #rise(from: number): void {
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.#at(parent) <= this.#at(position)) return;
      this.#swap(position, parent);
      position = parent;
    }
  }

  #sink(from: number): void {
    let position = from;
    for (;;) {
      const left = 2 * position + 1;
      const smaller = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(position) <= this.#at(smaller)) return;
      this.#swap(position, smaller);
      position = smaller;
    }
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#place(second, a);
    this.#place(first, b);
  }

  /** The deadline at a position; past the end nothing is ever due. */
  #at(position: number): number {
    return this.#heap[position]?.at ?? Number.POSITIVE_INFINITY;
  }
}
