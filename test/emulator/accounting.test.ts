/** Random histories of a push service: whatever happens, the books balance. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AcceptedEvent, PushServiceEvent } from "../../src/emulator/events.ts";
import type { ReceiverConnection } from "../../src/emulator/exchange.ts";
import { PushService } from "../../src/emulator/push-service.ts";
import { parseSnapshot } from "../../src/emulator/snapshot.ts";
import { countingRandom, createMachine, textMessage } from "./machine.ts";
import type { Machine } from "./machine.ts";

const urgency = fc.constantFrom("very-low" as const, "low" as const, "normal" as const, "high" as const);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      to: fc.nat(2),
      ttlSeconds: fc.constantFrom(0, 1, 3, 10),
      topic: fc.constantFrom(undefined, "a", "b"),
      urgency,
      wantsReceipt: fc.boolean(),
    }),
  },
  fc.record({
    do: fc.constant("connect" as const),
    to: fc.nat(2),
    leastUrgent: urgency,
    maxUnacknowledged: fc.integer({ min: 0, max: 3 }),
    acknowledgesAtOnce: fc.boolean(),
  }),
  fc.record({ do: fc.constant("hang up" as const), to: fc.nat(2), how: fc.constantFrom("close", "finish") }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant("acknowledge" as const), message: fc.nat(40) }) },
  fc.record({ do: fc.constant("cancel" as const), message: fc.nat(40) }),
  fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ do: fc.constant("unsubscribe" as const), to: fc.nat(2) }),
  fc.record({ do: fc.constant("expire" as const), to: fc.nat(2) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

interface Play extends Machine {
  readonly subscriptions: { subscriptionId: string; pushId: string }[];
  readonly connections: Map<number, ReceiverConnection>;
  readonly messageIds: string[];
}

function start(): Play {
  const machine = createMachine();
  const play: Play = { ...machine, subscriptions: [], connections: new Map(), messageIds: [] };
  for (let count = 0; count < 3; count += 1) subscribe(play, count);
  return play;
}

function subscribe(play: Play, place: number): void {
  const subscription = play.service.subscribe();
  if (subscription.kind === "subscribed") play.subscriptions[place] = subscription;
}

function take(play: Play, step: Step): void {
  const { service } = play;
  switch (step.do) {
    case "send": {
      const { ttlSeconds, topic, urgency } = step;
      const receipt = step.wantsReceipt ? "new" : "none";
      const message = textMessage("x", { ttlSeconds, topic, urgency, receipt });
      const outcome = service.send(play.subscriptions[step.to]?.pushId ?? "", message);
      if (outcome.kind === "created") play.messageIds.push(outcome.messageId);
      return;
    }
    case "connect": {
      const { leastUrgent, maxUnacknowledged, acknowledgesAtOnce } = step;
      const deliver = ({ messageId }: { messageId: string }) => {
        if (acknowledgesAtOnce) service.acknowledge(messageId);
      };
      const receiver = { leastUrgent, maxUnacknowledged, deliver };
      const outcome = service.connect([play.subscriptions[step.to]?.subscriptionId ?? ""], receiver);
      if (outcome.kind === "connected") play.connections.set(step.to, outcome.connection);
      return;
    }
    case "hang up":
      if (step.how === "close") play.connections.get(step.to)?.close();
      else play.connections.get(step.to)?.finish();
      return;
    case "acknowledge":
      service.acknowledge(play.messageIds[step.message] ?? "");
      return;
    case "cancel":
      service.cancel(play.messageIds[step.message] ?? "");
      return;
    case "wait":
      play.clock.advance(step.seconds);
      return;
    case "unsubscribe":
      service.unsubscribe(play.subscriptions[step.to]?.subscriptionId ?? "");
      subscribe(play, step.to);
      return;
    case "expire":
      service.expireSubscription(play.subscriptions[step.to]?.subscriptionId ?? "");
      subscribe(play, step.to);
      return;
  }
}

const endTypes = new Set(["acknowledged", "replaced", "expired", "cancelled", "discarded"]);

/** Every message was accepted once, handed out only in time and before its end, and ended at most once. */
function checkStories(events: readonly PushServiceEvent[]): Map<string, AcceptedEvent> {
  const live = new Map<string, AcceptedEvent>();
  const delivered = new Set<string>();
  for (const event of events) {
    if (event.type === "accepted") {
      expect(live.has(event.messageId)).toBe(false);
      live.set(event.messageId, event);
    } else if (event.type === "delivered") {
      const accepted = live.get(event.messageId);
      expect(accepted).toBeDefined();
      const deadline = (accepted?.at ?? 0) + (accepted?.ttlSeconds ?? 0) * 1000;
      expect(event.at < deadline || event.at === accepted?.at).toBe(true);
      delivered.add(event.messageId);
    } else if (event.type === "acknowledged") {
      expect(delivered.has(event.messageId)).toBe(true);
    }
    if ("messageId" in event && endTypes.has(event.type)) expect(live.delete(event.messageId)).toBe(true);
  }
  return live;
}

