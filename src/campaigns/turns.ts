/**
 * Chunks for a worker: taken, recorded, finished or given back.
 *
 * What a worker promises: it sends to nobody but the recipients of a turn it holds, records each outcome once, and
 * stops at once when recording says that the chunk is in other hands. Then everybody is sent to at least once, and a
 * second time only whoever was in flight or not yet recorded when a worker died.
 */
import type { UserError } from "../base/errors.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { Database, Queries } from "../store/postgres/database.ts";
import type { RecordRow } from "../store/postgres/rows.ts";
import { type CampaignState, type GoneMarks, type Outcome, type Turn } from "./campaign.ts";
import { campaignOf, recipientsOf, stateNow, type CampaignRow } from "./campaign-rows.ts";
import { countsOf, outcomeKey, type Counts } from "./counts.ts";
import { assertChunk, pauseDamaged } from "./damage.ts";
import { Ledger } from "./ledger.ts";
import { forgetRates } from "./pace.ts";
import { openQueue, type ChunkJob, type ChunkQueue, type QueueOptions } from "./queue.ts";
import {
  addFinishedChunk,
  claimChunk,
  endChunk,
  markGone,
  recordOutcomes,
  releaseChunk,
  selectCampaign,
  selectLostChunks,
  selectRecipients,
  type ChunkRow,
  type HeldChunk,
  type LostChunkRow,
} from "./turn-sql.ts";

/** What a worker asks of the database. */
export interface Turns extends AsyncDisposable {
  /**
   * Takes up to `most` chunks that are due; none when there are none. Chunks of a campaign that was made with a key
   * that is not among `keys` are left to others.
   */
  take(most: number, keys: readonly VapidPublicKey[]): Promise<readonly Turn[]>;
  /** Records outcomes and how far the chunk came, at once or not at all; false when the chunk is in other hands. */
  record(turn: Turn, outcomes: readonly Outcome[]): Promise<boolean>;
  /** Everybody is settled: ends the chunk and lets the next one be taken; false when it is in other hands. */
  finish(turn: Turn, gone: GoneMarks): Promise<boolean>;
  /** Gives the chunk back, to be taken by anybody after `afterMs`; false when it is in other hands. */
  giveBack(turn: Turn, afterMs: number, gone: GoneMarks): Promise<boolean>;
  /** The states of campaigns by id; one that was deleted is missing. */
  states(ids: readonly string[]): Promise<ReadonlyMap<string, CampaignState>>;
  /** Whether no campaign that is due has anything left to send. */
  isIdle(): Promise<boolean>;
  /** Says that this worker lives, ends campaigns whose time has passed, and mends what was lost. Every few seconds. */
  tend(): Promise<void>;
}

export interface TurnsOptions extends Partial<Omit<QueueOptions, "maintains">> {
  /** A name that no other worker has. */
  readonly worker: string;
  readonly version: string;
  /** Told of a campaign that cannot be read, once it is paused for that. */
  readonly onDamaged?: (campaign: string, error: UserError) => void;
}

/** A campaign whose key this worker lacks is looked at again after this. */
const keylessMs = 5000;

/**
 * Opens the chunks of a database.
 *
 * @throws UserError `store-not-migrated`, `store-unreachable`
 */
