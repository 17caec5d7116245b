/**
 * Takes items from a source while somebody wants them, one after the other.
 */

/** What the items are for. */
export interface IntakeUse<Item> {
  /** Whether there is room for another one. */
  wants(): boolean;
  take(item: Item): void;
  /** There will be no more; `error` says why when the source did not simply end. */
  end(error?: { readonly error: unknown }): void;
}

/** A source that is always ready would keep the network waiting; after so many items it has its turn. */
const itemsInARow = 64;

export class Intake<Item> implements Disposable {
  readonly #source: AsyncIterator<Item>;
  readonly #use: IntakeUse<Item>;
  #pulling = false;
  #exhausted = false;
  #inARow = 0;

  constructor(source: AsyncIterable<Item>, use: IntakeUse<Item>) {
    this.#source = source[Symbol.asyncIterator]();
    this.#use = use;
  }

  /** Nothing more will come. */
  get isExhausted(): boolean {
    return this.#exhausted;
  }

  /** Asks for the next item, if it is wanted. */
  pull(): void {
    if (this.#pulling || this.#exhausted || !this.#use.wants()) return;
    this.#pulling = true;
    if (this.#inARow < itemsInARow) this.#next();
    else setImmediate(this.#restart);
  }

  /** Closes the source. */
  [Symbol.dispose](): void {
    if (this.#exhausted) return;
    this.#exhausted = true;
    // Not awaited: a source that waits for its next line would keep us waiting too.
    void Promise.resolve(this.#source.return?.()).catch(() => undefined);
  }

  #next(): void {
    this.#inARow += 1;
    this.#source.next().then(this.#took, this.#failed);
  }

  readonly #restart = (): void => {
    this.#inARow = 0;
    this.#pulling = false;
    this.pull();
  };

  readonly #took = ({ done, value }: IteratorResult<Item, unknown>): void => {
    this.#pulling = false;
    try {
      if (done !== true) this.#use.take(value);
      else this.#end();
    } catch (error) {
      this.#failed(error);
    }
    this.pull();
  };

  readonly #failed = (error: unknown): void => {
    this.#pulling = false;
    this.#end({ error });
  };

  #end(failure?: { readonly error: unknown }): void {
    this.#exhausted = true;
    this.#use.end(failure);
  }
}
