/**
 * The statements of turns. Each is atomic by itself; those that change a chunk are fenced by the number of the turn,
 * so a worker that lost its chunk while it slept can change nothing.
 */
import { recordColumns, endpointFingerprint, keyBytes, timeOf } from "../store/postgres/rows.ts";
import type { Statement } from "../store/postgres/database.ts";
import type { Campaign, GoneMarks, Outcome } from "./campaign.ts";
import type { Counts } from "./counts.ts";
import { campaignColumns, stateNow } from "./campaign-rows.ts";
import type { Progress } from "./ledger.ts";

/** Of a campaign `k`. */
const leaseMs = "extract(epoch from k.lease)::float8 * 1000";

/** A chunk by the number of a turn of it. */
export interface HeldChunk {
  readonly campaign: string;
  readonly chunk: number;
  readonly turn: number;
}

/** The campaign of a job, and for how long it lasts. */
export function selectCampaign(id: string): Statement {
  return {
    text: `select ${campaignColumns},
  extract(epoch from least(k.ends_at, now() + interval '100 years') - now())::float8 * 1000 as ends_in_ms
from webpush.campaigns k where k.id = $1`,
    values: [id],
  };
}

/**
 * Takes a chunk that nobody holds. The lease noted here is a little shorter than the job's: when pg-boss gives the job
 * out again, this one must be over.
 */
export function claimChunk(chunk: {
  campaign: string;
  chunk: number;
  worker: string;
  leaseMs: number;
}): Statement {
  return {
    text: `update webpush.chunks set turns = turns + 1, worker = $3, leased_until = now() + $4::float8 * interval '0.9 ms'
where campaign = $1 and number = $2 and done_at is null and (leased_until is null or leased_until <= now())
returning turns, from_seq, to_seq, position, beyond, counts`,
    values: [chunk.campaign, chunk.chunk, chunk.worker, chunk.leaseMs],
  };
}

export interface ChunkRow {
  readonly turns: number;
  /** Bigints, as text. */
  readonly from_seq: string;
  readonly to_seq: string;
  readonly position: string;
  readonly beyond: readonly string[];
  readonly counts: Counts;
}

/**
 * Everybody of a chunk who is not settled, in order. The range is said of results too: while a first campaign fills
 * them, the database knows too little of the table to look only where it must.
 */
export function selectRecipients(
  campaign: Pick<Campaign, "id" | "source" | "selection">,
  { to_seq, position, beyond }: ChunkRow,
): Statement {
  const values = [position, to_seq, beyond];
  if (campaign.source === "query") {
    return {
      text: `select s.seq, s.label as name, '{}'::text[] as tags, s.endpoint, s.p256dh, s.auth,
  s.application_server_key, s.content_encoding, s.expiration_time, s.registered_at as created_at, s.registered_at,
  r.at, r.outcome, r.cause, r.status, r.gone_at, r.gone_cause, r.wrong_key_at, r.wrong_key_cause, r.wrong_key
from webpush.recipients s
left join webpush.foreign_results r on r.fingerprint = s.fingerprint and r.registered_at >= s.registered_at
where s.seq > $1 and s.seq <= $2 and s.seq <> all($3::bigint[]) and s.campaign = $4
order by s.seq`,
      values: [...values, campaign.id],
    };
  }
  return {
    text: `select ${recordColumns}
from webpush.subscriptions s join webpush.campaigns k on k.id = $4
left join webpush.results r on r.seq = s.seq and r.seq > $1 and r.seq <= $2
where s.seq > $1 and s.seq <= $2 and s.seq <> all($3::bigint[]) and ${isSelected}
order by s.seq`,
    values: [...values, campaign.id],
  };
}

/** Whether a subscription `s` with the result `r` is one that the campaign `k` goes to. Whoever was named is, gone or not. */
export const isSelected = `(s.seq = any(k.named) or (r.gone_at is null and (k.selects_all or s.tags && k.tags)))`;

/** What is recorded at once. */
export interface Recording {
  /** How far the chunk had come before. */
  readonly before: Progress;
  readonly progress: Progress;
  readonly counts: Counts;
  readonly outcomes: readonly Outcome[];
}

