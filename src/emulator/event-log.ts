/** The latest events as numbered records, to be read again from any of them on and to be followed. */
import type { EventRecord } from "./event-record.ts";

/** A record with its place in the run: the first has 1. */
export interface NumberedEvent extends EventRecord {
  readonly sequence: number;
}

/** How many events can be read again. */
const remembered = 10_000;

export class EventLog {
  readonly #records: NumberedEvent[] = [];
  readonly #listeners = new Set<(record: NumberedEvent) => void>();
  #sequence = 0;

  append(record: EventRecord): void {
    this.#sequence += 1;
    const numbered = { sequence: this.#sequence, ...record };
    this.#records.push(numbered);
    // In slabs: to drop the first of ten thousand for each event would move them all each time.
    if (this.#records.length >= 2 * remembered) this.#records.splice(0, remembered);
    for (const listener of this.#listeners) listener(numbered);
  }

  /** The events after the one with this number. */
  since(sequence: number): readonly NumberedEvent[] {
    const first = this.#records[0]?.sequence ?? 1;
    return this.#records.slice(Math.max(0, sequence + 1 - first));
  }

  /** Calls `listener` for each event to come, until the function it returns is called. */
  follow(listener: (record: NumberedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
