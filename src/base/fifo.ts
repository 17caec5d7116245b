/**
 * A queue whose ends cost the same however long it is.
 *
 * `Array.prototype.shift` moves every item behind the first one; with tens of thousands
 * of them waiting that is most of the work.
 */
export class Fifo<Item> {
  #items: (Item | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** The item that has waited longest. */
  get first(): Item | undefined {
    return this.#items[this.#head];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Removes and returns the item that has waited longest. */
  shift(): Item | undefined {
    const item = this.first;
    if (item === undefined) return undefined;
    this.#items[this.#head] = undefined; // else it would be kept alive until the next compaction
    this.#head += 1;
    if (this.#head === this.#items.length) this.#keep([]);
    else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length)
      this.#keep(this.#items.slice(this.#head));
    return item;
  }

  /** Removes and returns the items that are chosen, those that waited longest first. */
  extract(isChosen: (item: Item) => boolean): readonly Item[] {
    const chosen: Item[] = [];
    const others: Item[] = [];
    for (let item = this.shift(); item !== undefined; item = this.shift())
      (isChosen(item) ? chosen : others).push(item);
    this.#keep(others);
    return chosen;
  }

  #keep(items: (Item | undefined)[]): void {
    this.#items = items;
    this.#head = 0;
  }
}
