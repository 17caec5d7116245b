import { expect, test } from "vitest";
import { Leave } from "../../src/sender/leave.ts";
import type { Grant } from "../../src/sender/shared-pace.ts";
import { settle } from "./flow-fixture.ts";

/** Leave whose answers are `grants`, one after the other, and the wishes it uttered. */
function leaveOf(...grants: Grant[]) {
  const asked: number[] = [];
  const clock = { at: 0, now: () => clock.at };
  const leave = new Leave(clock, {
    reserve: async (wanted) => {
      asked.push(wanted);
      return Promise.resolve(grants.shift() ?? { count: wanted, inMs: 0 });
    },
    arrived: () => undefined,
    failed: (error) => {
      throw error;
    },
  });
  return { leave, asked, clock };
}

test("nobody knows when a message may begin, until the answer has come", async () => {
  const { leave, asked, clock } = leaveOf({ count: 2, inMs: 300 });
  leave.want(0, () => 5);
  leave.want(0, () => 5);
  expect(leave.nextAt(0)).toBe(Number.POSITIVE_INFINITY);
  await settle();
  expect(asked).toEqual([5]);
  expect(leave.nextAt(0)).toBe(300);
  clock.at = 300;
  leave.take(300);
  leave.take(300);
  expect(leave.nextAt(300)).toBe(Number.POSITIVE_INFINITY);
});

test("the next lot is asked for when half of the present one is used, and only one ahead", async () => {
  const { leave, asked } = leaveOf({ count: 4, inMs: 0 }, { count: 4, inMs: 200 });
  const askAndWait = async (): Promise<void> => {
    leave.want(0, () => 100);
    await settle();
  };
  await askAndWait();
  leave.take(0);
  await askAndWait();
  expect(asked).toHaveLength(1);
  leave.take(0);
  await askAndWait();
  expect(asked).toHaveLength(2);
  leave.take(0);
  leave.take(0);
  await askAndWait();
  expect(asked).toHaveLength(2);
  expect(leave.nextAt(0)).toBe(200);
});

test("no more is asked for than wait", async () => {
  const { leave, asked } = leaveOf();
  leave.want(0, () => 0);
  leave.want(0, () => 3);
  await settle();
  expect(asked).toEqual([3]);
});

test("lots come to be enough for a quarter of a second", async () => {
  const { leave, asked, clock } = leaveOf();
  let reserved = 0;
  // 100 a second: each lot begins when the one before is over.
  for (let lot = 0; lot < 8; lot += 1) {
    leave.want(clock.at, () => 1000);
    await settle();
    const count = asked.at(-1) ?? 0;
    for (let begun = 0; begun < count; begun += 1) leave.take(clock.at);
    reserved += count;
    clock.at = reserved * 10;
  }
  expect(asked[0]).toBe(8);
  expect(asked.slice(-3)).toEqual([25, 25, 25]);
});

test("what is not used within a second of its beginning lapses", async () => {
  const { leave } = leaveOf({ count: 5, inMs: 100 });
  leave.want(0, () => 5);
  await settle();
  expect(leave.nextAt(1099)).toBe(100);
  expect(leave.nextAt(1100)).toBe(Number.POSITIVE_INFINITY);
});

test("where there is none, it is asked for when it was said to, and not at once", async () => {
  const { leave, asked } = leaveOf({ count: 0, inMs: 0 }, { count: 0, inMs: 5000 });
  leave.want(0, () => 1);
  await settle();
  expect(leave.nextAt(0)).toBe(100);
  leave.want(99, () => 1);
  expect(asked).toHaveLength(1);
  leave.want(100, () => 1);
  await settle();
  expect(asked).toHaveLength(2);
  expect(leave.nextAt(100)).toBe(5000);
});
