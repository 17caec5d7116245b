import { expect, test } from "vitest";
import { parseVapidPublicKey } from "../../src/protocol/vapid.ts";
import {
  connect,
  createMachine,
  created,
  expectKind,
  subscribed,
  TestReceiver,
  textMessage,
} from "./machine.ts";

const alice = parseVapidPublicKey(
  "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs",
);
const mallory = parseVapidPublicKey(
  "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
);

test("a subscription's three kinds of resources have unrelated ids of 128 bits", () => {
  const { service } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const { messageId } = created(service.send(pushId, textMessage("hi")));
  const ids = [subscriptionId, pushId, messageId];
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) expect(Buffer.from(id, "base64url")).toHaveLength(16);
});

test("a message waits for its receiver, is delivered, and ends when it is acknowledged", () => {
  const { service, newEvents } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const { messageId } = created(service.send(pushId, textMessage("hi")));
  expect(service.subscriptions()[0]).toMatchObject({ waiting: 1, unacknowledged: 0, isConnected: false });

  const receiver = new TestReceiver();
  connect(service, subscriptionId, receiver);
  expect(receiver.messages).toMatchObject([{ messageId, subscriptionId, pushId, delivery: 1 }]);
  expect(service.messages(subscriptionId)).toMatchObject([{ messageId, state: "unacknowledged" }]);

  expectKind(service.acknowledge(messageId), "done");
  expect(service.messages(subscriptionId)).toEqual([]);
  expect(expectKind(service.acknowledge(messageId), "refused").code).toBe("no-such-message");
  expect(newEvents()).toEqual([
    "subscribed",
    "accepted",
    "connected",
    "delivered",
    "acknowledged",
    "refused",
  ]);
});

test("a connected receiver gets a message at once", () => {
  const { service } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const receiver = new TestReceiver();
  connect(service, subscriptionId, receiver);
  service.send(pushId, textMessage("one"));
  service.send(pushId, textMessage("two"));
  expect(receiver.texts).toEqual(["one", "two"]);
});

test("what was not acknowledged comes again on the next connection, in its old order", () => {
  const { service, newEvents } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  for (const text of ["one", "two", "three"]) service.send(pushId, textMessage(text));
  const first = new TestReceiver();
  const connection = connect(service, subscriptionId, first);
  const second = first.messages[1];
  expect(first.texts).toEqual(["one", "two", "three"]);
  service.acknowledge(second?.messageId ?? "");
  connection.close();
  service.send(pushId, textMessage("four"));
  newEvents();

  const again = new TestReceiver();
  connect(service, subscriptionId, again);
  expect(again.texts).toEqual(["one", "three", "four"]);
  expect(again.messages.map(({ delivery }) => delivery)).toEqual([2, 2, 1]);
  expect(newEvents()).toEqual(["connected", "delivered", "delivered", "delivered"]);
});

test("a finished connection leaves its message out for the acknowledgement; without one it comes again", () => {
  const { service } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  service.send(pushId, textMessage("one"));
  service.send(pushId, textMessage("two"));
  const poll = () => {
    const receiver = new TestReceiver({ maxUnacknowledged: 1 });
    connect(service, subscriptionId, receiver).finish();
    return receiver;
  };
  const first = poll();
  expect(service.messages(subscriptionId).map(({ state }) => state)).toEqual(["unacknowledged", "waiting"]);
  expect(poll().texts).toEqual(["one"]);
  service.acknowledge(first.messages[0]?.messageId ?? "");
  expect(poll().texts).toEqual(["two"]);
});

test("a second connection takes the subscription over from the first", () => {
  const { service } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const [old, young] = [new TestReceiver(), new TestReceiver()];
  const oldConnection = connect(service, subscriptionId, old);
  service.send(pushId, textMessage("one"));
  connect(service, subscriptionId, young);
  expect(old.detachments).toEqual(["taken-over"]);
  expect(young.texts).toEqual(["one"]);
  oldConnection.close();
  service.send(pushId, textMessage("two"));
  expect(young.texts).toEqual(["one", "two"]);
});

