import { expect, test } from "vitest";
import { createTokenBucket } from "../../src/base/token-bucket.ts";

function bucketOf(burst: number, perSecond: number) {
  const clock = { ms: 5000, now: () => clock.ms };
  return { clock, bucket: createTokenBucket({ burst, perSecond }, clock) };
}

test("a burst, then so many a second", () => {
  const { clock, bucket } = bucketOf(2, 10);
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false]);
  clock.ms += 99;
  expect(bucket.take()).toBe(false);
  clock.ms += 1;
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
});

test("a quiet time saves no more than a burst", () => {
  const { clock, bucket } = bucketOf(2, 10);
  clock.ms += 3_600_000;
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false]);
});

test("when the next one comes is known, and then it is there", () => {
  const { clock, bucket } = bucketOf(1, 4);
  expect(bucket.nextAt()).toBe(5000);
  bucket.take();
  expect(bucket.nextAt()).toBe(5250);
  clock.ms += 100;
  expect(bucket.nextAt()).toBe(5250);
  clock.ms = 5250;
  expect([bucket.nextAt(), bucket.take()]).toEqual([5250, true]);
});

test("a clock that was set back takes nothing away", () => {
  const { clock, bucket } = bucketOf(2, 1);
  bucket.take();
  clock.ms -= 60_000;
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
});
