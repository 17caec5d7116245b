/**
 * One pace for all workers: what this one learns of an origin is written down for the others, what they learned is read
 * every second, and the right to begin messages is reserved in the database.
 *
 * The sender asks while it sends, and must never wait for a database that is away: holds are answered from memory, news
 * is written when the database is back, and nothing is begun meanwhile where a rate is set.
 */
import { UserError } from "../base/errors.ts";
import { isCause, type CauseId } from "../protocol/delivery.ts";
import type { Grant, SharedHold, SharedPace } from "../sender/shared-pace.ts";
import type { Queries } from "../store/postgres/database.ts";
import type { Campaign, OriginHold } from "./campaign.ts";
import { readHolds, reserve, writeHold, type RateLimit } from "./pace.ts";

export interface WorkersPaceOptions {
  /** The most messages begun in a second at each origin, over all workers; unlimited unless given. */
  readonly originPerSecond: number | undefined;
  /** Milliseconds that pass, whatever happens to the time of day. */
  readonly now: () => number;
}

/** The pace of all workers, as one of them keeps it. */
export interface WorkersPace {
  /** What a turn of a campaign keeps to. */
  of(campaign: Pick<Campaign, "id" | "rate">): SharedPace;
  /**
   * Reads what the others learned, and writes what they do not know yet. Every second or so.
   *
   * @throws UserError those of the database
   */
  refresh(): Promise<void>;
  /** For how many ms from now on an origin is left alone; 0 when it is not. */
  heldForMs(origin: string): number;
}

/** Where a database is away, leave is asked for again after this. */
const awayMs = 1000;
/** A hold under a name that this version does not know: somebody newer wrote it. */
const unknownCause: CauseId = "http.429";

interface Hold {
  readonly until: number;
  readonly why: SharedHold["why"];
}

/** Opens the pace of a database's workers. */
export function openWorkersPace(
  database: Queries,
  { originPerSecond, now }: WorkersPaceOptions,
): WorkersPace {
  const holds = new Map<string, Hold>();
  const unwritten = new Map<string, Hold>();
  const listeners = new Set<(hold: SharedHold) => void>();
  /** Answers the hold that is news. */
  const learn = ({ origin, forMs, why }: SharedHold): Hold | undefined => {
    const hold = { until: now() + forMs, why };
    if (hold.until <= (holds.get(origin)?.until ?? 0)) return undefined;
    holds.set(origin, hold);
    for (const listener of listeners) listener({ origin, forMs, why });
    return hold;
  };
  const writeAll = async (): Promise<void> => {
    for (const [origin, hold] of [...unwritten]) {
      const { cause, reason } = hold.why;
      const forMs = hold.until - now();
      if (forMs > 0) await writeHold(database, { origin, forMs, cause, reason });
      // It may have been learned anew while it was being written.
      if (unwritten.get(origin) === hold) unwritten.delete(origin);
    }
  };
  const held = (told: SharedHold): void => {
    const hold = learn(told);
    if (hold === undefined) return;
    unwritten.set(told.origin, hold);
    writeAll().catch(passing);
  };
  const subscribe = (listener: (hold: SharedHold) => void): Disposable => {
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  };
  const current = function* (): Generator<SharedHold> {
    for (const [origin, { until, why }] of holds)
      if (until > now()) yield { origin, forMs: until - now(), why };
  };
  return {
    of({ id, rate }) {
      const pace = { current, subscribe, held };
      const ofCampaign = rate === undefined ? [] : [{ key: `campaign:${id}`, perSecond: rate }];
      if (ofCampaign.length === 0 && originPerSecond === undefined) return pace;
      const limitsOf = (origin: string): readonly RateLimit[] =>
        originPerSecond === undefined
          ? ofCampaign
          : [...ofCampaign, { key: origin, perSecond: originPerSecond }];
      return { ...pace, reserve: (origin, wanted) => grant(database, limitsOf(origin), wanted) };
    },
    async refresh() {
      await writeAll();
      for (const hold of await readHolds(database)) learn(sharedHold(hold));
      for (const [origin, { until }] of holds) if (until <= now()) holds.delete(origin);
    },
    heldForMs: (origin) => Math.max(0, (holds.get(origin)?.until ?? 0) - now()),
  };
}

function sharedHold({ origin, forMs, cause, reason }: OriginHold): SharedHold {
  const why = { cause: isCause(cause) ? cause : unknownCause };
  return { origin, forMs, why: reason === undefined ? why : { ...why, reason } };
}

async function grant(database: Queries, limits: readonly RateLimit[], wanted: number): Promise<Grant> {
  try {
    return { count: wanted, inMs: await reserve(database, limits, wanted) };
  } catch (error) {
    passing(error);
    return { count: 0, inMs: awayMs };
  }
}

/** A database that fails is noticed by whoever records there; what is not its failure is a bug. */
function passing(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
}