test("a connection may listen to many subscriptions and gets their messages by age", () => {
  const { service } = createMachine();
  const [a, b, c] = [subscribed(service), subscribed(service), subscribed(service)];
  service.send(b.pushId, textMessage("b1"));
  service.send(a.pushId, textMessage("a1"));
  service.send(b.pushId, textMessage("b2"));
  service.send(c.pushId, textMessage("c1"));
  const receiver = new TestReceiver();
  const { connection } = expectKind(
    service.connect([a.subscriptionId, b.subscriptionId], receiver),
    "connected",
  );
  expect(receiver.texts).toEqual(["b1", "a1", "b2"]);
  expectKind(connection.attach(c.subscriptionId), "attached");
  expect(receiver.texts).toEqual(["b1", "a1", "b2", "c1"]);
  expectKind(connection.attach("nobody"), "refused");
});

test("a receiver gets no more unacknowledged messages than it can take", () => {
  const { service } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  for (let count = 0; count < 5; count += 1) service.send(pushId, textMessage(`message ${count}`));
  const receiver = new TestReceiver({ maxUnacknowledged: 2 });
  connect(service, subscriptionId, receiver);
  expect(receiver.texts).toHaveLength(2);
  service.acknowledge(receiver.messages[0]?.messageId ?? "");
  expect(receiver.texts).toHaveLength(3);
  service.cancel(receiver.messages[1]?.messageId ?? "");
  expect(receiver.texts).toHaveLength(4);
});

test("a receiver may acknowledge and hang up from inside deliver, however long the queue", () => {
  const { service } = createMachine({ limits: { maxMessagesPerSubscription: 5_000 } });
  const { subscriptionId, pushId } = subscribed(service);
  for (let count = 0; count < 5_000; count += 1) service.send(pushId, textMessage("x"));
  let received = 0;
  const outcome = service.connect([subscriptionId], {
    deliver({ messageId }, connection) {
      received += 1;
      service.acknowledge(messageId);
      if (received === 4_999) connection.close();
    },
  });
  expectKind(outcome, "connected");
  expect(received).toBe(4_999);
  expect(service.messages(subscriptionId)).toHaveLength(1);
});

test("nothing is handed out once its TTL has passed: a batch expires", () => {
  const { service, clock, newEvents } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  for (const ttlSeconds of [1, 5, 5, 9])
    service.send(pushId, textMessage(`lives ${ttlSeconds} s`, { ttlSeconds }));
  newEvents();
  clock.advance(5);
  const receiver = new TestReceiver();
  connect(service, subscriptionId, receiver);
  expect(receiver.texts).toEqual(["lives 9 s"]);
  expect(newEvents()).toEqual(["expired", "expired", "expired", "connected", "delivered"]);
});

test("an expired message that was out does not come again", () => {
  const { service, clock, events } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  service.send(pushId, textMessage("short", { ttlSeconds: 5 }));
  const connection = connect(service, subscriptionId, new TestReceiver());
  clock.advance(6);
  connection.close();
  const receiver = new TestReceiver();
  connect(service, subscriptionId, receiver);
  expect(receiver.texts).toEqual([]);
  expect(events.find(({ type }) => type === "expired")).toMatchObject({ deliveries: 1 });
});

test("whoever got a message in time may acknowledge it half a minute later", () => {
  const { service, clock } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const receiver = new TestReceiver();
  connect(service, subscriptionId, receiver);
  const early = created(service.send(pushId, textMessage("a", { ttlSeconds: 1 }))).messageId;
  const late = created(service.send(pushId, textMessage("b", { ttlSeconds: 0 }))).messageId;
  clock.advance(29);
  expect(service.acknowledge(early).kind).toBe("done");
  clock.advance(1);
  expect(service.acknowledge(late).kind).toBe("refused");
});

test("TTL 0 reaches a connected receiver, and is not kept for one that is not", () => {
  const { service, events } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  created(service.send(pushId, textMessage("lost", { ttlSeconds: 0 })));
  expect(events.at(-1)).toMatchObject({ type: "discarded", why: "nobody-listening" });
  const receiver = new TestReceiver();
  const connection = connect(service, subscriptionId, receiver);
  created(service.send(pushId, textMessage("now", { ttlSeconds: 0 })));
  expect(receiver.texts).toEqual(["now"]);
  connection.close();
  const again = new TestReceiver();
  connect(service, subscriptionId, again);
  expect(again.texts).toEqual([]);
});

