import fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "../../src/base/fifo.ts";

test("items leave in the order in which they came", () => {
  const fifo = new Fifo<number>();
  for (let item = 1; item <= 3; item += 1) fifo.push(item);
  expect([fifo.first, fifo.size]).toEqual([1, 3]);
  expect([fifo.shift(), fifo.shift(), fifo.shift(), fifo.shift()]).toEqual([1, 2, 3, undefined]);
  expect([fifo.first, fifo.size]).toEqual([undefined, 0]);
});

test("items can leave from anywhere; the others keep their order", () => {
  const fifo = new Fifo<number>();
  for (let item = 1; item <= 6; item += 1) fifo.push(item);
  fifo.shift();
  expect(fifo.extract((item) => item % 2 === 0)).toEqual([2, 4, 6]);
  expect([fifo.size, fifo.shift(), fifo.shift(), fifo.size]).toEqual([2, 3, 5, 0]);
});

test("after any history it agrees with an array, also when it has been long", () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ shift: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ extract: fc.integer({ min: 2, max: 9 }) }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      let next = 1;
      for (const one of steps) {
        if ("push" in one)
          for (let count = 0; count < one.push; count += 1, next += 1) {
            fifo.push(next);
            model.push(next);
          }
        else if ("shift" in one)
          expect(
            Array.from({ length: one.shift }, () => fifo.shift()).filter((item) => item !== undefined),
          ).toEqual(model.splice(0, one.shift));
        else {
          const isChosen = (item: number): boolean => item % one.extract === 0;
          expect(fifo.extract(isChosen)).toEqual(model.filter(isChosen));
          model = model.filter((item) => !isChosen(item));
        }
        expect([fifo.size, fifo.first]).toEqual([model.length, model[0]]);
      }
    }),
  );
});
