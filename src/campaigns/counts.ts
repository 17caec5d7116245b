/** How many recipients there were of each kind: as they are written down, added up and read. */

/** What became of somebody, and why. */
interface Kind {
  readonly outcome: string;
  readonly cause: string;
}

/** How many recipients there were of each kind, by `outcomeKey`. */
export type Counts = Readonly<Record<string, number>>;

/** The key of an outcome and its cause in `Counts`: `accepted:ok`, `skipped:key.unknown`. */
export function outcomeKey({ outcome, cause }: Kind): string {
  return `${outcome}:${cause}`;
}

/** Outcome and cause of a key. */
export function outcomeOfKey(key: string): Kind {
  const [outcome = "", ...cause] = key.split(":");
  return { outcome, cause: cause.join(":") };
}

export function countsOf(kinds: readonly Kind[]): Counts {
  const counts = new Map<string, number>();
  for (const kind of kinds) {
    const key = outcomeKey(kind);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

export function sumOf(one: Counts, other: Counts): Counts {
  const sums = new Map(Object.entries(one));
  for (const [key, count] of Object.entries(other)) sums.set(key, (sums.get(key) ?? 0) + count);
  return Object.fromEntries(sums);
}
