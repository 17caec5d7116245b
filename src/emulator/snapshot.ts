/**
 * The state of a push service as plain JSON, so that subscriptions and waiting messages survive a restart.
 *
 * Receivers are not part of it: after a restart nobody is connected, and what was
 * out with a receiver waits again. A snapshot holds capability URLs, so whoever
 * writes it to disk keeps the file to its owner (mode 0600).
 */
import { formatBase64url, parseBase64 } from "../base/bytes.ts";
import { UserError } from "../base/errors.ts";
import { urgencies } from "../protocol/message.ts";
import type { Urgency } from "../protocol/message.ts";
import { parseVapidPublicKey } from "../protocol/vapid.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { Delivery } from "./delivery.ts";
import type { ReceiptStatus } from "./events.ts";
import type { QueuedMessage } from "./message-queue.ts";
import { personalityIds, type PersonalityId } from "./personalities.ts";
import type { Receipts } from "./receipts.ts";
import type {
  EndedSubscription,
  LiveSubscription,
  Owner,
  SubscriptionRecord,
  Subscriptions,
} from "./subscriptions.ts";

interface SubscriptionSnapshot {
  readonly id: string;
  readonly pushId: string;
  readonly applicationServerKey: VapidPublicKey | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** With `channelId`: whose it is; both absent in what earlier versions wrote. */
  readonly userAgentId?: string | null;
  readonly channelId?: string | null;
  /** The owner's name for itself, if it is a Chromium. */
  readonly app?: string | null;
  /** Absent in what earlier versions wrote, which knew the doors' own alone. */
  readonly personality?: PersonalityId | undefined;
}
interface MessageSnapshot {
  readonly id: string;
  readonly subscriptionId: string;
  readonly acceptedAt: number;
  readonly expiresAt: number;
  readonly ttlSeconds: number;
  readonly urgency: Urgency;
  readonly topic: string | null;
  readonly contentEncoding: string | null;
  readonly encryption: string | null;
  readonly cryptoKey: string | null;
  /** Base64url. */
  readonly body: string;
  readonly receiptSubscriptionId: string | null;
  readonly deliveries: number;
  readonly supersededBy: string | null;
}
interface ReceiptsSnapshot {
  readonly id: string;
  readonly unread: readonly { readonly messageId: string; readonly status: ReceiptStatus }[];
}

/** Everything a push service must remember. */
export interface PushServiceSnapshot {
  readonly version: 1;
  readonly subscriptions: readonly SubscriptionSnapshot[];
  readonly ended: readonly EndedSubscription[];
  /** In the order of their acceptance. */
  readonly messages: readonly MessageSnapshot[];
  readonly receipts: readonly ReceiptsSnapshot[];
}

/** The snapshot of a service's subscriptions, their messages and the unread receipts. */
export function snapshotOf(subscriptions: Subscriptions, receipts: Receipts): PushServiceSnapshot {
  const live = subscriptions.live();
  const messages = live.flatMap(({ queue }) => queue.messages()).sort((a, b) => a.sequence - b.sequence);
  return {
    version: 1,
    subscriptions: live.map(({ id, pushId, applicationServerKey, createdAt, expiresAt, ...record }) => {
      const { owner, personality } = record;
      return {
        id,
        pushId,
        applicationServerKey: applicationServerKey ?? null,
        createdAt,
        expiresAt: expiresAt ?? null,
        userAgentId: owner?.userAgentId ?? null,
        channelId: owner?.channelId ?? null,
        app: owner?.app ?? null,
        personality,
      };
    }),
    ended: subscriptions.ended(),
    messages: messages.map(messageSnapshotOf),
    receipts: receipts.entries(),
  };
}

