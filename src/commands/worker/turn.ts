/**
 * One turn of a chunk: everybody of it is planned as `webpush send` plans, sent to and recorded, until all are settled
 * or the turn is over.
 *
 * The lease is divided: half of it for sending, a quarter for what is then in flight to end, the rest to record and to
 * give back. Settled is who has a final result or is not sent to at all; who could be tried again later is left to a
 * later turn, as long as there will be one that helps.
 */
import type { GoneMarks, Outcome, Turn, TurnRecipient } from "../../campaigns/campaign.ts";
import type { Counts } from "../../campaigns/counts.ts";
import type { WorkersPace } from "../../campaigns/shared-pace.ts";
import type { Turns } from "../../campaigns/turns.ts";
import type { Clock } from "../../base/clock.ts";
import type { Delivery } from "../../protocol/delivery.ts";
import type { SigningKeys } from "../../protocol/preflight.ts";
import { endpointOrigin } from "../../protocol/subscription.ts";
import type { Observer } from "../../sender/job.ts";
import type { Sender } from "../../sender/sender.ts";
import { judgeGone } from "../../store/prune.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import { sendThrough, type Attempted, type Result } from "../send/deliver.ts";
import { tryOtherPairs } from "../send/other-pairs.ts";
import { planLateEntry, refused, type ReadyRecipient, type SkippedRecipient } from "../send/plan.ts";
import { fromRecord } from "../send/recipients.ts";
import { goneReport, keyNews, type StoredResult } from "../send/remember.ts";
import type { DatabaseWatch } from "./database-watch.ts";
import type { ReturnReason, Tell, TurnEnd } from "./events.ts";
import { Recording } from "./recording.ts";

/** What a turn works with. */
export interface TurnTools {
  readonly turns: Pick<Turns, "record" | "finish" | "giveBack">;
  readonly sender: Pick<Sender<ReadyRecipient>, "send">;
  readonly pace: Pick<WorkersPace, "of" | "heldForMs">;
  readonly watch: DatabaseWatch;
  readonly keys: SigningKeys;
  /** The most messages of this turn in flight. */
  readonly concurrency: number;
  readonly observer: Observer<ReadyRecipient>;
  readonly clock: Clock;
  /** Milliseconds that pass, whatever happens to the time of day. */
  readonly now: () => number;
  readonly tell: Tell;
}

/** A chunk that comes back this often is settled as it stands: some service never takes what is left. */
const mostTurns = 50;
/** Who is given back without having got on is left alone for a moment, so that no chunk goes round in circles. */
const restMs = 1000;
const longestRestMs = 30_000;

/** A turn under way. */
export class ActiveTurn {
  readonly turn: Turn;
  readonly #tools: TurnTools;
  readonly #startedAt: number;
  readonly #ending = new AbortController();
  readonly #recording: Recording;
  readonly #unsettled: Set<TurnRecipient>;
  readonly #byRecord: ReadonlyMap<SubscriptionRecord, TurnRecipient>;
  /** Results of those who could be tried again later. */
  readonly #open = new Map<TurnRecipient, Outcome>();
  readonly #sent: StoredResult[] = [];
  #why: ReturnReason = "held";

