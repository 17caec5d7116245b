/**
 * One autopush connection: what its frames mean to the push service.
 *
 * `hello` comes first and once. A user agent exists only once it has registered a
 * channel, as at autopush: a browser whose profile was rolled back would otherwise
 * keep a subscription that nothing ever reaches. Whoever breaks the protocol is
 * told one word and loses the connection. Knows no socket.
 */
import type { Random } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { parseVapidPublicKey, type VapidPublicKey } from "../protocol/vapid.ts";
import { formatNotification, isChannelId, parseClientFrame } from "./autopush-frames.ts";
import type { AckUpdate, ClientFrame } from "./autopush-frames.ts";
import type { PushedMessage, Receiver, ReceiverConnection } from "./exchange.ts";
import { endpointOf, type PersonalityId } from "./personalities.ts";
import type { PushService } from "./push-service.ts";
import { unknownMessage } from "./refusals.ts";
import type { SubscriptionView } from "./views.ts";

/** The far end of a session. */
export interface Wire {
  send(text: string): void;
  /** Says goodbye and drops the connection. */
  end(code: number, reason: string): void;
}

export interface SessionOptions {
  readonly service: PushService;
  readonly random: Random;
  readonly wire: Wire;
  /** What endpoints begin with, as `http://127.0.0.1:8030`. */
  readonly origin: string;
  /** How the subscriptions made over this connection behave. */
  readonly personality: PersonalityId;
  /** Called when the session is known to be that of this user agent; an earlier one has to go. */
  readonly claim: (userAgentId: string, session: AutopushSession) => void;
}

/** Why a session is ended, in autopush's words: the state machine, a frame that cannot be read, no hello in time. */
export type Violation = "SM" | "Json" | "HandshakeTimeout";

const internalError = 1011;
const normalClosure = 1000;
/** Messages kept in mind after their acknowledgement, since a nack names no channel. */
const rememberedMessages = 100;

