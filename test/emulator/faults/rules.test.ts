import { describe, expect, test } from "vitest";
import { parseFault } from "../../../src/emulator/faults/read-fault.ts";
import { FaultRules, type Target } from "../../../src/emulator/faults/rules.ts";
import { countingRandom } from "../machine.ts";

const target: Target = { side: "push", pushId: "one", origin: "http://127.0.0.1:1", protocol: "http/1.1" };

/** For each of `count` targets, whether the rule strikes. */
function strikes(line: string, count: number, other: Partial<Target> = {}): number[] {
  const rules = new FaultRules(countingRandom());
  rules.add(parseFault(line));
  const struck: number[] = [];
  for (let index = 1; index <= count; index += 1)
    if (rules.strike({ ...target, ...other }).length > 0) struck.push(index);
  return struck;
}

test.each([
  ["down", [1, 2, 3, 4, 5, 6]],
  ["down nth=3", [3]],
  ["down every=2", [2, 4, 6]],
  ["down times=2", [1, 2]],
  ["down every=2 times=1", [2]],
  ["down percent=0", []],
  ["down percent=100", [1, 2, 3, 4, 5, 6]],
  ["down subscription=two", []],
  ["down origin=http://127.0.0.1:1", [1, 2, 3, 4, 5, 6]],
  ["down origin=https://127.0.0.1:1", []],
  ["down protocol=h2", []],
  ["drop", []],
])("%s strikes %j of six requests", (line, expected) => {
  expect(strikes(line, 6)).toEqual(expected);
});

test("a share is by chance, and the same for the same randomness", () => {
  const struck = strikes("down percent=25", 4000);
  expect(struck.length).toBeGreaterThan(900);
  expect(struck.length).toBeLessThan(1100);
  expect(strikes("down percent=25", 4000)).toEqual(struck);
});

describe("what is of HTTP/2 alone", () => {
  test("is idle over HTTP/1.1 and does not use up its times", () => {
    const rules = new FaultRules(countingRandom());
    rules.add(parseFault("goaway times=1"));
    expect(rules.strike(target)).toMatchObject([{ isIdle: true }]);
    expect(rules.strike({ ...target, protocol: "h2" })).toMatchObject([{ isIdle: false }]);
    expect(rules.strike({ ...target, protocol: "h2" })).toEqual([]);
    expect(rules.list()).toEqual([{ id: "1", rule: "goaway=graceful times=1", seen: 3, applied: 1 }]);
  });
});

test("rules count apart, apply in the order they were added, and can be taken back", () => {
  const rules = new FaultRules(countingRandom());
  const { id } = rules.add(parseFault("latency=5"));
  rules.add(parseFault("down nth=2"));
  expect(rules.strike(target).map(({ fault }) => fault.toxic.type)).toEqual(["latency"]);
  expect(rules.strike(target).map(({ fault }) => fault.toxic.type)).toEqual(["latency", "down"]);
  expect(rules.remove(id)).toBe(true);
  expect(rules.remove(id)).toBe(false);
  expect(rules.strike(target)).toEqual([]);
  rules.clear();
  expect(rules.list()).toEqual([]);
});
