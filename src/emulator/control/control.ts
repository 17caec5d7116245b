/**
 * What can be asked of a running emulator from outside: by the JSON API, and by the library in the same process.
 *
 * It adds nothing to the push service's rules. Whatever changes the service goes through the state
 * machine; whatever is read comes out of the logs.
 */
import type { Random } from "../../base/clock.ts";
import { UserError } from "../../base/errors.ts";
import type { ReceiverKeys } from "../../protocol/decryption.ts";
import type { PushSubscriptionJson } from "../../protocol/subscription.ts";
import type { VapidPublicKey } from "../../protocol/vapid.ts";
import type { AdjustableClock } from "../adjustable-clock.ts";
import type { EventLog } from "../event-log.ts";
import type { Fault } from "../faults/fault.ts";
import type { FaultRecord, FaultRules } from "../faults/rules.ts";
import type { LoggedMessage, MessageFilter, MessageLog, Waited, WaitOptions } from "../message-log.ts";
import { claimsOf, textOf, type MessageRecordOf } from "../message-record.ts";
import { endpointOf, vendorOriginOf, type PersonalityId } from "../personalities.ts";
import { pushIdIn } from "../push-id.ts";
import type { PushService } from "../push-service.ts";
import { UserAgents, type Opened } from "../user-agents.ts";
import type { SubscriptionView } from "../views.ts";

/** How senders shall reach a subscription: over HTTP, over HTTPS, or at the vendor's own host, which takes a proxy. */
export const endpointKinds = ["http", "https", "vendor"] as const;
export type EndpointKind = (typeof endpointKinds)[number];

export interface NewSubscription {
  readonly applicationServerKey?: VapidPublicKey | undefined;
  /** Whose push service it behaves as; by default as the emulator was told, or strict. */
  readonly personality?: PersonalityId | undefined;
  readonly endpoint?: EndpointKind | undefined;
  /** Whether its user agent is there; true by default. */
  readonly online?: boolean | undefined;
}

/** A subscription as it is shown. */
export interface SubscriptionRecord {
  /** Last part of its endpoint. */
  readonly id: string;
  readonly endpoint: string;
  /** Whose push service it behaves as. */
  readonly as: string;
  readonly applicationServerKey: string | null;
  /** ISO 8601, as is `expiresAt`. */
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** Messages not yet handed out, and those handed out but not acknowledged. */
  readonly waiting: number;
  readonly unacknowledged: number;
  /** Whether a receiver is connected. */
  readonly connected: boolean;
  /** Whether messages to it can be decrypted here. */
  readonly readable: boolean;
  /** Whether its user agent, when it is one of the emulator's own, is online; null for a real one. */
  readonly online: boolean | null;
}

/** Where the emulator listens; without HTTPS when its door has none. */
export interface Origins {
  readonly http: string;
  readonly https: string | undefined;
}

export interface ControlOptions {
  readonly service: PushService;
  readonly clock: AdjustableClock;
  readonly random: Random;
  readonly messages: MessageLog;
  readonly events: EventLog;
  readonly faults: FaultRules;
}

export class Control {
  readonly clock: AdjustableClock;
  readonly events: EventLog;
  readonly #service: PushService;
  readonly #messages: MessageLog;
  readonly #agents: UserAgents;
  readonly #faults: FaultRules;
  #origins: Origins = { http: "", https: undefined };

  constructor({ service, clock, random, messages, events, faults }: ControlOptions) {
    this.clock = clock;
    this.events = events;
    this.#service = service;
    this.#messages = messages;
    this.#faults = faults;
    this.#agents = new UserAgents(service, random);
  }

  /** Says where the service is, once that is known. */
  place(origins: Origins): void {
    this.#origins = origins;
  }

  /**
   * Makes a subscription whose user agent is the emulator.
   *
   * @throws UserError `emulator-full`, `emulator-endpoint`
   */
  subscribe(wanted: NewSubscription): PushSubscriptionJson {
    const { applicationServerKey, online = true, endpoint = "http" } = wanted;
    const personality = wanted.personality ?? this.#service.personalityAt("strict");
    const origin = this.#originOf(endpoint, personality);
    const outcome = this.#service.subscribe(applicationServerKey, undefined, personality);
    if (outcome.kind === "refused") {
      throw new UserError("emulator-full", outcome.reason, { hints: ["reset the emulator between tests"] });
    }
    const keys = this.#agents.adopt(outcome);
    if (online) this.#agents.goOnline(outcome.pushId);
    return {
      endpoint: endpointOf({ pushId: outcome.pushId, applicationServerKey, personality }, origin),
      expirationTime: outcome.expiresAt ?? null,
      keys: { p256dh: keys.publicKey, auth: keys.auth.reveal() },
      ...(applicationServerKey === undefined ? {} : { applicationServerKey }),
    };
  }

  subscriptions(): readonly SubscriptionRecord[] {
    return this.#service.subscriptions().map((view) => this.#recordOf(view));
  }

  /**
   * One subscription by its endpoint, or the last part of it.
   *
   * @throws UserError `emulator-subscription` when there is none, as for all that take a subscription
   */
  subscription(name: string): SubscriptionRecord {
    return this.#recordOf(this.#find(name));
  }

  /** The user agent unsubscribes: senders get 410 from now on. */
  unsubscribe(name: string): void {
    this.#service.unsubscribe(this.#find(name).subscriptionId);
  }