/**
 * Records outcomes and how far the chunk came; answers a row when the turn still holds it.
 *
 * It holds only from where the chunk was: whoever tries again because no answer came changes nothing when the first
 * try did.
 */
export function recordOutcomes(
  held: HeldChunk,
  source: Campaign["source"],
  { before, progress, counts, outcomes }: Recording,
): Statement {
  const sent = outcomes.filter((one) => one.sent !== undefined);
  const columns = [
    sent.map(({ recipient }) =>
      source === "query" ? endpointFingerprint(recipient.record.subscription.endpoint) : recipient.seq,
    ),
    sent.map(({ recipient }) => timeOf(recipient.record.registeredAt)),
    sent.map(({ outcome }) => outcome),
    sent.map(({ cause }) => cause),
    sent.map((one) => one.sent?.status ?? null),
    sent.map((one) => bytesOf(one.sent?.refusedKey)),
    sent.map((one) => bytesOf(one.sent?.madeWith)),
  ];
  return {
    text: `with held as (
  update webpush.chunks set position = $4, beyond = $5, counts = webpush.add_counts(counts, $6)
  where campaign = $1 and number = $2 and turns = $3 and done_at is null
    and position = $14 and beyond = $15::bigint[]
  returning 1
), ${source === "query" ? noteForeign : noteOwn}
select 1 from held`,
    values: [
      ...[held.campaign, held.chunk, held.turn, progress.position, progress.beyond, counts],
      ...columns,
      ...[before.position, before.beyond],
    ],
  };
}

function bytesOf(key: string | undefined): Buffer | null {
  return key === undefined ? null : keyBytes(key);
}

const resultUpdate = `do update set
    registered_at = excluded.registered_at, at = excluded.at, outcome = excluded.outcome, cause = excluded.cause,
    status = excluded.status,
    gone_at = case when excluded.outcome = 'accepted' then null else r.gone_at end,
    gone_cause = case when excluded.outcome = 'accepted' then null else r.gone_cause end,
    wrong_key_at = case when excluded.outcome = 'accepted' then null else coalesce(excluded.wrong_key_at, r.wrong_key_at) end,
    wrong_key_cause = case when excluded.outcome = 'accepted' then null else coalesce(excluded.wrong_key_cause, r.wrong_key_cause) end,
    wrong_key = case when excluded.outcome = 'accepted' then null else coalesce(excluded.wrong_key, r.wrong_key) end`;

const resultColumns = "registered_at, at, outcome, cause, status, wrong_key_at, wrong_key_cause, wrong_key";

const resultValues = `n.registered_at, now(), n.outcome, n.cause, n.status,
    case when n.refused is null then null else now() end, case when n.refused is null then null else n.cause end, n.refused`;

/** In the order of their keys, so that two campaigns that meet at the same subscriptions wait instead of deadlocking. */
const noteOwn = `news as (
  select * from unnest($7::bigint[], $8::timestamptz[], $9::text[], $10::text[], $11::smallint[], $12::bytea[], $13::bytea[])
    as n (seq, registered_at, outcome, cause, status, refused, made_with)
  where exists (select from held)
), noted as (
  insert into webpush.results as r (seq, ${resultColumns})
  select n.seq, ${resultValues}
  from news n join webpush.subscriptions s on s.seq = n.seq and ${sameRegistration("s")}
  order by n.seq
  on conflict (seq) ${resultUpdate}
), keyed as (
  update webpush.subscriptions s set application_server_key = n.made_with
  from news n where n.made_with is not null and s.seq = n.seq and s.application_server_key is null and ${sameRegistration("s")}
)`;

const noteForeign = `news as (
  select * from unnest($7::bytea[], $8::timestamptz[], $9::text[], $10::text[], $11::smallint[], $12::bytea[], $13::bytea[])
    as n (fingerprint, registered_at, outcome, cause, status, refused, made_with)
  where exists (select from held)
), noted as (
  insert into webpush.foreign_results as r (fingerprint, ${resultColumns})
  select n.fingerprint, ${resultValues}
  from (select distinct on (fingerprint) * from news order by fingerprint) as n
  on conflict (fingerprint) ${resultUpdate}
)`;

/** The page has not registered anew since `n` was read; our times have milliseconds, another's may have more. */
function sameRegistration(table: string): string {
  return `date_trunc('milliseconds', ${table}.registered_at) = n.registered_at`;
}

