/** A push service under a clock that stands still, with what a test needs to talk to it. */
import { createHash } from "node:crypto";
import type { Random } from "../../src/base/clock.ts";
import type { PushServiceEvent } from "../../src/emulator/events.ts";
import type {
  Created,
  PushedMessage,
  PushInput,
  Receiver,
  ReceiverConnection,
} from "../../src/emulator/exchange.ts";
import { PushService } from "../../src/emulator/push-service.ts";
import type { PushServiceOptions } from "../../src/emulator/push-service.ts";
import type { Refusal } from "../../src/emulator/refusals.ts";

/** A clock that moves only when told. */
export class TestClock {
  #now = Date.UTC(2026, 10, 24, 12);

  now(): number {
    return this.#now;
  }

  advance(seconds: number): void {
    this.#now += seconds * 1000;
  }
}

/** Random bytes that are the same in every run. */
export function countingRandom(): Random {
  let count = 0;
  return {
    bytes(length) {
      const parts: Buffer[] = [];
      while (parts.length * 32 < length)
        parts.push(createHash("sha256").update(`random ${count++}`).digest());
      return new Uint8Array(Buffer.concat(parts).subarray(0, length));
    },
  };
}

export interface Machine {
  readonly service: PushService;
  readonly clock: TestClock;
  readonly events: PushServiceEvent[];
  /** The types of the events since the last call. */
  readonly newEvents: () => PushServiceEvent["type"][];
}

export function createMachine(options: Partial<Omit<PushServiceOptions, "onEvent">> = {}): Machine {
  const clock = new TestClock();
  const events: PushServiceEvent[] = [];
  let seen = 0;
  const onEvent = (event: PushServiceEvent) => void events.push(event);
  const service = new PushService({ clock, random: countingRandom(), ...options, onEvent });
  const newEvents = () => {
    const types = events.slice(seen).map(({ type }) => type);
    seen = events.length;
    return types;
  };
  return { service, clock, events, newEvents };
}

/** A message with a TTL of a minute and text for a body. */
export function textMessage(text: string, fields: Partial<PushInput> = {}): PushInput {
  return {
    ttlSeconds: 60,
    urgency: "normal",
    topic: undefined,
    headers: { contentEncoding: "aes128gcm", encryption: undefined, cryptoKey: undefined },
    requestHeaders: {},
    body: Buffer.from(text),
    sender: undefined,
    receipt: "none",
    ...fields,
  };
}

/** A receiver that keeps what it gets. */
export class TestReceiver implements Receiver {
  readonly messages: PushedMessage[] = [];
  readonly detachments: string[] = [];

  constructor(options: Pick<Receiver, "leastUrgent" | "maxUnacknowledged"> = {}) {
    Object.assign(this, options);
  }

  deliver(message: PushedMessage): void {
    this.messages.push(message);
  }

  detached(_subscriptionId: string, why: string): void {
    this.detachments.push(why);
  }

  get texts(): string[] {
    return this.messages.map(({ body }) => Buffer.from(body).toString());
  }
}

/** The outcome, which the test knows to be of `kind`. */
export function expectKind<Outcome extends { kind: string }, Kind extends Outcome["kind"]>(
  outcome: Outcome,
  kind: Kind,
): Extract<Outcome, { kind: Kind }> {
  if (outcome.kind !== kind) throw new Error(`expected ${kind}, got ${JSON.stringify(outcome)}`);
  return outcome as Extract<Outcome, { kind: Kind }>;
}

export function subscribed(service: PushService): { subscriptionId: string; pushId: string } {
  return expectKind(service.subscribe(), "subscribed");
}

export function created(outcome: Created | Refusal): Created {
  return expectKind(outcome, "created");
}

export function connect(
  service: PushService,
  subscriptionId: string,
  receiver: Receiver,
): ReceiverConnection {
  return expectKind(service.connect([subscriptionId], receiver), "connected").connection;
}
