import { expect, test } from "vitest";
import { poolRandom } from "../../src/base/random-pool.ts";

/** A source whose bytes count on, and what was asked of it. */
function countingRandom() {
  const draws: number[] = [];
  let next = 0;
  const bytes = (length: number): Uint8Array => {
    draws.push(length);
    return Uint8Array.from({ length }, () => next++ % 251);
  };
  return { bytes, draws };
}

test("no byte is handed out twice, and none is left out within a draw", () => {
  const pool = poolRandom(countingRandom());
  const handedOut = [16, 32, 16, 32].flatMap((length) => [...pool.bytes(length)]);
  expect(handedOut).toEqual(Array.from({ length: 96 }, (_, index) => index));
});

test("a hundred small draws are one draw from the source", () => {
  const source = countingRandom();
  const pool = poolRandom(source);
  for (let count = 0; count < 100; count += 1) expect(pool.bytes(32)).toHaveLength(32);
  expect(source.draws).toHaveLength(1);
});

test("what the pool does not hold is drawn anew, as long as it is", () => {
  const source = countingRandom();
  const pool = poolRandom(source);
  pool.bytes(1);
  expect(pool.bytes(10_000)).toHaveLength(10_000);
  expect(source.draws.at(-1)).toBe(10_000);
});