test("TTL 0 is lost on a receiver that takes no more, or nothing that little urgent", () => {
  const { service, events } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const receiver = new TestReceiver({ maxUnacknowledged: 1, leastUrgent: "normal" });
  connect(service, subscriptionId, receiver);
  service.send(pushId, textMessage("advert", { ttlSeconds: 0, urgency: "low" }));
  expect(events.at(-1)).toMatchObject({ type: "discarded" });
  service.send(pushId, textMessage("first", { ttlSeconds: 0 }));
  service.send(pushId, textMessage("second", { ttlSeconds: 0 }));
  expect(receiver.texts).toEqual(["first"]);
  expect(events.at(-1)).toMatchObject({ type: "discarded" });
});

test("a TTL beyond the service's own is cut, and the sender told", () => {
  const { service, clock } = createMachine({ limits: { maxTtlSeconds: 10 } });
  const { subscriptionId, pushId } = subscribed(service);
  const long = service.send(pushId, textMessage("long", { ttlSeconds: 2 ** 31 }));
  expect(long).toMatchObject({ kind: "created", ttlSeconds: 10, isTtlShortened: true });
  expect(service.send(pushId, textMessage("fits", { ttlSeconds: 10 }))).toMatchObject({
    isTtlShortened: false,
  });
  clock.advance(10);
  expect(service.messages(subscriptionId)).toEqual([]);
});

test("a topic replaces the waiting message of that topic: new resource, all set anew, the old one gone", () => {
  const { service, events } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const old = created(service.send(pushId, textMessage("1:0", { topic: "score", urgency: "high" })));
  service.send(pushId, textMessage("other", { topic: "weather" }));
  service.send(pushId, textMessage("none"));
  const young = created(service.send(pushId, textMessage("2:0", { topic: "score", ttlSeconds: 600 })));
  expect(young.replacedMessageId).toBe(old.messageId);
  expect(events.find(({ type }) => type === "replaced")).toMatchObject({
    messageId: old.messageId,
    replacedBy: young.messageId,
  });
  expect(service.messages(subscriptionId).at(-1)).toMatchObject({
    messageId: young.messageId,
    urgency: "normal",
  });
  expectKind(service.cancel(old.messageId), "refused");
  const receiver = new TestReceiver();
  connect(service, subscriptionId, receiver);
  expect(receiver.texts).toEqual(["other", "none", "2:0"]);
});

test("a topic has no power over other subscriptions, over expired messages, or over one that is out", () => {
  const { service, clock, events } = createMachine();
  const [a, b] = [subscribed(service), subscribed(service)];
  service.send(a.pushId, textMessage("a", { topic: "t" }));
  service.send(b.pushId, textMessage("b1", { topic: "t", ttlSeconds: 1 }));
  clock.advance(2);
  service.send(b.pushId, textMessage("b2", { topic: "t" }));
  const receiver = new TestReceiver();
  connect(service, b.subscriptionId, receiver);
  service.send(b.pushId, textMessage("b3", { topic: "t" }));
  expect(receiver.texts).toEqual(["b2", "b3"]);
  expect(service.messages(a.subscriptionId)).toHaveLength(1);
  expect(events.filter(({ type }) => type === "replaced")).toEqual([]);
  expect(events.filter(({ type }) => type === "expired")).toHaveLength(1);
});

test("an unacknowledged message does not come back past a newer one of its topic", () => {
  const { service, newEvents } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const connection = connect(service, subscriptionId, new TestReceiver());
  service.send(pushId, textMessage("1:0", { topic: "score" }));
  const newer = created(service.send(pushId, textMessage("2:0", { topic: "score" })));
  service.acknowledge(newer.messageId);
  newEvents();
  connection.close();
  expect(newEvents()).toEqual(["disconnected", "replaced"]);
  expect(service.messages(subscriptionId)).toEqual([]);
});

test("a superseded message that comes back leaves its topic to the newer one", () => {
  const { service } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const connection = connect(service, subscriptionId, new TestReceiver({ maxUnacknowledged: 1 }));
  for (const text of ["1:0", "2:0"]) service.send(pushId, textMessage(text, { topic: "score" }));
  connection.close();
  service.send(pushId, textMessage("3:0", { topic: "score" }));
  const receiver = new TestReceiver();
  connect(service, subscriptionId, receiver);
  expect(receiver.texts).toEqual(["3:0"]);
});

test("what comes back waits in its old place, behind older messages that were not wanted", () => {
  const { service } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  service.send(pushId, textMessage("old advert", { urgency: "low" }));
  service.send(pushId, textMessage("news"));
  connect(service, subscriptionId, new TestReceiver({ leastUrgent: "normal" })).close();
  const receiver = new TestReceiver();
  connect(service, subscriptionId, receiver);
  expect(receiver.texts).toEqual(["old advert", "news"]);
});