export async function openTurns(database: Database, options: TurnsOptions): Promise<Turns> {
  const queue = await openQueue(database, { ...options, maintains: true });
  const held = new WeakMap<Turn, Held>();
  const heldBy = (turn: Turn): Held => {
    const found = held.get(turn);
    if (found === undefined) throw new Error("a turn that was not taken here");
    return found;
  };
  return {
    async take(most, keys) {
      const turns: Turn[] = [];
      for (const job of await queue.take(most)) {
        const taken = await takeChunk(database, queue, { job, keys, worker: options.worker }).catch(
          async (error: unknown) => {
            const damage = await pauseDamaged(database, job.campaign, error);
            if (damage !== undefined) options.onDamaged?.(job.campaign, damage);
            return drop(database, queue, job);
          },
        );
        if (taken === undefined) continue;
        held.set(taken.turn, taken.held);
        turns.push(taken.turn);
      }
      return turns;
    },
    record: (turn, outcomes) => record(database, turn, heldBy(turn), outcomes),
    finish: (turn, gone) => finish(database, queue, { turn, held: heldBy(turn), gone }),
    giveBack: (turn, afterMs, gone) => giveBack(database, queue, { turn, held: heldBy(turn), afterMs, gone }),
    async states(ids) {
      const rows = await database.query<{ readonly id: string; readonly state: CampaignState }>({
        text: `select k.id, ${stateNow} as state from webpush.campaigns k where k.id = any($1)`,
        values: [ids],
      });
      return new Map(rows.map(({ id, state }) => [id, state]));
    },
    async isIdle() {
      const [busy] = await database.query({
        text: "select from webpush.campaigns where state = 'running' and due_at <= now() and ends_at > now() limit 1",
      });
      return busy === undefined;
    },
    async tend() {
      await beat(database, options);
      await endExpired(database);
      await mend(database, queue);
      await forgetRates(database);
    },
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  };
}

/** What a turn holds on to. */
interface Held extends HeldChunk {
  readonly job: string;
  readonly ledger: Ledger;
}

interface Taking {
  readonly job: ChunkJob;
  readonly keys: readonly VapidPublicKey[];
  readonly worker: string;
}

async function takeChunk(
  database: Database,
  queue: ChunkQueue,
  { job, keys, worker }: Taking,
): Promise<{ readonly turn: Turn; readonly held: Held } | undefined> {
  if (!Number.isSafeInteger(job.chunk)) return drop(database, queue, job);
  const [row] = await database.query<CampaignRow & { readonly ends_in_ms: number }>(
    selectCampaign(job.campaign),
  );
  const campaign = row && campaignOf(row);
  // Paused: resuming gives its chunks new jobs.
  if (campaign?.state !== "running") return drop(database, queue, job);
  if (!keys.includes(campaign.publicKey)) return passOn(database, queue, job);
  const [chunk] = await database.query<ChunkRow>(claimChunk({ ...job, worker }));
  if (row === undefined || chunk === undefined) return drop(database, queue, job);
  assertChunk(campaign.id, chunk);
  const rows = await database.query<RecordRow>(selectRecipients(campaign, chunk));
  const { recipients, unreadable } = recipientsOf(rows);
  const turn: Turn = {
    campaign,
    chunk: job.chunk,
    number: chunk.turns,
    recipients,
    leaseMs: job.leaseMs,
    endsInMs: row.ends_in_ms,
  };
  const progress = { position: BigInt(chunk.position), beyond: chunk.beyond.map(BigInt) };
  const ledger = new Ledger(
    rows.map(({ seq }) => BigInt(seq)),
    progress,
  );
  const held = { campaign: campaign.id, chunk: job.chunk, turn: chunk.turns, job: job.id, ledger };
  if (unreadable.length > 0) await recordUnreadable(database, turn, held, unreadable);
  return { turn, held };
}

/** The job is of no use; whoever needs the chunk has another one or will get it. */
async function drop(database: Database, queue: ChunkQueue, { id }: ChunkJob): Promise<undefined> {
  await queue.end(database, [id]);
  return undefined;
}

async function passOn(database: Database, queue: ChunkQueue, job: ChunkJob): Promise<undefined> {
  await database.transaction(async (transaction) => {
    await queue.end(transaction, [job.id]);
    await queue.add(transaction, [{ ...job, afterMs: keylessMs }]);
  });
  return undefined;
}