export class AutopushSession implements Receiver {
  /** As at autopush; it asks a browser with much waiting to take it bit by bit. */
  readonly backlogBatch = 10;
  readonly #options: SessionOptions;
  /** Channels by subscription, and back. */
  readonly #channels = new Map<string, string>();
  readonly #subscriptions = new Map<string, string>();
  readonly #delivered = new Map<string, string>();
  #userAgentId: string | undefined;
  #connection: ReceiverConnection | undefined;
  #isOver = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get userAgentId(): string | undefined {
    return this.#userAgentId;
  }

  /** Takes one text frame. */
  receive(text: string): void {
    if (this.#isOver) return;
    const frame = parseClientFrame(text);
    if (frame === undefined) this.violate("Json");
    else if (frame.type === "hello") this.#hello(frame);
    else if (this.#userAgentId === undefined) this.violate("SM");
    else this.#act(frame, this.#userAgentId);
  }

  /** Ends the session of a client that broke the protocol. */
  violate(violation: Violation): void {
    this.#end(internalError, violation);
  }

  /** Ends the session because we cannot go on with it. */
  fail(): void {
    this.#end(internalError, "");
  }

  /** Ends the session because the same user agent has connected again. */
  supersede(): void {
    this.#end(normalClosure, "taken over");
  }

  /** The far end has gone: what it has not acknowledged waits again. */
  closed(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection?.close();
    const userAgentId = this.#userAgentId;
    this.#options.service.tell({ type: "user-agent-disconnected", userAgentId, code, reason });
  }

  deliver(message: PushedMessage): void {
    const channelId = this.#channels.get(message.subscriptionId);
    if (channelId === undefined) return;
    this.#remember(message);
    this.#options.wire.send(formatNotification(channelId, message));
  }

  detached(subscriptionId: string): void {
    const channelId = this.#channels.get(subscriptionId);
    this.#channels.delete(subscriptionId);
    // A channel that was registered with another key leads to another subscription already.
    if (channelId !== undefined && this.#subscriptions.get(channelId) === subscriptionId)
      this.#subscriptions.delete(channelId);
  }

  disconnect(code: number, reason: string): void {
    this.#end(code, reason);
  }

  #hello({ userAgentId, usesWebPush }: Extract<ClientFrame, { type: "hello" }>): void {
    if (this.#userAgentId !== undefined || !usesWebPush) {
      this.violate("SM");
      return;
    }
    const { service, random, claim } = this.#options;
    const owned = service.channelsOf(userAgentId ?? "");
    const isKnown = userAgentId !== undefined && owned.size > 0;
    const uaid = isKnown ? userAgentId : Buffer.from(random.bytes(16)).toString("hex");
    this.#userAgentId = uaid;
    claim(uaid, this);
    for (const [channelId, { subscriptionId }] of owned) this.#addChannel(channelId, subscriptionId);
    const subscriptionCount = owned.size;
    service.tell({
      type: "user-agent-connected",
      userAgentId: uaid,
      product: undefined,
      isKnown,
      subscriptionCount,
    });
    this.#send({ messageType: "hello", uaid, status: 200, use_webpush: true, broadcasts: {} });
    if (this.#isOverwhelmed(owned.values())) return;
    const outcome = service.connect([...this.#channels.keys()], this);
    if (outcome.kind === "connected") this.#connection = outcome.connection;
  }

  /** Forgets a user agent for which too much has gathered, as autopush does; it has to subscribe anew. */
  #isOverwhelmed(owned: Iterable<SubscriptionView>): boolean {
    const { service } = this.#options;
    const views = [...owned];
    const gathered = views.reduce((sum, { waiting, unacknowledged }) => sum + waiting + unacknowledged, 0);
    if (gathered <= service.maxMessagesPerUserAgent) return false;
    for (const { subscriptionId } of views) service.expireSubscription(subscriptionId);
    this.#end(normalClosure, "reset");
    return true;
  }

  #act(frame: Exclude<ClientFrame, { type: "hello" }>, userAgentId: string): void {
    switch (frame.type) {
      case "register":
        this.#register(frame, userAgentId);
        return;
      case "unregister":
        this.#unregister(frame);
        return;
      case "ack":
        for (const update of frame.updates) this.#acknowledge(update);
        return;
      case "nack":
        this.#processingFailed(frame);
        return;
      case "broadcast_subscribe": {
        const errors = Object.fromEntries(frame.broadcasts.map((id) => [id, "Broadcast not found"]));
        this.#send({ messageType: "broadcast", broadcasts: { errors } });
        return;
      }
      case "ping":
        this.#send({});
        return;
      default:
        frame satisfies never;
    }
  }

  #register({ channelId, key }: Extract<ClientFrame, { type: "register" }>, userAgentId: string): void {
    if (!isChannelId(channelId)) {
      this.violate("SM");
      return;
    }
    const { service, origin, personality } = this.#options;
    const reply = (status: number, pushEndpoint = "") => {
      this.#send({ messageType: "register", channelID: channelId, status, pushEndpoint });
    };
    const applicationServerKey = readKey(key);
    if (applicationServerKey === "malformed") {
      reply(400);
      return;
    }
    const outcome = service.subscribe(applicationServerKey, { userAgentId, channelId }, personality);
    if (outcome.kind === "refused") {
      reply(500);
      return;
    }
    const { subscriptionId, pushId } = outcome;
    this.#addChannel(channelId, subscriptionId);
    reply(200, endpointOf({ pushId, applicationServerKey, personality }, origin));
    this.#connection?.attach(subscriptionId);
  }

  #unregister({ channelId, code }: Extract<ClientFrame, { type: "unregister" }>): void {
    const subscriptionId = this.#subscriptions.get(channelId);
    if (subscriptionId !== undefined) this.#options.service.unsubscribe(subscriptionId, code);
    this.#send({ messageType: "unregister", channelID: channelId, status: 200 });
  }

  /** Whatever the code, the message does not come again; it must be one of this user agent's. */
  #acknowledge({ channelId, version, how }: AckUpdate): void {
    const { service } = this.#options;
    const subscriptionId = service.subscriptionOf(version);
    const isOurs = subscriptionId !== undefined && this.#channels.get(subscriptionId) === channelId;
    if (isOurs) service.acknowledge(version, how);
    else service.report(unknownMessage());
  }

  #processingFailed({ version: messageId, code }: Extract<ClientFrame, { type: "nack" }>): void {
    const subscriptionId = this.#delivered.get(messageId);
    this.#options.service.tell({ type: "processing-failed", messageId, subscriptionId, code });
  }

  #addChannel(channelId: string, subscriptionId: string): void {
    this.#channels.set(subscriptionId, channelId);
    this.#subscriptions.set(channelId, subscriptionId);
  }

  #remember({ messageId, subscriptionId }: PushedMessage): void {
    this.#delivered.set(messageId, subscriptionId);
    if (this.#delivered.size <= rememberedMessages) return;
    for (const oldest of this.#delivered.keys()) {
      this.#delivered.delete(oldest);
      return;
    }
  }

  #send(frame: object): void {
    if (!this.#isOver) this.#options.wire.send(JSON.stringify(frame));
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#options.wire.end(code, reason);
    this.closed(code, reason);
  }
}

/** The key of `register`; Firefox pads it. */
function readKey(text: string | undefined): VapidPublicKey | "malformed" | undefined {
  if (text === undefined) return undefined;
  try {
    return parseVapidPublicKey(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return "malformed";
  }
}
