/** Which records may be forgotten for good, and for which reason. */
import { describe, expect, test } from "vitest";
import { forgetCauses, reasonToForget, type ForgetCause } from "../../src/store/forget.ts";
import type { SubscriptionRecord } from "../../src/store/subscriptions.ts";
import { samplePair, sampleSubscription } from "../support/samples.ts";

const day = 86_400_000;
const now = Date.parse("2026-11-27T12:00:00.000Z");
const ours = samplePair("ours");

function record(over: Partial<SubscriptionRecord> = {}, subscription: object = {}): SubscriptionRecord {
  return {
    id: "aaaa111111",
    name: undefined,
    tags: [],
    subscription: sampleSubscription("alice", { ...subscription }),
    createdAt: now - 90 * day,
    registeredAt: now - 60 * day,
    lastResult: undefined,
    gone: undefined,
    wrongKey: undefined,
    ...over,
  };
}

const calledGone = { at: now - 9 * day, outcome: "gone", cause: "fcm.gone", status: 410 };
const refused = { at: now - 8 * day, cause: "fcm.key-mismatch", publicKey: ours.publicKey };
const edgeWithoutService = { endpoint: "https://permanently-removed.invalid/fcm/send/x" };

const samples: Readonly<Record<ForgetCause, readonly [SubscriptionRecord, since: number]>> = {
  gone: [record({ gone: { at: now - 10 * day, cause: "fcm.gone" } }), now - 10 * day],
  "called-gone": [record({ lastResult: calledGone }), now - 9 * day],
  expired: [record({}, { expirationTime: now - 7 * day }), now - 7 * day],
  "dead-host": [record({}, edgeWithoutService), now - 60 * day],
  "wrong-key": [record({ wrongKey: refused }), now - 8 * day],
};

function judge(one: SubscriptionRecord, causes: readonly ForgetCause[], olderThanMs = 0) {
  return reasonToForget(one, { causes: new Set(causes), olderThanMs, pairs: [ours], now });
}

describe.each(forgetCauses)("one that is %s", (cause) => {
  const [one, since] = samples[cause];

  test("is forgotten when that is asked for, and for nothing else", () => {
    expect(judge(one, [cause])).toMatchObject({ cause, since });
    expect(
      judge(
        one,
        forgetCauses.filter((other) => other !== cause),
      ),
    ).toBeUndefined();
  });

  test("only when it has been so for long enough", () => {
    expect(judge(one, [cause], now - since)).toMatchObject({ cause });
    expect(judge(one, [cause], now - since + 1)).toBeUndefined();
  });
});

test("one with nothing against it stays, whatever is asked for", () => {
  expect(judge(record(), forgetCauses)).toBeUndefined();
  expect(judge(record({ lastResult: { ...calledGone, outcome: "rejected" } }), forgetCauses)).toBeUndefined();
});

test("one that registered after it was called gone stays", () => {
  expect(judge(record({ lastResult: calledGone, registeredAt: now - day }), forgetCauses)).toBeUndefined();
});

test("one made with a key that is not at hand is of another key", () => {
  const stranger = record({}, { applicationServerKey: samplePair("lost").publicKey });
  expect(judge(stranger, ["wrong-key"])).toMatchObject({ cause: "wrong-key" });
});

test("a reason that is too young does not hide an older one", () => {
  const both = record({ gone: { at: now - day, cause: "http.410" } }, edgeWithoutService);
  expect(judge(both, ["gone", "dead-host"], 2 * day)).toMatchObject({ cause: "dead-host" });
});
