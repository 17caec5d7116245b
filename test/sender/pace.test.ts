import { describe, expect, test } from "vitest";
import { classifyFailure, classifyResponse } from "../../src/protocol/delivery.ts";
import type { FailureKind } from "../../src/protocol/diagnoses/row.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { AdaptiveLimit, isCongestion, RetryBudget } from "../../src/sender/pace.ts";

describe("the limit of what is in flight", () => {
  test("begins at ten, or at what is allowed in all", () => {
    expect([new AdaptiveLimit(100).value, new AdaptiveLimit(4).value, new AdaptiveLimit(0).value]).toEqual([
      10, 4, 1,
    ]);
  });

  test("grows by about one for each window, up to what is allowed", () => {
    const limit = new AdaptiveLimit(12);
    for (let answer = 0; answer < 11; answer += 1) limit.grow(limit.value);
    expect(limit.value).toBe(11);
    for (let answer = 0; answer < 12; answer += 1) limit.grow(limit.value);
    expect(limit.value).toBe(12);
    for (let answer = 0; answer < 100; answer += 1) limit.grow(limit.value);
    expect(limit.value).toBe(12);
  });

  test("does not grow while less than half of it is used", () => {
    const limit = new AdaptiveLimit(100);
    for (let answer = 0; answer < 100; answer += 1) limit.grow(4);
    expect(limit.value).toBe(10);
  });

  test("is halved, once for all that was in flight together, and stays at least one", () => {
    const limit = new AdaptiveLimit(100);
    const { era } = limit;
    limit.shrink(era);
    limit.shrink(era);
    expect(limit.value).toBe(5);
    limit.shrink(limit.era);
    expect(limit.value).toBe(2);
    for (let window = 0; window < 9; window += 1) limit.shrink(limit.era);
    expect(limit.value).toBe(1);
  });
});

describe("congestion", () => {
  const other = "https://push.example.net/x";
  const answered = (status: number, endpoint = other, body = "") =>
    isCongestion(classifyResponse(parseEndpoint(endpoint), { status, headers: {}, body }, 0));
  const failed = (kind: FailureKind) =>
    isCongestion(classifyFailure(parseEndpoint(other), { kind, message: "" }));

  test.each([429, 503, 504])("is what %d shows", (status) => {
    expect(answered(status)).toBe(true);
  });

  test.each(["calm", "ambiguous", "connect", "dns"] as const)(
    "is what a failure of kind %s shows",
    (kind) => {
      expect(failed(kind)).toBe(true);
    },
  );

  test.each([201, 302, 400, 403, 404, 410, 413, 500, 502])("is not what %d shows", (status) => {
    expect(answered(status)).toBe(false);
  });

  test("is neither a stream refused, our own refusal, nor too much for one device", () => {
    expect([failed("refused-stream"), failed("blocked")]).toEqual([false, false]);
    expect(answered(429, "https://web.push.apple.com/x", '{"reason":"TooManyRequests"}')).toBe(false);
  });
});

describe("the budget of retries", () => {
  const spent = (budget: RetryBudget): number => {
    let count = 0;
    while (budget.spend()) count += 1;
    return count;
  };

  test("is a reserve of ten, and a fifth of the messages", () => {
    const budget = new RetryBudget();
    expect(spent(budget)).toBe(10);
    for (let message = 0; message < 51; message += 1) budget.earn();
    expect(spent(budget)).toBe(10);
  });

  test("does not grow without bound", () => {
    const budget = new RetryBudget();
    for (let message = 0; message < 100_000; message += 1) budget.earn();
    expect(spent(budget)).toBe(1000);
  });
});
