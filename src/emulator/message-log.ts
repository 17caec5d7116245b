/**
 * What became of every message, for whoever tests a sender: the events of each message folded into one entry.
 *
 * Entries stay after their message has ended, which the state machine's do not; beyond the bound the
 * oldest go. Reading an entry never changes the state of the service.
 */
import type { AcceptedEvent, Acknowledgement, PushServiceEvent } from "./events.ts";
import type { MessageOutcome } from "./message-record.ts";

/** One message with all that is known of it. */
export interface LoggedMessage {
  readonly accepted: AcceptedEvent;
  outcome: MessageOutcome;
  /** How often it was handed out. */
  deliveries: number;
  acknowledgement: Acknowledgement | undefined;
  /** Why it was discarded, or the message that replaced it. */
  reason: string | undefined;
  endedAt: number | undefined;
}

/** Which messages are asked for; every field that is given must hold. */
export interface MessageFilter {
  /** Last part of the subscription's endpoint. */
  readonly pushId?: string | undefined;
  readonly outcome?: MessageOutcome | undefined;
}

export interface WaitOptions extends MessageFilter {
  readonly count: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came of waiting, and the messages there are in any case. */
export interface Waited {
  readonly kind: "came" | "timed-out" | "aborted";
  readonly messages: readonly LoggedMessage[];
}

interface Waiter {
  readonly filter: MessageFilter;
  readonly count: number;
  /** Messages that match now. A scan of the log for each event would make bulk tests quadratic. */
  readonly matching: Set<string>;
  readonly settle: (kind: Waited["kind"]) => void;
}

const defaultLimit = 10_000;

export class MessageLog {
  readonly #entries = new Map<string, LoggedMessage>();
  readonly #waiters = new Set<Waiter>();
  readonly #limit: number;

  constructor(limit = defaultLimit) {
    this.#limit = limit;
  }

  /** Takes in an event of the service. */
  record(event: PushServiceEvent): void {
    if (event.type === "accepted") this.#add(event);
    if (!("messageId" in event)) return;
    const entry = this.#entries.get(event.messageId);
    if (entry === undefined) return;
    fold(entry, event);
    for (const waiter of this.#waiters) this.#show(waiter, entry);
  }

  /** The messages asked for, in the order of their acceptance. */
  list(filter: MessageFilter = {}): readonly LoggedMessage[] {
    return [...this.#entries.values()].filter((entry) => matches(entry, filter));
  }

  find(messageId: string): LoggedMessage | undefined {
    return this.#entries.get(messageId);
  }

  /** Forgets the messages; who waits begins to count anew. */
  clear(): void {
    this.#entries.clear();
    for (const { matching } of this.#waiters) matching.clear();
  }

  /** Resolves when so many messages match, those already there included; never rejects. */
  wait({ count, timeoutMs, signal, ...filter }: WaitOptions): Promise<Waited> {
    const matching = new Set(this.list(filter).map(({ accepted }) => accepted.messageId));
    return new Promise((resolve) => {
      const end = { timer: undefined as NodeJS.Timeout | undefined };
      const settle = (kind: Waited["kind"]) => {
        clearTimeout(end.timer);
        signal?.removeEventListener("abort", abort);
        this.#waiters.delete(waiter);
        resolve({ kind, messages: this.list(filter) });
      };
      const abort = () => {
        settle("aborted");
      };
      const waiter: Waiter = { filter, count, matching, settle };
      if (matching.size >= count) settle("came");
      else if (signal?.aborted === true) settle("aborted");
      else {
        this.#waiters.add(waiter);
        signal?.addEventListener("abort", abort);
        end.timer = setTimeout(settle, timeoutMs, "timed-out");
      }
    });
  }

  #add(accepted: AcceptedEvent): void {
    this.#entries.set(accepted.messageId, {
      accepted,
      outcome: "waiting",
      deliveries: 0,
      acknowledgement: undefined,
      reason: undefined,
      endedAt: undefined,
    });
    if (this.#entries.size <= this.#limit) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  #show(waiter: Waiter, entry: LoggedMessage): void {
    const { messageId } = entry.accepted;
    if (matches(entry, waiter.filter)) waiter.matching.add(messageId);
    else waiter.matching.delete(messageId);
    if (waiter.matching.size >= waiter.count) waiter.settle("came");
  }
}

function matches({ accepted, outcome }: LoggedMessage, filter: MessageFilter): boolean {
  return (
    (filter.pushId === undefined || filter.pushId === accepted.pushId) &&
    (filter.outcome === undefined || filter.outcome === outcome)
  );
}

/** What an event changes in the entry of its message. */
function fold(entry: LoggedMessage, event: Extract<PushServiceEvent, { readonly messageId: string }>): void {
  switch (event.type) {
    case "accepted":
    case "receipt":
    case "processing-failed":
      return;
    case "delivered":
      entry.outcome = "delivered";
      entry.deliveries = event.delivery;
      return;
    case "returned":
      entry.outcome = "waiting";
      return;
    case "acknowledged":
      entry.acknowledgement = event.how;
      break;
    case "replaced":
      entry.reason = event.replacedBy;
      break;
    case "discarded":
      entry.reason = event.why;
      break;
    case "expired":
    case "cancelled":
      break;
    default:
      event satisfies never;
      return;
  }
  entry.outcome = event.type;
  entry.endedAt = event.at;
}
