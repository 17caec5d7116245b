import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines } from "../../src/base/deadlines.ts";

test("items come out by deadline, none before its time", () => {
  const deadlines = new Deadlines<string>();
  deadlines.set("b", 20);
  deadlines.set("a", 10);
  expect(deadlines.takeDue(9)).toBeUndefined();
  expect(deadlines.takeDue(20)).toBe("a");
  expect(deadlines.takeDue(20)).toBe("b");
  expect(deadlines.takeDue(20)).toBeUndefined();
});

test("an item that left or was put off takes no room", () => {
  const deadlines = new Deadlines<string>();
  deadlines.set("a", 10);
  deadlines.set("a", 30);
  deadlines.set("b", 20);
  deadlines.delete("b");
  deadlines.delete("unknown");
  expect(deadlines.size).toBe(1);
  expect(deadlines.takeDue(29)).toBeUndefined();
});

test("after any history it agrees with a sorted list", () => {
  const step = fc.tuple(fc.nat(15), fc.option(fc.nat(50)));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const deadlines = new Deadlines<number>();
      const model = new Map<number, number>();
      for (const [item, at] of steps) {
        if (at === null) {
          deadlines.delete(item);
          model.delete(item);
        } else {
          deadlines.set(item, at);
          model.set(item, at);
        }
      }
      const times: number[] = [];
      for (let item = deadlines.takeDue(100); item !== undefined; item = deadlines.takeDue(100)) {
        times.push(model.get(item) ?? -1);
      }
      expect(times).toEqual([...model.values()].sort((a, b) => a - b));
    }),
  );
});
