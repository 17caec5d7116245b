/**
 * How many runs of one sender have something to do at each origin. They use the same
 * connections, so each may have its share of what those bear in flight.
 */
export class OriginShares {
  readonly #runs = new Map<string, number>();

  join(origin: string): void {
    this.#runs.set(origin, this.runsAt(origin) + 1);
  }

  leave(origin: string): void {
    const left = this.runsAt(origin) - 1;
    if (left > 0) this.#runs.set(origin, left);
    else this.#runs.delete(origin);
  }

  runsAt(origin: string): number {
    return this.#runs.get(origin) ?? 0;
  }
}