  /** The service ends it by itself: senders get 404 from now on. */
  expire(name: string): void {
    this.#service.expireSubscription(this.#find(name).subscriptionId);
  }

  /**
   * Switches a user agent of the emulator's own on or off.
   *
   * @throws UserError `emulator-subscription`
   */
  setOnline(name: string, online: boolean): void {
    const { pushId, isConnected } = this.#find(name);
    if (!this.#agents.isOurs(pushId))
      throw new UserError(
        "emulator-subscription",
        "this subscription's user agent is not one of the emulator's",
        {
          hints: ["connect or disconnect the real one"],
        },
      );
    if (online === isConnected) return;
    if (online) this.#agents.goOnline(pushId);
    else this.#agents.goOffline(pushId);
  }

  /** Tells the keys of a subscription whose user agent is somewhere else, to read its messages with. */
  tellKeys(name: string, keys: ReceiverKeys): void {
    this.#agents.tellKeys(this.#find(name).pushId, keys);
  }

  messages(filter: MessageFilter = {}): readonly MessageRecordOf<Uint8Array>[] {
    this.#service.expireDue();
    return this.#messages.list(filter).map((entry) => this.#messageRecordOf(entry));
  }

  message(id: string): MessageRecordOf<Uint8Array> | undefined {
    this.#service.expireDue();
    const entry = this.#messages.find(id);
    return entry && this.#messageRecordOf(entry);
  }

  /** Waits until so many messages match, those of before included. */
  async wait(
    options: WaitOptions,
  ): Promise<{ readonly kind: Waited["kind"]; readonly messages: readonly MessageRecordOf<Uint8Array>[] }> {
    const { kind, messages } = await this.#messages.wait(options);
    return { kind, messages: messages.map((entry) => this.#messageRecordOf(entry)) };
  }

  /** Forgets the log of messages; subscriptions and waiting messages stay. */
  clearMessages(): void {
    this.#messages.clear();
  }

  /** Adds a rule for what goes wrong. */
  addFault(fault: Fault): FaultRecord {
    return this.#faults.add(fault);
  }

  faults(): readonly FaultRecord[] {
    return this.#faults.list();
  }

  /** Whether there was such a rule. */
  removeFault(id: string): boolean {
    return this.#faults.remove(id);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** Forgets everything but the events, and sets the clock right. */
  reset(): void {
    this.#faults.clear();
    this.clock.reset();
    this.#service.reset();
    this.#agents.clear();
    this.#messages.clear();
  }

  #find(name: string): SubscriptionView {
    const view = this.#service.peekPushId(pushIdIn(name));
    if (view.kind === "subscription") return view;
    throw new UserError("emulator-subscription", view.reason, {
      hints: ["name a live subscription by its endpoint, or the last part of it"],
    });
  }

  #originOf(endpoint: EndpointKind, personality: PersonalityId): string {
    const { http, https } = this.#origins;
    switch (endpoint) {
      case "http":
        return http;
      case "https":
        if (https !== undefined) return https;
        throw new UserError("emulator-endpoint", "the emulator does not listen over HTTPS");
      case "vendor": {
        const origin = vendorOriginOf(personality);
        if (origin !== undefined) return origin;
        throw new UserError(
          "emulator-endpoint",
          `${personality} is no vendor's push service, so it has no host`,
          {
            hints: ["name a vendor too, such as fcm, or leave `endpoint` out"],
          },
        );
      }
      default:
        return endpoint satisfies never;
    }
  }

  #recordOf(view: SubscriptionView): SubscriptionRecord {
    const { pushId, applicationServerKey, createdAt, expiresAt, waiting, unacknowledged } = view;
    return {
      id: pushId,
      endpoint: endpointOf(view, this.#origins.http),
      as: view.personality,
      applicationServerKey: applicationServerKey ?? null,
      createdAt: new Date(createdAt).toISOString(),
      expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
      waiting,
      unacknowledged,
      connected: view.isConnected,
      readable: this.#agents.keysOf(pushId) !== undefined,
      online: this.#agents.isOurs(pushId) ? view.isConnected : null,
    };
  }

  #messageRecordOf(entry: LoggedMessage): MessageRecordOf<Uint8Array> {
    const { accepted, outcome, deliveries, endedAt } = entry;
    const { pushId, requestHeaders, body } = accepted;
    const opened = this.#open(entry);
    const payload = opened.kind === "opened" ? opened.payload : null;
    return {
      id: accepted.messageId,
      subscription: pushId,
      acceptedAt: new Date(accepted.at).toISOString(),
      ttlSeconds: accepted.requestedTtlSeconds,
      grantedTtlSeconds: accepted.ttlSeconds,
      urgency: accepted.urgency,
      topic: accepted.topic ?? null,
      sender: accepted.sender ?? null,
      claims: claimsOf(requestHeaders["authorization"]) ?? null,
      headers: requestHeaders,
      contentEncoding: accepted.contentEncoding ?? null,
      body,
      payload,
      text: payload === null ? null : textOf(payload),
      sealed: opened.kind === "sealed" ? opened.reason : null,
      outcome,
      deliveries,
      acknowledgement: entry.acknowledgement ?? null,
      reason: entry.reason ?? null,
      endedAt: endedAt === undefined ? null : new Date(endedAt).toISOString(),
    };
  }

  #open({ accepted: { pushId, requestHeaders, body } }: LoggedMessage): Opened {
    return this.#agents.open(pushId, { body, headers: requestHeaders });
  }
}
