import { expect, test } from "vitest";
import { durationText, groupDigits } from "../../src/base/figures.ts";

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1 000"],
  [1_234_567, "1 234 567"],
])("%d is written %s", (count, text) => {
  expect(groupDigits(count)).toBe(text);
});

test.each([
  [0, "0 s"],
  [1, "1 s"],
  [42_000, "42 s"],
  [90_000, "90 s"],
  [90_001, "2 min"],
  [40 * 60_000, "40 min"],
  [90 * 60_000, "90 min"],
  [91 * 60_000, "1 h 30 min"],
  [119 * 60_000, "2 h"],
  [130 * 60_000, "2 h 10 min"],
  [48 * 3_600_000, "48 h"],
  [49 * 3_600_000, "2 days"],
])("%d ms are %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
