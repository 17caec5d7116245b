/**
 * One MCS stream: what a browser's frames mean to the push service, and its messages as frames.
 *
 * Each side counts the frames it sent and got, and says with every frame how many have arrived: that is the
 * acknowledgement. The login is the first frame of each side. A browser may hang up at any time, and does so
 * twice at its first start: only a stream that breaks the protocol is worth a word. Knows no socket.
 */
import { formatBase64url } from "../../base/bytes.ts";
import type { Clock, Random } from "../../base/clock.ts";
import type { PushedMessage, Receiver, ReceiverConnection } from "../exchange.ts";
import type { PushService } from "../push-service.ts";
import { unknownMessage } from "../refusals.ts";
import type { SubscriptionView } from "../views.ts";
import { encodeFrame, mcsVersion, type McsFrame } from "./mcs-frames.ts";
import {
  closeFrame,
  dataMessage,
  heartbeatAck,
  loginResponse,
  parseClientMessage,
  type ClientMessage,
} from "./mcs-messages.ts";

/** The far end of a session. */
export interface McsWire {
  send(bytes: Uint8Array): void;
  /** Drops the connection once what was sent has left. */
  end(): void;
}

export interface McsSessionOptions {
  readonly service: PushService;
  readonly random: Random;
  readonly clock: Clock;
  readonly wire: McsWire;
  /** How often the browser is to send a heartbeat. */
  readonly heartbeatMs: number;
  /** Called when the session is known to be that of this device; an earlier one has to go. */
  readonly claim: (deviceId: string, session: McsSession) => void;
}

type Login = Extract<ClientMessage, { type: "login" }>;

/** A device id as check-ins give it, and not 0. */
const deviceIdText = /^[1-9]\d{0,19}$/;

export class McsSession implements Receiver {
  readonly #options: McsSessionOptions;
  readonly #subscriptions = new Map<string, SubscriptionView>();
  /** Messages on their way, by the number of their frame, in the order of the frames. */
  readonly #unacknowledged = new Map<number, string>();
  /** What the browser said at login that it has. */
  readonly #alreadyReceived = new Set<string>();
  #deviceId: string | undefined;
  #connection: ReceiverConnection | undefined;
  #framesSent = 0;
  #framesReceived = 0;
  #isOver = false;

  constructor(options: McsSessionOptions) {
    this.#options = options;
  }

  get deviceId(): string | undefined {
    return this.#deviceId;
  }

