/**
 * Random bytes drawn many at a time.
 *
 * One draw from Node costs 3-6 µs whether it is of 16 bytes or of a thousand, and every
 * message needs two. No byte is handed out twice.
 */
import type { Random } from "./clock.ts";

const poolBytes = 4096;

/** `random`, asked for some thousand bytes at a time. */
export function poolRandom(random: Random): Random {
  let pool: Uint8Array = new Uint8Array();
  return {
    bytes(length) {
      if (length > pool.length) pool = random.bytes(Math.max(length, poolBytes));
      const bytes = pool.subarray(0, length);
      pool = pool.subarray(length);
      return bytes;
    },
  };
}
