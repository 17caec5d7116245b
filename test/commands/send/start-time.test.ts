import { describe, expect, test } from "vitest";
import { delayUntil, parseStartTime } from "../../../src/commands/send/start-time.ts";
import { errorOf } from "../../support/thrown.ts";

const noon = new Date(2030, 0, 31, 12, 0, 0).getTime();
const minutes = 60_000;

function delay(text: string): number {
  return delayUntil(parseStartTime(text), noon) / minutes;
}

describe("a time to begin", () => {
  test("is a length of time, a time of day, or a date", () => {
    expect(delay("+2h")).toBe(120);
    expect(delay("+0")).toBe(0);
    expect(delay("18:30")).toBe(390);
    expect(delay("2030-01-31T12:05")).toBe(5);
    expect(delay("2030-02-01 12:00:30")).toBe(24 * 60 + 0.5);
  });

  test("with a zone is that zone's", () => {
    const inAnHour = new Date(noon + 60 * minutes).toISOString();
    expect(delay(inAnHour)).toBe(60);
    expect(delay(inAnHour.replace("Z", "+00:00"))).toBe(60);
    expect(delay(inAnHour.replace("Z", "-01:00"))).toBe(120);
  });

  test.each([
    "",
    "+",
    "soon",
    "24:00",
    "12:60",
    "7",
    "2030-02-31T10:00",
    "2030-13-01T10:00",
    "2030-01-31",
    "+2x",
  ])("cannot be %j", (text) => {
    expect(errorOf(() => parseStartTime(text)).code).toBe("start-time");
  });

  test("that is over is refused, and so is one more than a year ahead", () => {
    expect(errorOf(() => delay("11:59")).code).toBe("start-past");
    expect(errorOf(() => delay("2030-01-31T11:59")).code).toBe("start-past");
    expect(errorOf(() => delay("3030-01-31T11:59")).code).toBe("start-time");
  });
});