  /** Takes one frame. */
  receive(frame: McsFrame): void {
    if (this.#isOver) return;
    this.#framesReceived += 1;
    const message = parseClientMessage(frame);
    if ("violation" in message) this.violate(message.violation);
    else if (message.type === "close") this.#end("closed by the browser");
    else if (message.type === "login") this.#login(message);
    else if (this.#deviceId === undefined) this.violate("the first frame is not a LoginRequest");
    else this.#act(message);
  }

  /** Ends the session of a browser that broke the protocol. */
  violate(violation: string): void {
    if (this.#isOver) return;
    this.#send(closeFrame());
    this.#options.wire.end();
    // A browser that has not logged in hangs up without a word from us; one that does not speak MCS gets one.
    this.#over(violation, "always");
  }

  /** Ends the session because the same device has connected again. */
  supersede(): void {
    this.#end("taken over");
  }

  /** The far end has gone: what it has not acknowledged waits again. */
  closed(): void {
    this.#over("", "when-logged-in");
  }

  /** Listens to one more subscription of the device. */
  attach(subscription: SubscriptionView): void {
    this.#subscriptions.set(subscription.subscriptionId, subscription);
    this.#connection?.attach(subscription.subscriptionId);
  }

  deliver(message: PushedMessage): void {
    const subscription = this.#subscriptions.get(message.subscriptionId);
    if (subscription === undefined) return;
    if (this.#alreadyReceived.delete(message.messageId)) {
      this.#options.service.acknowledge(message.messageId);
      return;
    }
    const streamId = this.#framesSent + 1;
    this.#unacknowledged.set(streamId, message.messageId);
    this.#send(messageFrame(message, subscription, { streamId, lastStreamIdReceived: this.#framesReceived }));
  }

  detached(subscriptionId: string): void {
    this.#subscriptions.delete(subscriptionId);
  }

  disconnect(_code: number, reason: string): void {
    this.#end(reason);
  }

  #login(login: Login): void {
    if (this.#deviceId !== undefined) this.violate("a second LoginRequest came");
    else if (!deviceIdText.test(login.user)) this.violate("the LoginRequest names no device");
    else this.#greet(login);
  }

  #greet({ user, product, receivedMessageIds }: Login): void {
    const { service, claim, clock, random, heartbeatMs, wire } = this.#options;
    this.#deviceId = user;
    claim(user, this);
    for (const subscription of service.channelsOf(user).values())
      this.#subscriptions.set(subscription.subscriptionId, subscription);
    const subscriptionCount = this.#subscriptions.size;
    const isKnown = subscriptionCount > 0;
    service.tell({ type: "user-agent-connected", userAgentId: user, product, isKnown, subscriptionCount });
    wire.send(Uint8Array.of(mcsVersion));
    const id = formatBase64url(random.bytes(6));
    this.#send(loginResponse({ id, user, heartbeatMs, now: clock.now() }));
    this.#forgetReceived(receivedMessageIds);
    const outcome = service.connect([...this.#subscriptions.keys()], this);
    if (outcome.kind === "connected") this.#connection = outcome.connection;
    this.#alreadyReceived.clear();
  }

  /** What the browser has is not sent again; most of it is long acknowledged, since it lists more than it needs to. */
  #forgetReceived(messageIds: readonly string[]): void {
    for (const messageId of messageIds) {
      if (!this.#isOurs(messageId)) continue;
      const { kind } = this.#options.service.acknowledge(messageId);
      // A service restored from an older state does not remember to have sent it: deliver() sees to it.
      if (kind === "not-delivered") this.#alreadyReceived.add(messageId);
    }
  }

  #act(message: Exclude<ClientMessage, { type: "login" | "close" }>): void {
    if (!this.#acknowledgeUpTo(message.lastStreamIdReceived ?? 0)) return;
    switch (message.type) {
      case "ping":
        this.#send(
          heartbeatAck({ streamId: this.#framesSent + 1, lastStreamIdReceived: this.#framesReceived }),
        );
        return;
      case "selective-ack":
        for (const messageId of message.messageIds) {
          if (this.#isOurs(messageId)) this.#options.service.acknowledge(messageId);
          else this.#options.service.report(unknownMessage());
        }
        return;
      case "ping-ack":
      case "other":
        return;
      default:
        message satisfies never;
    }
  }

  /** Acknowledges the messages in the first `count` frames; whether there are so many. */
  #acknowledgeUpTo(count: number): boolean {
    if (count > this.#framesSent) {
      this.violate(`frame ${count} is acknowledged, but only ${this.#framesSent} were sent`);
      return false;
    }
    for (const [streamId, messageId] of this.#unacknowledged) {
      if (streamId > count) break;
      this.#unacknowledged.delete(streamId);
      // It may have been cancelled, or have expired, on its way.
      if (this.#isOurs(messageId)) this.#options.service.acknowledge(messageId);
    }
    return true;
  }

  #isOurs(messageId: string): boolean {
    const subscriptionId = this.#options.service.subscriptionOf(messageId);
    return subscriptionId !== undefined && this.#subscriptions.has(subscriptionId);
  }

  #send(frame: McsFrame): void {
    if (this.#isOver) return;
    this.#framesSent += 1;
    this.#options.wire.send(encodeFrame(frame));
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#send(closeFrame());
    this.#options.wire.end();
    this.#over(reason, "when-logged-in");
  }

  #over(reason: string, told: "always" | "when-logged-in"): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection?.close();
    const userAgentId = this.#deviceId;
    if (userAgentId === undefined && told === "when-logged-in") return;
    this.#options.service.tell({ type: "user-agent-disconnected", userAgentId, code: undefined, reason });
  }
}

function messageFrame(
  { messageId, acceptedAt, expiresAt, headers, body }: PushedMessage,
  { applicationServerKey, owner }: SubscriptionView,
  counts: { readonly streamId: number; readonly lastStreamIdReceived: number },
): McsFrame {
  const { contentEncoding, encryption, cryptoKey } = headers;
  return dataMessage({
    messageId,
    from: applicationServerKey ?? "",
    category: owner?.app ?? "",
    appData: {
      subtype: owner?.channelId ?? "",
      ...(contentEncoding === undefined ? {} : { "content-encoding": contentEncoding }),
      ...(encryption === undefined ? {} : { encryption }),
      ...(cryptoKey === undefined ? {} : { "crypto-key": cryptoKey }),
    },
    body,
    ttlSeconds: Math.ceil((expiresAt - acceptedAt) / 1000),
    sentAt: acceptedAt,
    ...counts,
  });
}
