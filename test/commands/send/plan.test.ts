import { expect, test } from "vitest";
import { planSend } from "../../../src/commands/send/plan.ts";
import { samplePair, sampleSubscription } from "../../support/samples.ts";
import { ourPair } from "./sending.ts";

const message = { payload: undefined, ttlSeconds: 60, urgency: undefined, topic: undefined };

test.each([
  [
    "of a key that is not at hand",
    samplePair("theirs").publicKey,
    /^made with key B[\w-]{11}…, which is not among yours$/,
  ],
  ["of no key, where none is current", undefined, /^it does not say which key/],
])("a subscription %s is left out, and why is said", (_name, applicationServerKey, reason) => {
  const subscription = sampleSubscription("phone", { applicationServerKey });
  const recipient = { id: "1", name: undefined, subscription, record: undefined };
  const keys = { current: undefined, pairs: [ourPair], tenures: [], subject: undefined };
  const { ready, skipped } = planSend([recipient], { message, keys, encoding: undefined });
  expect(ready).toEqual([]);
  expect(skipped[0]?.skipped).toMatchObject({
    cause: "key.unknown",
    reason: expect.stringMatching(reason) as string,
  });
});
