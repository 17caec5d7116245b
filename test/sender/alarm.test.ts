import { describe, expect, test } from "vitest";
import { Alarm, type SetTimer } from "../../src/sender/alarm.ts";

/** An alarm whose clock and timer the test holds. */
function held() {
  const clock = { ms: 1000, now: () => clock.ms };
  const timers: { readonly ring: () => void; readonly delayMs: number; isSet: boolean }[] = [];
  const setTimer: SetTimer = (ring, delayMs) => {
    const timer = { ring, delayMs, isSet: true };
    timers.push(timer);
    return { [Symbol.dispose]: () => void (timer.isSet = false) };
  };
  const rung: number[] = [];
  const alarm: Alarm = new Alarm(clock, setTimer, () => rung.push(alarm.now()));
  const fire = (): void => {
    const timer = timers.at(-1);
    if (timer?.isSet === true) timer.ring();
  };
  return { clock, timers, rung, alarm, fire };
}

describe("one timer", () => {
  test("is set for the earliest of the moments that were asked for", () => {
    const { alarm, timers } = held();
    alarm.set(5000);
    alarm.set(9000);
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([4000]);
    alarm.set(2000.5);
    expect(timers.map(({ delayMs, isSet }) => [delayMs, isSet])).toEqual([
      [4000, false],
      [1001, true],
    ]);
  });

  test("can be set again once it has gone off", () => {
    const { alarm, timers, fire, rung } = held();
    alarm.set(2000);
    fire();
    alarm.set(3000);
    fire();
    expect(timers).toHaveLength(2);
    expect(rung).toEqual([2000, 3000]);
  });

  test("goes off at once for what is past, and within an hour for what is far", () => {
    const past = held();
    past.alarm.set(500);
    expect(past.timers[0]?.delayMs).toBe(0);
    const far = held();
    far.alarm.set(1e12);
    expect(far.timers[0]?.delayMs).toBe(3_600_000);
  });

  test("is gone with the alarm", () => {
    const { alarm, timers } = held();
    alarm.set(2000);
    alarm[Symbol.dispose]();
    alarm.set(1500);
    expect(timers.map(({ isSet }) => isSet)).toEqual([false]);
  });
});

describe("time", () => {
  test("never goes back", () => {
    const { alarm, clock } = held();
    expect(alarm.now()).toBe(1000);
    clock.ms = 400;
    expect(alarm.now()).toBe(1000);
    clock.ms = 1001;
    expect(alarm.now()).toBe(1001);
  });

  test("has come where the timer has gone off, though the clock was set back by hours", () => {
    const { alarm, clock, fire, rung } = held();
    alarm.set(61_000);
    clock.ms = -7_200_000;
    fire();
    expect(rung).toEqual([61_000]);
  });
});
