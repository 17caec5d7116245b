/**
 * A number of exchanges in flight at a time, the next begun when one ends.
 */

/** Calls `begin(index)` for each index below `count`, `width` at a time; each returns a promise. */
export async function keepInFlight(count, width, begin) {
  let next = 0;
  const lane = async () => {
    while (next < count) await begin(next++);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** What every sender does with an answer. */
export function expectCreated(status) {
  if (status !== 201) throw new Error(`answered ${status}`);
}
