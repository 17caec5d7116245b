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

/** What became of stored subscriptions, gathered while sending and stored at the end. */
export class Memory {
  readonly #stored: StoredResult[] = [];
  readonly #byOrigin = new Map<string, number>();
  readonly #isWorthKeeping: (delivery: Delivery) => boolean;

  /** Without `isWorthKeeping` every result is stored; all of them count where an origin is judged. */
  constructor(isWorthKeeping: (delivery: Delivery) => boolean = () => true) {
    this.#isWorthKeeping = isWorthKeeping;
  }

  add({ recipient, delivery }: Pick<Result, "recipient" | "delivery">): void {
    const { record, subscription, pair } = recipient;
    const origin = endpointOrigin(subscription.endpoint);
    this.#byOrigin.set(origin, (this.#byOrigin.get(origin) ?? 0) + 1);
    const firstKey = recipient.tried?.firstKey;
    if (record !== undefined && this.#isWorthKeeping(delivery))
      this.#stored.push({ record, delivery, key: pair.publicKey, firstKey });
  }

  /** Stores the last results, and marks those that may be believed to be gone. */
  async store({ prune }: Pick<SendOptions, "prune">, { subscriptions, clock }: Needs): Promise<Remembered> {
    if (this.#stored.length === 0) return { lines: [], kept: 0, failure: undefined };
    const now = clock.now();
    const reports = this.#stored.flatMap(goneReport);
    const verdict = judgeGone(reports, this.#byOrigin, now);
    const gone = new Set(prune ? verdict.gone : []);
    const notes = this.#stored.map((stored) => noteOf(stored, now, gone.has(stored.record)));
    const kept = reports.length - gone.size;
    try {
      await subscriptions.note(notes);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { lines: [], kept, failure: error };
    }
    const found = this.#stored.filter(isKeyFound).length;
    return { lines: [...foundText(found), ...pruneText(verdict, prune)], kept, failure: undefined };
  }
}

/** Stores what became of stored subscriptions, when it is all there. */
export async function remember(
  results: readonly Result[],
  options: Pick<SendOptions, "prune">,
  context: Needs,
): Promise<Remembered> {
  const memory = new Memory();
  for (const result of results) memory.add(result);
  return memory.store(options, context);
}

interface StoredResult {
  readonly record: SubscriptionRecord;
  readonly delivery: Delivery;
  /** The key that the last message was signed with. */
  readonly key: VapidPublicKey;
  /** The key that was refused first, where several were tried. */
  readonly firstKey: VapidPublicKey | undefined;
}

function goneReport({ record, delivery }: StoredResult): readonly GoneReport[] {
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

function noteOf(stored: StoredResult, now: number, isGone: boolean): ResultNote {
  const { record, delivery, key, firstKey = key } = stored;
  const { outcome, cause, status } = delivery;
  return {
    id: record.id,
    endpoint: record.subscription.endpoint,
    registeredAt: record.registeredAt,
    result: { at: now, outcome, cause, status },
    gone: isGone ? { at: now, cause } : undefined,
    wrongKey: outcome === "wrong-key" ? { at: now, cause, publicKey: firstKey } : undefined,
    ...(isKeyFound(stored) ? { madeWith: key } : {}),
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