test("a receiver gets what is at least as urgent as it asks for, and the rest later", () => {
  const { service } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  for (const urgency of ["very-low", "low", "normal", "high"] as const) {
    service.send(pushId, textMessage(urgency, { urgency }));
  }
  const saving = new TestReceiver({ leastUrgent: "normal" });
  connect(service, subscriptionId, saving);
  expect(saving.texts).toEqual(["normal", "high"]);
  const [first, second] = saving.messages;
  service.acknowledge(first?.messageId ?? "");
  service.acknowledge(second?.messageId ?? "");
  const charging = new TestReceiver();
  connect(service, subscriptionId, charging);
  expect(charging.texts).toEqual(["very-low", "low"]);
});

test("TTL 0 with a topic withdraws what waits, though nobody gets the new one", () => {
  const { service, newEvents } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  service.send(pushId, textMessage("ringing", { topic: "call" }));
  newEvents();
  created(service.send(pushId, textMessage("hung up", { topic: "call", ttlSeconds: 0 })));
  expect(newEvents()).toEqual(["accepted", "replaced", "discarded"]);
  expect(service.messages(subscriptionId)).toEqual([]);
});

test("a sender cancels a waiting message, and one that is out comes no more", () => {
  const { service } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const waiting = created(service.send(pushId, textMessage("a"))).messageId;
  expect(service.acknowledge(waiting)).toEqual({ kind: "not-delivered" });
  expectKind(service.cancel(waiting), "done");
  const connection = connect(service, subscriptionId, new TestReceiver());
  const out = created(service.send(pushId, textMessage("b"))).messageId;
  expectKind(service.cancel(out), "done");
  connection.close();
  const again = new TestReceiver();
  connect(service, subscriptionId, again);
  expect(again.texts).toEqual([]);
});

test("a subscription made with a key takes messages of that key's holder alone", () => {
  const { service, events } = createMachine();
  const { pushId } = expectKind(service.subscribe(alice), "subscribed");
  expect(service.send(pushId, textMessage("hi"))).toMatchObject({ status: 401, code: "vapid-missing" });
  expect(service.send(pushId, textMessage("hi", { sender: mallory }))).toMatchObject({
    status: 403,
    code: "vapid-wrong-key",
  });
  expect(events.at(-1)).toMatchObject({ type: "refused", status: 403 });
  created(service.send(pushId, textMessage("hi", { sender: alice })));
});

test("unsubscribing discards what waits; senders then get 410, the receiver hears of it", () => {
  const { service, newEvents } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const receiver = new TestReceiver({ maxUnacknowledged: 0 });
  connect(service, subscriptionId, receiver);
  service.send(pushId, textMessage("hi"));
  newEvents();
  expectKind(service.unsubscribe(subscriptionId), "done");
  expect(newEvents()).toEqual(["unsubscribed", "discarded", "disconnected"]);
  expect(receiver.detachments).toEqual(["unsubscribed"]);
  expect(service.send(pushId, textMessage("hi"))).toMatchObject({ status: 410 });
  expect(service.unsubscribe(subscriptionId)).toMatchObject({ status: 410 });
  expect(service.connect([subscriptionId], receiver)).toMatchObject({ status: 410 });
});

test("an expired subscription answers 404, as one that never was", () => {
  const { service, clock } = createMachine({ limits: { subscriptionTtlSeconds: 3600 } });
  const first = subscribed(service);
  const second = subscribed(service);
  expectKind(service.expireSubscription(first.subscriptionId), "done");
  expect(service.send(first.pushId, textMessage("hi"))).toMatchObject({
    status: 404,
    code: "subscription-expired",
  });
  created(service.send(second.pushId, textMessage("hi")));
  clock.advance(3600);
  expect(service.send(second.pushId, textMessage("hi"))).toMatchObject({
    status: 404,
    code: "subscription-expired",
  });
  expect(service.send("nobody", textMessage("hi"))).toMatchObject({
    status: 404,
    code: "no-such-subscription",
  });
});

