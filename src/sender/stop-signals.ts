/**
 * Which exchanges an abort signal gives up.
 *
 * A run hands in the same signal with every request. One listener serves them all:
 * adding and removing one for each exchange costs more than sending it.
 */
import type { Exchange } from "./exchange.ts";

interface Watched {
  readonly exchanges: Set<Exchange>;
  readonly stop: () => void;
}

/** The exchanges under way, by the signal that ends them. */
export class StopSignals {
  readonly #watched = new Map<AbortSignal, Watched>();

  /** From now on the signal gives the exchange up. */
  watch(signal: AbortSignal, exchange: Exchange): void {
    const watched = this.#watched.get(signal) ?? this.#listen(signal);
    watched.exchanges.add(exchange);
  }

  /** The exchange has ended. */
  forget(signal: AbortSignal, exchange: Exchange): void {
    const watched = this.#watched.get(signal);
    if (watched === undefined) return;
    watched.exchanges.delete(exchange);
    if (watched.exchanges.size > 0) return;
    signal.removeEventListener("abort", watched.stop);
    this.#watched.delete(signal);
  }

  #listen(signal: AbortSignal): Watched {
    const exchanges = new Set<Exchange>();
    const stop = (): void => {
      for (const exchange of [...exchanges]) exchange.holder?.giveUp(exchange);
    };
    const watched = { exchanges, stop };
    signal.addEventListener("abort", stop, { once: true });
    this.#watched.set(signal, watched);
    return watched;
  }
}