/** Fills an empty service from a snapshot and returns the sequence number to go on with. */
export function restoreInto(
  subscriptions: Subscriptions,
  delivery: Delivery,
  state: PushServiceSnapshot,
): number {
  for (const ended of state.ended) subscriptions.remember(ended);
  for (const { id, unread } of state.receipts) delivery.receipts.open(id, unread);
  const byId = new Map<string, LiveSubscription>();
  for (const snapshot of state.subscriptions) byId.set(snapshot.id, subscriptions.add(recordOf(snapshot)));
  for (const [sequence, snapshot] of state.messages.entries()) {
    const subscription = byId.get(snapshot.subscriptionId);
    if (subscription === undefined) continue;
    const message = messageOf(snapshot, subscription, sequence);
    delivery.enqueue(message);
    const { topic, supersededBy: replacedBy } = snapshot;
    if (replacedBy !== null) delivery.end(message, { type: "replaced", topic: topic ?? "", replacedBy });
  }
  return state.messages.length;
}

function recordOf({ id, pushId, createdAt, ...record }: SubscriptionSnapshot): SubscriptionRecord {
  const owner = ownerOf(record);
  return {
    id,
    pushId,
    createdAt,
    applicationServerKey: record.applicationServerKey ?? undefined,
    expiresAt: record.expiresAt ?? undefined,
    owner,
    personality: record.personality ?? (owner === undefined ? "strict" : "mozilla"),
  };
}

function ownerOf({
  userAgentId,
  channelId,
  app,
}: Pick<SubscriptionSnapshot, "userAgentId" | "channelId" | "app">): Owner | undefined {
  if (typeof userAgentId !== "string" || typeof channelId !== "string") return undefined;
  return { userAgentId, channelId, ...(typeof app === "string" && { app }) };
}

function messageSnapshotOf(message: QueuedMessage): MessageSnapshot {
  const { id, subscription, acceptedAt, expiresAt, ttlSeconds, urgency, headers, deliveries } = message;
  return {
    id,
    subscriptionId: subscription.id,
    acceptedAt,
    expiresAt,
    ttlSeconds,
    urgency,
    topic: message.topic ?? null,
    contentEncoding: headers.contentEncoding ?? null,
    encryption: headers.encryption ?? null,
    cryptoKey: headers.cryptoKey ?? null,
    body: formatBase64url(message.body),
    receiptSubscriptionId: message.receiptSubscriptionId ?? null,
    deliveries,
    supersededBy: message.supersededBy ?? null,
  };
}

function messageOf(
  snapshot: MessageSnapshot,
  subscription: LiveSubscription,
  sequence: number,
): QueuedMessage {
  const { id, acceptedAt, expiresAt, ttlSeconds, urgency, deliveries } = snapshot;
  return {
    id,
    subscription,
    sequence,
    acceptedAt,
    expiresAt,
    ttlSeconds,
    urgency,
    topic: snapshot.topic ?? undefined,
    headers: {
      contentEncoding: snapshot.contentEncoding ?? undefined,
      encryption: snapshot.encryption ?? undefined,
      cryptoKey: snapshot.cryptoKey ?? undefined,
    },
    body: parseBase64(snapshot.body) ?? new Uint8Array(),
    receiptSubscriptionId: snapshot.receiptSubscriptionId ?? undefined,
    deliveries,
    supersededBy: snapshot.supersededBy ?? undefined,
  };
}

/**
 * Reads a snapshot that comes from outside, such as a file.
 *
 * @throws UserError `emulator-state` when it is not one.
 */
export function parseSnapshot(value: unknown): PushServiceSnapshot {
  const root = new Fields(value, "the state");
  if (root.number("version") !== 1) throw malformed("the version is not 1");
  return {
    version: 1,
    subscriptions: root.list("subscriptions", readSubscription),
    ended: root.list("ended", (ended) => ({
      id: ended.string("id"),
      pushId: ended.string("pushId"),
      why: ended.oneOf("why", ["unsubscribed", "subscription-expired"] as const),
      endedAt: ended.optional("endedAt", () => ended.number("endedAt")),
      personality: ended.optional("personality", () => ended.oneOf("personality", personalityIds)),
    })),
    messages: root.list("messages", readMessage),
    receipts: root.list("receipts", (receipts) => ({
      id: receipts.string("id"),
      unread: receipts.list("unread", (receipt) => ({
        messageId: receipt.string("messageId"),
        status: receipt.oneOf("status", [204, 404, 410] as const),
      })),
    })),
  };
}