test("a body of 4096 bytes is always taken, whatever limit is asked for; above the limit 413", () => {
  const strict = createMachine({ limits: { maxBodyBytes: 100 } }).service;
  const { pushId } = subscribed(strict);
  created(strict.send(pushId, textMessage("x".repeat(4096))));
  expect(strict.send(pushId, textMessage("x".repeat(4097)))).toMatchObject({ status: 413 });
  const generous = createMachine({ limits: { maxBodyBytes: 5000 } }).service;
  const other = subscribed(generous);
  created(generous.send(other.pushId, textMessage("x".repeat(5000))));
  expect(generous.send(other.pushId, textMessage("x".repeat(5001)))).toMatchObject({ status: 413 });
});

test("too many messages or subscriptions get 429 and a time to come back", () => {
  const { service } = createMachine({ limits: { maxMessagesPerSubscription: 2, maxSubscriptions: 1 } });
  const { pushId } = subscribed(service);
  expect(service.subscribe()).toMatchObject({ status: 429, retryAfterSeconds: 60 });
  service.send(pushId, textMessage("one", { topic: "t" }));
  service.send(pushId, textMessage("two"));
  expect(service.send(pushId, textMessage("three"))).toMatchObject({ status: 429, retryAfterSeconds: 60 });
  created(service.send(pushId, textMessage("in place of one", { topic: "t" })));
});

test("receipts say 204 acknowledged, 410 given up, 404 subscription expired, and nothing of a replaced message", () => {
  const { service, clock } = createMachine();
  const { subscriptionId, pushId } = subscribed(service);
  const sent = created(service.send(pushId, textMessage("a", { receipt: "new" })));
  const receiptSubscriptionId = sent.receiptSubscriptionId ?? "";
  const receipt = { receiptSubscriptionId };
  const send = (text: string, fields: object) =>
    created(service.send(pushId, textMessage(text, { receipt, ...fields }))).messageId;
  const expiring = send("b", { ttlSeconds: 1 });
  send("c", { topic: "t" });
  const replacing = send("d", { topic: "t" });
  const cancelled = send("e", {});
  const lost = send("f", { ttlSeconds: 0 });
  const receiver = new TestReceiver({ maxUnacknowledged: 1 });
  connect(service, subscriptionId, receiver).finish();
  service.acknowledge(sent.messageId);
  service.cancel(cancelled);
  clock.advance(2);
  service.expireSubscription(subscriptionId);
  const take = () => service.takeReceipt(receiptSubscriptionId);
  expect([take(), take(), take(), take(), take()]).toEqual([
    { messageId: lost, status: 410 },
    { messageId: sent.messageId, status: 204 },
    { messageId: expiring, status: 410 },
    { messageId: replacing, status: 404 },
    undefined,
  ]);
});

test("a sender that never reuses its receipt subscription gets 429 in the end", () => {
  const { service } = createMachine({ limits: { maxReceiptSubscriptions: 1 } });
  const { pushId } = subscribed(service);
  const { receiptSubscriptionId = "" } = created(service.send(pushId, textMessage("a", { receipt: "new" })));
  const again = service.send(pushId, textMessage("b", { receipt: "new" }));
  expect(again).toMatchObject({ status: 429, code: "too-many-receipt-subscriptions" });
  created(service.send(pushId, textMessage("b", { receipt: { receiptSubscriptionId } })));
});

test("a receipt subscription that does not exist is refused, and can be waited for and closed when it does", () => {
  const { service } = createMachine();
  const { pushId } = subscribed(service);
  const unknown = textMessage("a", { receipt: { receiptSubscriptionId: "nobody" } });
  expect(service.send(pushId, unknown)).toMatchObject({ status: 400, code: "receipt-subscription-invalid" });
  expect(service.takeReceipt("nobody")).toMatchObject({ kind: "refused", status: 404 });
  const { receiptSubscriptionId = "" } = created(service.send(pushId, textMessage("a", { receipt: "new" })));
  const heard: string[] = [];
  service.awaitReceipt(receiptSubscriptionId, () => heard.push("first"));
  service.awaitReceipt(receiptSubscriptionId, () => heard.push("second"));
  expect(heard).toEqual(["first"]);
  service.send(pushId, textMessage("lost", { ttlSeconds: 0, receipt: { receiptSubscriptionId } }));
  expect(heard).toEqual(["first", "second"]);
  expect(service.closeReceipts(receiptSubscriptionId)).toEqual({ kind: "closed" });
  expect(service.closeReceipts(receiptSubscriptionId)).toMatchObject({ status: 404 });
});
