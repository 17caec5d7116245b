import { expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { PushService } from "../../src/emulator/push-service.ts";
import { parseSnapshot } from "../../src/emulator/snapshot.ts";
import {
  connect,
  countingRandom,
  createMachine,
  created,
  expectKind,
  subscribed,
  TestReceiver,
  textMessage,
} from "./machine.ts";

test("subscriptions, their endings, waiting and unacknowledged messages survive a restart through JSON", () => {
  const { service, clock } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const gone = subscribed(service);
  service.unsubscribe(gone.subscriptionId);
  service.send(pushId, textMessage("out"));
  connect(service, subscriptionId, new TestReceiver());
  const state = parseSnapshot(JSON.parse(JSON.stringify(service.snapshot())));

  const restored = new PushService({ clock, random: countingRandom(), state });
  created(restored.send(pushId, textMessage("new")));
  expect(restored.send(gone.pushId, textMessage("late"))).toMatchObject({ status: 410 });
  const receiver = new TestReceiver();
  connect(restored, subscriptionId, receiver);
  expect(receiver.texts).toEqual(["out", "new"]);
  expect(receiver.messages.map(({ delivery }) => delivery)).toEqual([2, 1]);
});

test("a message whose time passed while the service was down is not delivered", () => {
  const { service, clock } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  service.send(pushId, textMessage("short", { ttlSeconds: 5 }));
  const state = service.snapshot();
  clock.advance(6);
  const types: string[] = [];
  const restored = new PushService({
    clock,
    random: countingRandom(),
    state,
    onEvent: ({ type }) => types.push(type),
  });
  const receiver = new TestReceiver();
  connect(restored, subscriptionId, receiver);
  expect(receiver.texts).toEqual([]);
  expect(types).toContain("expired");
});

test("a superseded message that was out when the service stopped does not come back", () => {
  const { service, clock } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  connect(service, subscriptionId, new TestReceiver({ maxUnacknowledged: 1 }));
  service.send(pushId, textMessage("1:0", { topic: "score" }));
  service.send(pushId, textMessage("2:0", { topic: "score" }));
  const restored = new PushService({ clock, random: countingRandom(), state: service.snapshot() });
  const receiver = new TestReceiver();
  connect(restored, subscriptionId, receiver);
  expect(receiver.texts).toEqual(["2:0"]);
});

test("unread receipts survive", () => {
  const { service, clock } = createMachine();
  const { pushId } = subscribed(service);
  const lost = created(service.send(pushId, textMessage("x", { ttlSeconds: 0, receipt: "new" })));
  const restored = new PushService({ clock, random: countingRandom(), state: service.snapshot() });
  const receipt = restored.takeReceipt(lost.receiptSubscriptionId ?? "");
  expect(receipt).toEqual({ messageId: lost.messageId, status: 410 });
});

test.each([
  [null, "the state is not an object"],
  [{ version: 2 }, "the version is not 1"],
  [{ version: 1, subscriptions: {} }, "the state.subscriptions is not a list"],
  [
    { version: 1, subscriptions: [{ id: 7 }] },
    "the state.subscriptions[0].applicationServerKey is not a string",
  ],
  [
    { version: 1, subscriptions: [], ended: [{ id: "a", pushId: "b", why: "boredom" }] },
    "the state.ended[0].why is not one of",
  ],
  [
    {
      version: 1,
      ended: [],
      subscriptions: [
        { id: "a", pushId: "b", applicationServerKey: null, createdAt: 1e300, expiresAt: null },
      ],
    },
    "the state.subscriptions[0].createdAt is not a number from 0 to",
  ],
])("%j is not a snapshot", (value, reason) => {
  expect(() => parseSnapshot(value)).toThrow(UserError);
  expect(() => parseSnapshot(value)).toThrow(reason);
});

test("a snapshot with a damaged body is refused, not restored without it", () => {
  const { service } = createMachine();
  service.send(expectKind(service.subscribe(), "subscribed").pushId, textMessage("x"));
  const text = JSON.stringify(service.snapshot()).replace('"body":"eA"', '"body":"e!"');
  expect(() => parseSnapshot(JSON.parse(text))).toThrow("the state.messages[0].body is not base64url");
});
