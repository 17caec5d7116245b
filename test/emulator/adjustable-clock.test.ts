import { expect, test } from "vitest";
import { AdjustableClock } from "../../src/emulator/adjustable-clock.ts";
import { errorOf } from "../support/thrown.ts";
import { TestClock } from "./machine.ts";

function movable() {
  const below = new TestClock();
  const moves: number[] = [];
  return { below, moves, clock: new AdjustableClock(below, (byMs) => void moves.push(byMs)) };
}

test("it goes with the clock below it, by as much ahead as it was moved", () => {
  const { below, clock, moves } = movable();
  const start = below.now();
  clock.advance(90_000);
  below.advance(10);
  expect(clock.now()).toBe(start + 100_000);
  clock.set(start - 5000);
  below.advance(1);
  expect(clock.now()).toBe(start - 4000);
  clock.reset();
  expect(clock.now()).toBe(below.now());
  clock.reset();
  expect(moves).toEqual([90_000, -105_000, 15_000]);
});

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, Date.UTC(10_000, 0)])("it cannot be set to %d", (at) => {
  const { clock, moves } = movable();
  expect(
    errorOf(() => {
      clock.set(at);
    }),
  ).toMatchObject({ code: "emulator-clock" });
  expect(moves).toEqual([]);
});
