/**
 * Delivery receipts (RFC 8030 §5.1, §6.3): per receipt subscription, what became of the messages it was asked for.
 *
 * The RFC pushes receipts to the application server and has no acknowledgement
 * for them, so a receipt leaves this book when it is taken.
 */
import type { ReceiptStatus } from "./events.ts";

export interface Receipt {
  readonly messageId: string;
  readonly status: ReceiptStatus;
}

/** Beyond this many unread receipts of one subscription the oldest go: nobody is reading them. */
const unreadLimit = 10_000;

interface Book {
  readonly unread: Receipt[];
  /** Whoever waits for the next receipt. */
  waiting: (() => void) | undefined;
}

export class Receipts {
  readonly #books = new Map<string, Book>();

  get size(): number {
    return this.#books.size;
  }

  has(id: string): boolean {
    return this.#books.has(id);
  }

  open(id: string, unread: readonly Receipt[] = []): void {
    this.#books.set(id, { unread: [...unread], waiting: undefined });
  }

  close(id: string): void {
    const book = this.#books.get(id);
    this.#books.delete(id);
    book?.waiting?.();
  }

  add(id: string, receipt: Receipt): void {
    const book = this.#books.get(id);
    if (book === undefined) return;
    book.unread.push(receipt);
    if (book.unread.length > unreadLimit) book.unread.shift();
    const waiting = book.waiting;
    book.waiting = undefined;
    waiting?.();
  }

  take(id: string): Receipt | undefined {
    return this.#books.get(id)?.unread.shift();
  }

  /** Calls `notify` once, when a receipt can be taken or the subscription is gone. A later call takes the place of an earlier. */
  await(id: string, notify: () => void): void {
    const book = this.#books.get(id);
    if (book === undefined || book.unread.length > 0) {
      notify();
      return;
    }
    const before = book.waiting;
    book.waiting = notify;
    before?.();
  }

  entries(): { id: string; unread: Receipt[] }[] {
    return Array.from(this.#books, ([id, { unread }]) => ({ id, unread: [...unread] }));
  }
}
