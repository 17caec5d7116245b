/**
 * After sending: the last result of each stored subscription, and those found gone.
 */
import { UserError } from "../../base/errors.ts";
import { endpointOrigin, isLoopbackEndpoint } from "../../protocol/subscription.ts";
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

/** Stores what became of stored subscriptions. */
export async function remember(
  results: readonly Result[],
  { prune }: Pick<SendOptions, "prune">,
  { subscriptions, clock }: Needs,
): Promise<Remembered> {
  const stored = results.flatMap((result) => {
    const { record } = result.recipient;
    return record === undefined ? [] : [{ ...result, record }];
  });
  if (stored.length === 0) return { lines: [], kept: 0, failure: undefined };
  const now = clock.now();
  const reports = stored.flatMap(({ record, delivery }): GoneReport[] => {
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
  });
  const verdict = judgeGone(reports, countByOrigin(results), now);
  const gone = new Set(prune ? verdict.gone : []);
  const notes = stored.map(({ record, delivery }) => noteOf(record, delivery, now, gone.has(record)));
  const kept = reports.length - gone.size;
  try {
    await subscriptions.note(notes);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { lines: [], kept, failure: error };
  }
  return { lines: pruneText(verdict, prune), kept, failure: undefined };
}

function noteOf(
  { id, registeredAt }: SubscriptionRecord,
  { outcome, cause, status }: Result["delivery"],
  now: number,
  isGone: boolean,
): ResultNote {
  return {
    id,
    registeredAt,
    result: { at: now, outcome, cause, status },
    gone: isGone ? { at: now, cause } : undefined,
  };
}

function countByOrigin(results: readonly Result[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { recipient } of results) {
    const origin = endpointOrigin(recipient.subscription.endpoint);
    counts.set(origin, (counts.get(origin) ?? 0) + 1);
  }
  return counts;
}

function pruneText({ gone, spared, doubtful }: PruneVerdict, prune: boolean): readonly string[] {
  if (!prune) return [];
  return [
    ...(gone.length === 0 ? [] : [`removed ${counted(gone.length)} found gone; --no-prune keeps them`]),
    ...(spared.length === 0
      ? []
      : [`kept ${counted(spared.length)} called gone but registered just now; try again later`]),
    ...doubtful.map(
      ({ origin, gone: count, of }) =>
        `kept all: ${origin} called ${count} of ${of} gone at once; remove them by hand if that is right`,
    ),
  ];
}
