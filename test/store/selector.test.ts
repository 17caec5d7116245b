import { describe, expect, test } from "vitest";
import { readersOf } from "../../src/store/readers.ts";
import { isTagSelector, selectFrom, selectRecords } from "../../src/store/selector.ts";
import type { SubscriptionRecord } from "../../src/store/subscriptions.ts";
import { sampleSubscription } from "../support/samples.ts";

function record(id: string, name?: string, tags: readonly string[] = []): SubscriptionRecord {
  const times = {
    createdAt: 0,
    registeredAt: 0,
    lastResult: undefined,
    gone: undefined,
    wrongKey: undefined,
  };
  return { id, name, tags, subscription: sampleSubscription(id), ...times };
}

const records = [
  record("aaaa111111", "phone", ["news"]),
  record("aaaa222222", "laptop", ["news", "beta"]),
  record("bbbb333333"),
];

function ids(...selectors: string[]): readonly string[] {
  return selectRecords(records, selectors).map(({ id }) => id);
}

describe("a selector is", () => {
  test("a whole id", () => {
    expect(ids("aaaa111111")).toEqual(["aaaa111111"]);
  });

  test("the beginning of one, four characters or more", () => {
    expect(ids("bbbb")).toEqual(["bbbb333333"]);
    expect(() => ids("bbb")).toThrow(expect.objectContaining({ code: "subscription-unknown" }));
  });

  test("a name", () => {
    expect(ids("laptop")).toEqual(["aaaa222222"]);
  });

  test("a tag", () => {
    expect(ids("tag:news")).toEqual(["aaaa111111", "aaaa222222"]);
  });

  test("the word all", () => {
    expect(ids("all")).toEqual(["aaaa111111", "aaaa222222", "bbbb333333"]);
  });
});

test("several name each record once, in stored order", () => {
  expect(ids("bbbb333333", "tag:news", "phone")).toEqual(["aaaa111111", "aaaa222222", "bbbb333333"]);
});

test("a beginning of several ids is refused with those it could be", () => {
  expect(() => ids("aaaa")).toThrow(
    expect.objectContaining({
      code: "subscription-ambiguous",
      message: "aaaa is the beginning of 2 ids",
      hints: ["give more of it: aaaa111111, aaaa222222"],
    }),
  );
});

test.each([
  ["phnoe", "did you mean phone?"],
  ["tag:nwes", "did you mean tag:news?"],
  ["aaaa111112", "did you mean aaaa111111?"],
  ["somebody-else", "run `webpush subscriptions list` to see them"],
])("an unknown one, %j, is refused: %s", (selector, hint) => {
  expect(() => ids(selector)).toThrow(
    expect.objectContaining({
      code: "subscription-unknown",
      message: `no stored subscription is ${JSON.stringify(selector)}`,
      hints: [hint],
    }),
  );
});

test("all of nothing is nothing", () => {
  expect(selectRecords([], ["all"])).toEqual([]);
});

test("a tag selector is known by its beginning", () => {
  expect([isTagSelector("tag:news"), isTagSelector("news")]).toEqual([true, false]);
});

test.each([
  ["phnoe", "did you mean phone?"],
  ["tag:nwes", "did you mean tag:news?"],
  ["nobody", "run `webpush subscriptions list` to see them"],
])("of a database too, %j is refused: %s", async (selector, hint) => {
  const database = { ...readersOf(() => Promise.resolve(records)), mostAtOnce: 1000 };
  await expect(selectFrom(database, [selector])).rejects.toMatchObject({
    code: "subscription-unknown",
    hints: [hint],
  });
});