/** What is live by the books is what the service holds, with one waiting message per topic at most. */
function checkQueues({ service, subscriptions, events }: Play): void {
  service.expireDue();
  const live = checkStories(events);
  const held = subscriptions.flatMap(({ subscriptionId }) => service.messages(subscriptionId));
  expect(held.map(({ messageId }) => messageId).sort()).toEqual([...live.keys()].sort());
  for (const { subscriptionId } of subscriptions) {
    const waiting = service.messages(subscriptionId).filter(({ state }) => state === "waiting");
    const topics = waiting.flatMap(({ topic }) => topic ?? []);
    expect(new Set(topics).size).toBe(topics.length);
  }
}

/** Each message with a receipt asked for has one when it ended, unless it was replaced or cancelled. */
function checkReceipts(events: readonly PushServiceEvent[]): void {
  const expected = new Set<string>();
  const asked = new Set<string>();
  for (const event of events) {
    if (event.type === "accepted" && event.receiptSubscriptionId !== undefined) asked.add(event.messageId);
    const isReported =
      event.type === "acknowledged" || event.type === "expired" || event.type === "discarded";
    if (isReported && asked.has(event.messageId)) expected.add(event.messageId);
    if (event.type === "receipt") expect(expected.delete(event.messageId)).toBe(true);
  }
  expect(expected.size).toBe(0);
}

test("accepted = acknowledged + expired + replaced + cancelled + discarded + waiting + unacknowledged, always", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const play = start();
      for (const step of steps) {
        take(play, step);
        checkQueues(play);
      }
      checkReceipts(play.events);
    }),
    { numRuns: 300 },
  );
});

test("a service restored from its snapshot holds what the old one held, and expires it at the same time", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const play = start();
      for (const step of steps) take(play, step);
      for (const connection of play.connections.values()) connection.close();
      const state = parseSnapshot(JSON.parse(JSON.stringify(play.service.snapshot())));
      const restored = new PushService({ clock: play.clock, random: countingRandom(), state });
      const messagesOf = (service: PushService) =>
        play.subscriptions.map(({ subscriptionId }) => service.messages(subscriptionId).filter(isWaiting));
      // What a finished poll never acknowledged is still out in the old one; the new one has taken it back.
      for (const { subscriptionId } of play.subscriptions) {
        play.service.connect([subscriptionId], { maxUnacknowledged: 0, deliver: () => undefined });
      }
      expect(restored.snapshot().subscriptions).toEqual(play.service.snapshot().subscriptions);
      expect(restored.snapshot().receipts).toEqual(play.service.snapshot().receipts);
      expect(messagesOf(restored)).toEqual(messagesOf(play.service));
      play.clock.advance(2);
      expect(messagesOf(restored)).toEqual(messagesOf(play.service));
    }),
    { numRuns: 100 },
  );
});

function isWaiting({ state }: { state: string }): boolean {
  return state === "waiting";
}