  /** `startedAt` is when it was asked for, by the worker's time. */
  constructor(turn: Turn, startedAt: number, tools: TurnTools) {
    this.turn = turn;
    this.#tools = tools;
    this.#startedAt = startedAt;
    this.#unsettled = new Set(turn.recipients);
    this.#byRecord = new Map(turn.recipients.map((one) => [one.record, one]));
    this.#recording = new Recording(
      (outcomes) => this.#record(outcomes),
      () => {
        this.#ending.abort();
      },
    );
  }

  /** Begins nothing more; what is in flight is finished, and the chunk given back. */
  end(why: ReturnReason): void {
    if (this.#ending.signal.aborted) return;
    this.#why = why;
    this.#ending.abort();
  }

  /** Runs it to its end; answers whom it settled. */
  async run(): Promise<Counts> {
    const { turn } = this;
    const { campaign, chunk, number } = turn;
    const about = { campaign: campaign.id, chunk, turn: number };
    this.#tools.tell({ type: "chunk.taken", ...about, recipients: turn.recipients.length });
    const timer = setTimeout(
      () => {
        this.end("time");
      },
      Math.max(0, this.#turnEndsAt - this.#tools.now()),
    );
    try {
      await this.#sendAll();
    } finally {
      clearTimeout(timer);
      await this.#recording.end();
    }
    const end = await this.#conclude();
    const durationMs = this.#tools.now() - this.#startedAt;
    const { counts } = this.#recording;
    this.#tools.tell({ ...about, counts, durationMs, ...end });
    return counts;
  }

  get #turnEndsAt(): number {
    return this.#startedAt + Math.min(this.turn.leaseMs / 2, this.turn.endsInMs);
  }

  /** When nothing may be asked of the database for this chunk any more: it is somebody else's soon. */
  get #leaseEndsAt(): number {
    return this.#startedAt + this.turn.leaseMs * 0.9;
  }

  // Sending.

  async #sendAll(): Promise<void> {
    const { campaign } = this.turn;
    const { sender, pace, concurrency, observer, now } = this.#tools;
    const send = (everyone: AsyncIterable<ReadyRecipient>): AsyncGenerator<Attempted> =>
      sendThrough(sender, campaign.message, everyone, {
        concurrency,
        retries: campaign.retries,
        retryAmbiguous: true,
        // What must wait longer than the turn lasts waits in the database.
        patienceMs: Math.max(0, this.#turnEndsAt - now()),
        drainMs: this.turn.leaseMs / 4,
        signal: this.#ending.signal,
        pace: pace.of(campaign),
        observer,
      });
    for await (const one of tryOtherPairs(this.#recipients(), send)) {
      if ("delivery" in one) await this.#take(one);
      else if ("error" in one) await this.#skip(refused(one));
    }
  }

  /** Everybody who is to be sent to; the others are accounted for on the way. */
  async *#recipients(): AsyncGenerator<ReadyRecipient> {
    const { campaign, recipients } = this.turn;
    const rules = { message: campaign.message, keys: this.#tools.keys, encoding: campaign.encoding };
    for (const { record } of recipients) {
      const planned = planLateEntry(fromRecord(record, isNamed(campaign.selection, record)), rules);
      if ("skipped" in planned) await this.#skip(planned);
      else yield planned;
    }
  }

  async #take(result: Result): Promise<void> {
    const { delivery, recipient } = result;
    const found = this.#recipientOf(recipient);
    const stored = {
      record: found.record,
      delivery,
      key: recipient.pair.publicKey,
      firstKey: recipient.tried?.firstKey,
    };
    const outcome = outcomeOf(found, delivery, stored);
    if (result.isOpen === true) {
      this.#open.set(found, outcome);
      return;
    }
    this.#sent.push(stored);
    await this.#settle(outcome);
  }

  async #skip({ recipient, skipped: { outcome, cause } }: SkippedRecipient): Promise<void> {
    await this.#settle({ recipient: this.#recipientOf(recipient), outcome, cause, sent: undefined });
  }

  async #settle(outcome: Outcome): Promise<void> {
    this.#unsettled.delete(outcome.recipient);
    this.#open.delete(outcome.recipient);
    await this.#recording.add(outcome);
  }

  #recipientOf(recipient: object): TurnRecipient {
    const record = "record" in recipient ? (recipient.record as SubscriptionRecord) : undefined;
    const found = record && this.#byRecord.get(record);
    if (found === undefined) throw new Error("a result of somebody who is not in this turn");
    return found;
  }

  // What it came to.

  async #record(outcomes: readonly Outcome[]): Promise<boolean> {
    const { watch, turns } = this.#tools;
    const record = () => turns.record(this.turn, outcomes);
    const isRecorded = await watch.try(record);
    if (isRecorded !== undefined) return isRecorded;
    // Who cannot record must not go on sending: it would be sent again by whoever comes next.
    this.end("database");
    return (await watch.insist(record, this.#leaseEndsAt)) ?? false;
  }

  async #conclude(): Promise<TurnEnd> {
    const { turns, watch } = this.#tools;
    if (this.#recording.isLost) return this.#release();
    const afterMs = this.#waitMs();
    if (this.turn.number >= mostTurns || afterMs >= this.#leftMs) await this.#settleAsTheyStand();
    if (!(await this.#recording.end())) return this.#release();
    const gone = this.#goneMarks();
    if (this.#unsettled.size > 0) return this.#giveBack(afterMs, gone);
    const isDone = await watch.insist(() => turns.finish(this.turn, gone), this.#leaseEndsAt);
    return isDone === true ? { type: "chunk.finished" } : { type: "chunk.lost", left: 0 };
  }

  /** Lets go of a chunk in which nothing can be recorded any more, if it is still ours. */
  async #release(): Promise<TurnEnd> {
    const left = this.#unsettled.size;
    const { turns, watch } = this.#tools;
    await watch.try(() => turns.giveBack(this.turn, 0, []));
    return { type: "chunk.lost", left };
  }

  async #giveBack(afterMs: number, gone: GoneMarks): Promise<TurnEnd> {
    const { turns, watch } = this.#tools;
    const left = this.#unsettled.size;
    const giveBack = () => turns.giveBack(this.turn, afterMs, gone);
    const isBack = await watch.insist(giveBack, this.#leaseEndsAt);
    return isBack === true
      ? { type: "chunk.returned", why: this.#why, left, afterMs }
      : { type: "chunk.lost", left };
  }

  /** For how long the message is still of use. */
  get #leftMs(): number {
    return this.#startedAt + this.turn.endsInMs - this.#tools.now();
  }

  /** After how long somebody of those left could be sent to. */
  #waitMs(): number {
    const { pace } = this.#tools;
    const origins = new Set(
      Array.from(this.#unsettled, ({ record }) => endpointOrigin(record.subscription.endpoint)),
    );
    const heldForMs = Math.min(...Array.from(origins, (origin) => pace.heldForMs(origin)));
    const isStuck = this.#why === "held" && this.#unsettled.size === this.turn.recipients.length;
    const rest = isStuck ? Math.min(restMs * 2 ** Math.min(this.turn.number, 10), longestRestMs) : 0;
    return Number.isFinite(heldForMs) ? Math.max(heldForMs, rest) : 0;
  }

  async #settleAsTheyStand(): Promise<void> {
    for (const outcome of [...this.#open.values()]) await this.#settle(outcome);
  }

  #goneMarks(): GoneMarks {
    if (!this.turn.campaign.prune) return [];
    const byOrigin = new Map<string, number>();
    for (const { record } of this.#sent) {
      const origin = endpointOrigin(record.subscription.endpoint);
      byOrigin.set(origin, (byOrigin.get(origin) ?? 0) + 1);
    }
    const causes = new Map(this.#sent.map(({ record, delivery }) => [record, delivery.cause]));
    const { gone } = judgeGone(this.#sent.flatMap(goneReport), byOrigin, this.#tools.clock.now());
    return gone.map((record) => ({
      recipient: this.#recipientOf({ record }),
      cause: causes.get(record) ?? "",
    }));
  }
}

function outcomeOf(recipient: TurnRecipient, delivery: Delivery, stored: StoredResult): Outcome {
  const { outcome, cause, status } = delivery;
  return { recipient, outcome, cause, sent: { status, ...keyNews(stored) } };
}

/** Whether somebody was asked for by id or name, and not as one of a group. */
function isNamed(selection: readonly string[], { id, name }: SubscriptionRecord): boolean {
  return selection.some((one) => one === name || (one.length >= 4 && id.startsWith(one)));
}