/** Ends a chunk; whoever is neither settled nor there any more was removed meanwhile, and counts as that. */
export function endChunk({ campaign, chunk, turn }: HeldChunk): Statement {
  return {
    text: `update webpush.chunks c set done_at = now(), leased_until = null, worker = null,
  counts = case when c.size > t.settled
    then webpush.add_counts(c.counts, jsonb_build_object('skipped:recipient.removed', c.size - t.settled)) else c.counts end
from (
  select coalesce(sum(value::bigint), 0) as settled
  from webpush.chunks o left join lateral jsonb_each_text(o.counts) on true
  where o.campaign = $1 and o.number = $2
) t
where c.campaign = $1 and c.number = $2 and c.turns = $3 and c.done_at is null
returning c.counts`,
    values: [campaign, chunk, turn],
  };
}

/** Adds a finished chunk to its campaign, which ends with the last; answers the next chunk to give out, if there is one. */
export function addFinishedChunk(campaign: string, counts: Counts): Statement {
  return {
    text: `update webpush.campaigns k set counts = webpush.add_counts(k.counts, $2), chunks_done = k.chunks_done + 1,
  chunks_fed = least(k.chunks, k.chunks_fed + 1),
  state = case when k.chunks_done + 1 = k.chunks and k.state in ('running', 'paused') then 'done' else k.state end,
  finished_at = case when k.chunks_done + 1 = k.chunks then coalesce(k.finished_at, now()) else k.finished_at end
from (select id, chunks_fed from webpush.campaigns where id = $1 for update) as before
where k.id = before.id
returning case when k.state = 'running' and k.chunks_fed > before.chunks_fed then k.chunks_fed end as next,
  ${leaseMs} as lease_ms`,
    values: [campaign, counts],
  };
}

/** Marks those gone who were found gone and have not registered again. */
export function markGone(source: Campaign["source"], marks: GoneMarks): Statement {
  const isForeign = source === "query";
  const keys = marks.map(({ recipient }) =>
    isForeign ? endpointFingerprint(recipient.record.subscription.endpoint) : recipient.seq,
  );
  const causes = marks.map(({ cause }) => cause);
  const registrations = marks.map(({ recipient }) => timeOf(recipient.record.registeredAt));
  const [table, key, type] = isForeign
    ? ["foreign_results", "fingerprint", "bytea"]
    : ["results", "seq", "bigint"];
  return {
    text: `update webpush.${table} r set gone_at = now(), gone_cause = n.cause
from unnest($1::${type}[], $2::text[], $3::timestamptz[]) as n (key, cause, registered_at)
where r.${key} = n.key and r.outcome = 'gone' and ${sameRegistration("r")}`,
    values: [keys, causes, registrations],
  };
}

/** Lets go of a chunk; answers a row when it was held, with what a next job needs. */
export function releaseChunk({ campaign, chunk, turn }: HeldChunk): Statement {
  return {
    text: `update webpush.chunks c set leased_until = null, worker = null
from webpush.campaigns k
where c.campaign = $1 and c.number = $2 and c.turns = $3 and c.done_at is null and k.id = c.campaign
returning ${stateNow} as state, ${leaseMs} as lease_ms`,
    values: [campaign, chunk, turn],
  };
}

/** Chunks that were given out and are nobody's now, of campaigns that are due: their job may have been lost. */
export function selectLostChunks(campaign?: string): Statement {
  return {
    text: `select c.campaign, c.number as chunk, ${leaseMs} as lease_ms,
  extract(epoch from greatest(k.due_at, now()) - now())::float8 * 1000 as after_ms
from webpush.campaigns k join webpush.chunks c on c.campaign = k.id
where k.state = 'running' and k.ends_at > now() and ($1::text is null or k.id = $1) and ($1::text is not null or k.due_at <= now())
  and c.number <= k.chunks_fed and c.done_at is null and (c.leased_until is null or c.leased_until <= now())
order by k.created_at, c.number limit 1000`,
    values: [campaign ?? null],
  };
}

export interface LostChunkRow {
  readonly campaign: string;
  readonly chunk: number;
  readonly lease_ms: number;
  readonly after_ms: number;
}