async function recordUnreadable(
  database: Database,
  turn: Turn,
  held: Held,
  unreadable: readonly bigint[],
): Promise<boolean> {
  const key = outcomeKey({ outcome: "skipped", cause: "input.malformed" });
  return settle(database, turn, held, {
    settled: unreadable,
    counts: { [key]: unreadable.length },
    outcomes: [],
  });
}

async function record(
  database: Database,
  turn: Turn,
  held: Held,
  outcomes: readonly Outcome[],
): Promise<boolean> {
  const settled = outcomes.map(({ recipient }) => recipient.seq);
  return settle(database, turn, held, { settled, counts: countsOf(outcomes), outcomes });
}

async function settle(
  database: Database,
  turn: Turn,
  { ledger, ...held }: Held,
  {
    settled,
    ...recorded
  }: { readonly settled: readonly bigint[]; readonly counts: Counts; readonly outcomes: readonly Outcome[] },
): Promise<boolean> {
  const before = ledger.progress;
  const progress = ledger.with(settled);
  const statement = recordOutcomes(held, turn.campaign.source, { before, progress, ...recorded });
  const isHeld = (await database.query(statement)).length > 0;
  if (isHeld) ledger.keep(progress);
  return isHeld;
}

async function finish(
  database: Database,
  queue: ChunkQueue,
  { turn, held, gone }: { readonly turn: Turn; readonly held: Held; readonly gone: GoneMarks },
): Promise<boolean> {
  if (!held.ledger.isComplete) throw new Error("a chunk is finished when everybody of it is settled");
  return database.transaction(async (transaction) => {
    const [ended] = await transaction.query<{ readonly counts: Counts }>(endChunk(held));
    if (ended === undefined) return false;
    if (gone.length > 0) await transaction.change(markGone(turn.campaign.source, gone));
    await queue.end(transaction, [held.job]);
    const [row] = await transaction.query<{ readonly next: number | null; readonly lease_ms: number }>(
      addFinishedChunk(held.campaign, ended.counts),
    );
    if (row?.next != null) {
      const job = { campaign: held.campaign, chunk: row.next, afterMs: 0, leaseMs: row.lease_ms };
      await queue.add(transaction, [job]);
    }
    return true;
  });
}

async function giveBack(
  database: Database,
  queue: ChunkQueue,
  {
    turn,
    held,
    afterMs,
    gone,
  }: { readonly turn: Turn; readonly held: Held; readonly afterMs: number; readonly gone: GoneMarks },
): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const [released] = await transaction.query<{ readonly state: CampaignState; readonly lease_ms: number }>(
      releaseChunk(held),
    );
    if (released === undefined) return false;
    if (gone.length > 0) await transaction.change(markGone(turn.campaign.source, gone));
    await queue.end(transaction, [held.job]);
    if (released.state !== "running") return true;
    const { campaign, chunk } = held;
    await queue.add(transaction, [{ campaign, chunk, afterMs, leaseMs: released.lease_ms }]);
    return true;
  });
}

async function beat(database: Queries, { worker, version }: TurnsOptions): Promise<void> {
  await database.change({
    text: `with forgotten as (delete from webpush.workers where seen_at < now() - interval '1 day')
insert into webpush.workers as w (name, version) values ($1, $2) on conflict (name) do update set seen_at = now()`,
    values: [worker, version],
  });
}

async function endExpired(database: Queries): Promise<void> {
  await database.change({
    text: `update webpush.campaigns set state = 'expired', finished_at = now()
where state in ('running', 'paused') and ends_at <= now()`,
  });
}

/** Gives jobs to chunks that should have one; those that have keep it. */
export async function mend(database: Queries, queue: ChunkQueue, campaign?: string): Promise<void> {
  const lost = await database.query<LostChunkRow>(selectLostChunks(campaign));
  await queue.add(
    database,
    lost.map(({ campaign, chunk, lease_ms, after_ms }) => ({
      campaign,
      chunk,
      afterMs: after_ms,
      leaseMs: lease_ms,
    })),
  );
}
