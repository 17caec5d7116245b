/**
 * After sending: the last result of each stored subscription, and those found gone.
 */
import { UserError } from "../../base/errors.ts";
import type { Delivery } from "../../protocol/delivery.ts";
import { endpointOrigin, isLoopbackEndpoint } from "../../protocol/subscription.ts";
import type { VapidPublicKey } from "../../protocol/vapid.ts";
import { judgeGone, type GoneReport, type PruneVerdict } from "../../store/prune.ts";
import type { ResultNote, SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { counted } from "../subscriptions/render.ts";
import type { SendOptions } from "./command.ts";
import type { Result } from "./deliver.ts";
import type { Recipient } from "./recipients.ts";

type Needs = Pick<Context, "subscriptions" | "clock">;

/** What was done about stored subscriptions. */
export interface Remembered {
  /** What a person should know of it. */
  readonly lines: readonly string[];
  /** How many of those called gone are still sent to next time. */
  readonly kept: number;
  /** Why nothing could be stored. The messages are sent all the same, so this is no failure of sending. */
  readonly failure: UserError | undefined;
}

/** So many failures in a row, and the store is left alone: a database that is away may take its time to say so. */
const mostFailures = 3;

/**
 * What became of stored subscriptions.
 *
 * For a file it is gathered while sending and stored at the end. A store of more than can be held gets it in batches as
 * it comes; only those called gone wait for the end, when all results of an origin can be judged.
 */
export class Memory {
  readonly #context: Needs;
  #pending: StoredResult[] = [];
  readonly #calledGone: StoredResult[] = [];
  readonly #byOrigin = new Map<string, number>();
  readonly #isWorthKeeping: (delivery: Delivery) => boolean;
  #found = 0;
  #failuresInARow = 0;
  #failure: UserError | undefined;

  /** Without `isWorthKeeping` every result is stored; all of them count where an origin is judged. */
  constructor(context: Needs, isWorthKeeping: (delivery: Delivery) => boolean = () => true) {
    this.#context = context;
    this.#isWorthKeeping = isWorthKeeping;
  }

  /** An earlier run of the same broadcast sent to it: of its origin not everybody is gone. */
  accountFor({ subscription }: Pick<Recipient, "subscription">): void {
    const origin = endpointOrigin(subscription.endpoint);
    this.#byOrigin.set(origin, (this.#byOrigin.get(origin) ?? 0) + 1);
  }

  /** Takes one more; waits while a batch is being stored. */
  async add({ recipient, delivery }: Pick<Result, "recipient" | "delivery">): Promise<void> {
    const { record, pair } = recipient;
    this.accountFor(recipient);
    if (record === undefined || !this.#isWorthKeeping(delivery)) return;
    const stored = { record, delivery, key: pair.publicKey, firstKey: recipient.tried?.firstKey };
    const { mostAtOnce } = this.#context.subscriptions;
    if (delivery.outcome === "gone" && Number.isFinite(mostAtOnce)) this.#calledGone.push(stored);
    else this.#pending.push(stored);
    if (this.#pending.length < mostAtOnce) return;
    const batch = this.#pending;
    this.#pending = [];
    await this.#note(batch, new Set());
  }

  /** Stores the last results, and marks those that may be believed to be gone. */
  async store({ prune }: Pick<SendOptions, "prune">): Promise<Remembered> {
    const rest = [...this.#calledGone, ...this.#pending];
    const reports = rest.flatMap(goneReport);
    const verdict = judgeGone(reports, this.#byOrigin, this.#context.clock.now());
    const gone = new Set(prune ? verdict.gone : []);
    const { mostAtOnce } = this.#context.subscriptions;
    for (let from = 0; from < rest.length; from += mostAtOnce)
      await this.#note(rest.slice(from, from + mostAtOnce), gone);
    const kept = reports.length - gone.size;
    const lines = this.#failure === undefined ? pruneText(verdict, prune) : [];
    return { lines: [...foundText(this.#found), ...lines], kept, failure: this.#failure };
  }

  async #note(batch: readonly StoredResult[], gone: ReadonlySet<SubscriptionRecord>): Promise<void> {
    if (this.#failuresInARow === mostFailures) return;
    const { subscriptions, clock } = this.#context;
    const now = clock.now();
    try {
      await subscriptions.note(batch.map((stored) => noteOf(stored, now, gone.has(stored.record))));
      this.#found += batch.filter(isKeyFound).length;
      this.#failuresInARow = 0;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#failure = error;
      this.#failuresInARow += 1;
    }
  }
}

/** Stores what became of stored subscriptions, when it is all there. */
export async function remember(
  results: readonly Result[],
  options: Pick<SendOptions, "prune">,
  context: Needs,
): Promise<Remembered> {
  const memory = new Memory(context);
  for (const result of results) await memory.add(result);
  return memory.store(options);
}

/** What became of a stored subscription. */
export interface StoredResult {
  readonly record: SubscriptionRecord;
  readonly delivery: Delivery;
  /** The key that the last message was signed with. */
  readonly key: VapidPublicKey;
  /** The key that was refused first, where several were tried. */
  readonly firstKey: VapidPublicKey | undefined;
}

/** The report that it is gone, if that is what it says. */
export function goneReport({ record, delivery }: StoredResult): readonly GoneReport[] {
  if (delivery.outcome !== "gone") return [];
  const { endpoint } = record.subscription;
  return [
    {
      record,
      answered: delivery.status !== undefined,
      isLocal: isLoopbackEndpoint(endpoint),
      goneSince: delivery.goneSince,
      origin: endpointOrigin(endpoint),
    },
  ];
}

/** One key was refused and another accepted: so the subscription was made with that one. */
function isKeyFound({ delivery, firstKey }: StoredResult): boolean {
  return delivery.outcome === "accepted" && firstKey !== undefined;
}

/** What a result tells about the key that a subscription was made with. */
export function keyNews(stored: StoredResult): {
  readonly refusedKey: VapidPublicKey | undefined;
  readonly madeWith: VapidPublicKey | undefined;
} {
  const { delivery, key, firstKey = key } = stored;
  return {
    refusedKey: delivery.outcome === "wrong-key" ? firstKey : undefined,
    madeWith: isKeyFound(stored) ? key : undefined,
  };
}

function noteOf(stored: StoredResult, now: number, isGone: boolean): ResultNote {
  const { record, delivery } = stored;
  const { refusedKey, madeWith } = keyNews(stored);
  const { outcome, cause, status } = delivery;
  return {
    endpoint: record.subscription.endpoint,
    registeredAt: record.registeredAt,
    result: { at: now, outcome, cause, status },
    gone: isGone ? { at: now, cause } : undefined,
    wrongKey: refusedKey && { at: now, cause, publicKey: refusedKey },
    ...(madeWith === undefined ? {} : { madeWith }),
  };
}

function foundText(count: number): readonly string[] {
  if (count === 0) return [];
  return [`found and stored which of your keys ${counted(count)} ${count === 1 ? "was" : "were"} made with`];
}

function pruneText({ gone, spared, doubtful }: PruneVerdict, prune: boolean): readonly string[] {
  if (!prune) return [];
  return [
    ...(gone.length === 0
      ? []
      : [`marked ${counted(gone.length)} gone; forget for good: webpush subscriptions prune`]),
    ...(spared.length === 0
      ? []
      : [`kept ${counted(spared.length)} called gone but registered just now; try again later`]),
    ...doubtful.map(
      ({ origin, gone: count, of }) =>
        `kept all: ${origin} called ${count} of ${of} gone at once; if that is right: webpush subscriptions prune --called-gone`,
    ),
  ];
}
