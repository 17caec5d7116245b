/**
 * How fast it goes just now: over the last ten seconds, because the mean of a whole run says nothing about a
 * service that has begun to slow down, and a shorter time jumps about.
 *
 * Pure: samples in, samples out.
 */

/** How many were done at a time. */
export interface Sample {
  readonly atMs: number;
  readonly count: number;
}

const windowMs = 10_000;
/** A shorter time says more about the clock than about the rate. */
const shortestMs = 500;

/** `samples` with one more, and without those that are too old to matter. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  // The last one before the window stays: from there on counts the window's beginning.
  const firstInside = samples.findIndex(({ atMs }) => atMs > sample.atMs - windowMs);
  const first = firstInside === -1 ? samples.length - 1 : firstInside - 1;
  return [...samples.slice(Math.max(0, first)), sample];
}

/** What was done per second between the first and the last sample; `undefined` while nobody can tell. */
export function perSecond(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atMs - first.atMs < shortestMs) return undefined;
  return ((last.count - first.count) * 1000) / (last.atMs - first.atMs);
}
