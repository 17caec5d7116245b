import { expect, test } from "vitest";
import { checkSubscription } from "../../src/store/check.ts";
import type { SubscriptionRecord } from "../../src/store/subscriptions.ts";
import { samplePair, sampleSubscription } from "../support/samples.ts";

const now = Date.parse("2026-11-02T12:00:00.000Z");
const pairs = [samplePair("own")];

function record(
  over: Readonly<Record<string, unknown>> = {},
  state: Partial<SubscriptionRecord> = {},
): SubscriptionRecord {
  const times = {
    createdAt: now,
    registeredAt: now,
    lastResult: undefined,
    gone: undefined,
    wrongKey: undefined,
  };
  return {
    id: "aaaa111111",
    name: undefined,
    tags: [],
    subscription: sampleSubscription("alice", over),
    ...times,
    ...state,
  };
}

function findings(subject: SubscriptionRecord, keys = pairs): readonly string[] {
  return checkSubscription(subject, { pairs: keys, now }).map(({ id }) => id);
}

test.each<[string, SubscriptionRecord, readonly string[]]>([
  ["a fresh one", record(), []],
  ["one made with a key of ours", record({ applicationServerKey: samplePair("own").publicKey }), []],
  [
    "one made with another key",
    record({ applicationServerKey: samplePair("other").publicKey }),
    ["key.unknown"],
  ],
  ["one that expires later", record({ expirationTime: now + 1 }), []],
  ["one that expires now", record({ expirationTime: now }), ["expired"]],
  [
    "one that a service called gone",
    record({}, { gone: { at: now, cause: "fcm.gone" }, wrongKey: undefined }),
    ["gone"],
  ],
  [
    "one at a service that is no more",
    record({ endpoint: "https://android.googleapis.com/gcm/send/abcdef" }),
    ["endpoint.dead"],
  ],
  [
    "one whose last message was refused",
    record({}, { lastResult: { at: now, outcome: "rejected", cause: "fcm.bad", status: 400 } }),
    ["refused"],
  ],
  [
    "one whose push service refused a key of ours",
    record(
      {},
      {
        lastResult: { at: now, outcome: "wrong-key", cause: "fcm.key-mismatch", status: 403 },
        wrongKey: { at: now, cause: "fcm.key-mismatch", publicKey: samplePair("own").publicKey },
      },
    ),
    ["key.refused"],
  ],
  [
    "one whose last message was accepted",
    record({}, { lastResult: { at: now, outcome: "accepted", cause: "ok", status: 201 } }),
    [],
  ],
  [
    "one whose last message only came at a bad time",
    record({}, { lastResult: { at: now, outcome: "throttled", cause: "rate", status: 429 } }),
    [],
  ],
])("%s has the findings it should", (_name, subject, expected) => {
  expect(findings(subject)).toEqual(expected);
});

test("without keys at hand, keys are not judged", () => {
  expect(findings(record({ applicationServerKey: samplePair("other").publicKey }), [])).toEqual([]);
});

test("every finding says what to do", () => {
  const subject = record(
    { expirationTime: 1, applicationServerKey: samplePair("other").publicKey },
    { lastResult: { at: now, outcome: "wrong-key", cause: "fcm.key", status: 403 } },
  );
  const found = checkSubscription(subject, { pairs, now });
  expect(found.map(({ id }) => id)).toEqual(["expired", "key.unknown", "refused"]);
  for (const { what, advice } of found) {
    expect(what).not.toBe("");
    expect(advice).not.toBe("");
  }
});
