import { expect, test } from "vitest";
import { perSecond, withSample, type Sample } from "../../../src/commands/send/rate-meter.ts";

/** Samples of a run with `counts` at these seconds. */
function samplesOf(counts: readonly (readonly [second: number, count: number])[]): readonly Sample[] {
  return counts.reduce<readonly Sample[]>(
    (samples, [second, count]) => withSample(samples, { atMs: second * 1000, count }),
    [],
  );
}

test("counts what was done since the run began", () => {
  expect(
    perSecond(
      samplesOf([
        [0, 0],
        [2, 500],
      ]),
    ),
  ).toBe(250);
});

test("forgets what is longer ago than ten seconds", () => {
  const samples = samplesOf(
    Array.from({ length: 31 }, (_, second) => [second, second < 15 ? second * 1000 : 15_000]),
  );
  expect(samples).toHaveLength(11);
  expect(perSecond(samples)).toBe(0);
});

test("is the same for few samples and for many", () => {
  const everyFive = samplesOf([0, 5, 10, 15, 20].map((second) => [second, second * 40]));
  expect(everyFive).toHaveLength(3);
  expect(perSecond(everyFive)).toBe(40);
});

test("samples that are far apart still tell", () => {
  expect(
    perSecond(
      samplesOf([
        [0, 0],
        [60, 600],
        [120, 1800],
      ]),
    ),
  ).toBe(20);
});

test("nobody can tell at once, or from a clock that went back", () => {
  expect(perSecond([])).toBeUndefined();
  expect(perSecond(samplesOf([[0, 0]]))).toBeUndefined();
  expect(
    perSecond(
      samplesOf([
        [0, 0],
        [0.1, 90],
      ]),
    ),
  ).toBeUndefined();
  expect(
    perSecond(
      samplesOf([
        [100, 0],
        [10, 90],
      ]),
    ),
  ).toBeUndefined();
});