function readSubscription(fields: Fields): SubscriptionSnapshot {
  const key = fields.stringOrNull("applicationServerKey");
  return {
    id: fields.string("id"),
    pushId: fields.string("pushId"),
    applicationServerKey: key === null ? null : parseVapidPublicKey(key),
    createdAt: fields.number("createdAt"),
    expiresAt: fields.numberOrNull("expiresAt"),
    userAgentId: fields.optionalString("userAgentId"),
    channelId: fields.optionalString("channelId"),
    app: fields.optionalString("app"),
    personality: fields.optional("personality", () => fields.oneOf("personality", personalityIds)),
  };
}

function readMessage(fields: Fields): MessageSnapshot {
  return {
    id: fields.string("id"),
    subscriptionId: fields.string("subscriptionId"),
    acceptedAt: fields.number("acceptedAt"),
    expiresAt: fields.number("expiresAt"),
    ttlSeconds: fields.number("ttlSeconds"),
    urgency: fields.oneOf("urgency", urgencies),
    topic: fields.stringOrNull("topic"),
    contentEncoding: fields.stringOrNull("contentEncoding"),
    encryption: fields.stringOrNull("encryption"),
    cryptoKey: fields.stringOrNull("cryptoKey"),
    body: fields.base64("body"),
    receiptSubscriptionId: fields.stringOrNull("receiptSubscriptionId"),
    deliveries: fields.number("deliveries"),
    supersededBy: fields.stringOrNull("supersededBy"),
  };
}

/** The last moment a Date can hold; all else that is counted is less. */
const largestNumber = 8.64e15;

/** The fields of one JSON object, each read with the type it must have. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw malformed(`${where} is not an object`);
    }
    this.#fields = new Map(Object.entries(value));
    this.#where = where;
  }

  string(name: string): string {
    const value = this.#fields.get(name);
    return typeof value === "string" ? value : this.#refuse(name, "a string");
  }

  stringOrNull(name: string): string | null {
    return this.#fields.get(name) === null ? null : this.string(name);
  }

  optional<Value>(name: string, read: () => Value): Value | undefined {
    return this.#fields.get(name) === undefined ? undefined : read();
  }

  optionalString(name: string): string | null {
    return this.#fields.get(name) === undefined ? null : this.stringOrNull(name);
  }

  number(name: string): number {
    const value = this.#fields.get(name);
    const isFit = typeof value === "number" && value >= 0 && value <= largestNumber;
    return isFit ? value : this.#refuse(name, `a number from 0 to ${largestNumber}`);
  }

  numberOrNull(name: string): number | null {
    return this.#fields.get(name) === null ? null : this.number(name);
  }

  base64(name: string): string {
    const value = this.string(name);
    return parseBase64(value) === undefined ? this.#refuse(name, "base64url") : value;
  }

  oneOf<Value extends string | number>(name: string, values: readonly Value[]): Value {
    const value = this.#fields.get(name);
    return values.find((known) => known === value) ?? this.#refuse(name, `one of ${values.join(", ")}`);
  }

  list<Item>(name: string, read: (fields: Fields) => Item): Item[] {
    const value = this.#fields.get(name);
    if (!Array.isArray(value)) return this.#refuse(name, "a list");
    return value.map((item, index) => read(new Fields(item, `${this.#where}.${name}[${index}]`)));
  }

  #refuse(name: string, wanted: string): never {
    throw malformed(`${this.#where}.${name} is not ${wanted}`);
  }
}

function malformed(what: string): UserError {
  return new UserError("emulator-state", `the saved state of the push service cannot be read: ${what}`, {
    hints: ["delete it to start afresh; browsers and receivers then have to subscribe again"],
  });
}
