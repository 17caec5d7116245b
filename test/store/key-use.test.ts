import { expect, test } from "vitest";
import { groupsOf, keyUses } from "../../src/store/key-use.ts";
import type { SubscriptionRecord } from "../../src/store/subscriptions.ts";
import { samplePair, sampleSubscription } from "../support/samples.ts";

const [own, other] = [samplePair("own").publicKey, samplePair("other").publicKey];

function record(
  applicationServerKey: string | undefined,
  state: Partial<SubscriptionRecord> = {},
): SubscriptionRecord {
  return {
    id: "aaaa111111",
    name: undefined,
    tags: [],
    subscription: sampleSubscription("alice", { applicationServerKey }),
    createdAt: 100,
    registeredAt: 100,
    lastResult: undefined,
    gone: undefined,
    wrongKey: undefined,
    ...state,
  };
}

function usesOf(records: readonly SubscriptionRecord[]) {
  return keyUses(groupsOf(records));
}

test("subscriptions are counted by the key they were made with, the gone and the refused apart", () => {
  const uses = usesOf([
    record(own),
    record(own, { gone: { at: 150, cause: "fcm.gone" } }),
    record(own, { wrongKey: { at: 160, cause: "fcm.key-mismatch", publicKey: own } }),
    record(other, { registeredAt: 120 }),
    record(undefined),
  ]);
  expect(uses.get(own)).toEqual({ living: 2, gone: 1, refused: 1, lastSeenAt: 100 });
  expect(uses.get(other)).toEqual({ living: 1, gone: 0, refused: 0, lastSeenAt: 120 });
  expect(uses.get(undefined)).toMatchObject({ living: 1 });
});

test("one is seen when it is registered and when it takes a message, not when it is refused", () => {
  const results = [
    { at: 300, outcome: "accepted", cause: "ok", status: 201 },
    { at: 400, outcome: "rejected", cause: "http.400", status: 400 },
  ];
  const records = results.map((lastResult) => record(own, { lastResult, registeredAt: 200 }));
  expect(usesOf(records).get(own)?.lastSeenAt).toBe(300);
  expect(usesOf(records.slice(1)).get(own)?.lastSeenAt).toBe(200);
});
