/**
 * The statements of making, showing and steering campaigns.
 */
import type { Statement } from "../store/postgres/database.ts";
import { keyBytes } from "../store/postgres/rows.ts";
import type { CampaignPlan, CampaignState } from "./campaign.ts";
import { campaignColumns, stateNow } from "./campaign-rows.ts";
import { isSelected } from "./turn-sql.ts";

/** How many recipients a chunk has: a second or a few of one worker's time. */
const chunkSize = 1000;
/** A message with a short TTL may take longer to go out to many than it is kept for one. */
const shortestLifeSeconds = 3600;

export interface NewCampaign extends CampaignPlan {
  readonly id: string;
  readonly source: "subscriptions" | "query";
  readonly selectsAll: boolean;
  readonly tags: readonly string[];
  /** Places of those who were named. */
  readonly named: readonly bigint[];
  readonly dueInMs: number;
  readonly leaseMs: number;
}

/** Writes a campaign that has no chunks yet. Its end is counted from when it is due. */
export function insertCampaign(campaign: NewCampaign): Statement {
  const { message, publicKey, dueInMs, leaseMs } = campaign;
  const lifeSeconds = Math.max(message.ttlSeconds, shortestLifeSeconds);
  return {
    text: `insert into webpush.campaigns (id, state, due_at, ends_at, payload, ttl_seconds, urgency, topic, encoding,
  source, selection, selects_all, tags, named, lease, public_key, rate, retries, prune, recipients, chunks)
values ($1, 'running', now() + $2::float8 * interval '1 ms', now() + $2::float8 * interval '1 ms' + $3::float8 * interval '1 s',
  $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::float8 * interval '1 ms', $15, $16, $17, $18, 0, 0)`,
    values: [
      campaign.id,
      dueInMs,
      lifeSeconds,
      message.payload === undefined ? null : Buffer.from(message.payload),
      message.ttlSeconds,
      message.urgency ?? null,
      message.topic ?? null,
      campaign.encoding ?? null,
      campaign.source,
      campaign.selection,
      campaign.selectsAll,
      campaign.tags,
      campaign.named,
      leaseMs,
      keyBytes(publicKey),
      campaign.rate ?? null,
      campaign.retries,
      campaign.prune,
    ],
  };
}

/** Cuts the recipients of a campaign into chunks, and counts them; one pass over them in their order. */
export function planChunks({ id, source }: Pick<NewCampaign, "id" | "source">, size = chunkSize): Statement {
  const recipients =
    source === "query"
      ? "select s.seq from webpush.recipients s where s.campaign = $1"
      : `select s.seq from webpush.subscriptions s join webpush.campaigns k on k.id = $1
    left join webpush.results r on r.seq = s.seq where ${isSelected}`;
  return {
    text: `with recipients as (${recipients}
), numbered as (
  select seq, (row_number() over (order by seq) - 1) / $2 as part from recipients
), planned as (
  insert into webpush.chunks (campaign, number, from_seq, to_seq, size, position)
  select $1, part + 1, min(seq), max(seq), count(*), min(seq) - 1 from numbered group by part
  returning size
)
select count(*)::int as chunks, coalesce(sum(size), 0)::float8 as recipients from planned`,
    values: [id, size],
  };
}

/** How many a campaign with this selection would go to, of the subscriptions that are kept. */
export function countSelected({
  selectsAll,
  tags,
  named,
}: Pick<NewCampaign, "selectsAll" | "tags" | "named">): Statement {
  return {
    text: `select count(*)::float8 as recipients
from (select $1::boolean as selects_all, $2::text[] as tags, $3::bigint[] as named) k
cross join webpush.subscriptions s left join webpush.results r on r.seq = s.seq where ${isSelected}`,
    values: [selectsAll, tags, named],
  };
}

/** How many chunks that many recipients are cut into. */
export function chunksOf(recipients: number): number {
  return Math.ceil(recipients / chunkSize);
}

/** Notes how many chunks there are, and that the first `fed` of them are given out. */
export function noteChunks(
  id: string,
  planned: { chunks: number; recipients: number; fed: number },
): Statement {
  return {
    text: `update webpush.campaigns k set recipients = $2, chunks = $3, chunks_fed = $4 where k.id = $1
returning ${campaignColumns}`,
    values: [id, planned.recipients, planned.chunks, planned.fed],
  };
}

/** Campaigns with what is settled in their unfinished chunks and who is at work on them, newest first. */
export function selectProgress(where: { id?: string; state?: CampaignState; limit?: number }): Statement {
  return {
    text: `select ${campaignColumns}, now() as as_of, open.counts as open_counts, open.workers
from webpush.campaigns k left join lateral (
  select coalesce((
      select jsonb_object_agg(key, total) from (
        select key, sum(value::bigint) as total from webpush.chunks c, jsonb_each_text(c.counts)
        where c.campaign = k.id and c.done_at is null group by key
      ) as sums
    ), '{}') as counts,
    (select coalesce(array_agg(distinct c.worker), '{}') from webpush.chunks c
      where c.campaign = k.id and c.done_at is null and c.leased_until > now()) as workers
) as open on true
where ($1::text is null or k.id like $1 || '%') and ($2::text is null or (${stateNow}) = $2)
order by k.created_at desc, k.id limit $3`,
    values: [where.id ?? null, where.state ?? null, where.limit ?? 100],
  };
}

/** Changes the state of a campaign that is not over; answers a row when it was. */
export function changeState(id: string, to: "running" | "paused" | "cancelled"): Statement {
  return {
    text: `update webpush.campaigns k set state = $2,
  finished_at = case when $2 = 'cancelled' then now() end
where k.id = $1 and k.state in ('running', 'paused') and k.ends_at > now()
returning ${campaignColumns}`,
    values: [id, to],
  };
}

/** Origins that are left alone for now; for how long beyond a day, tomorrow will tell. */
export const selectHolds: Statement = {
  text: `select origin, extract(epoch from least(held_until, now() + interval '1 day') - now())::float8 * 1000 as for_ms, cause, reason
from webpush.origins where held_until > now() order by origin`,
};

/** Workers seen within the last minute. */
export const selectWorkers: Statement = {
  text: `select name, version, extract(epoch from now() - seen_at)::float8 * 1000 as seen_ago_ms
from webpush.workers where seen_at > now() - interval '1 minute' order by name`,
};

/** Places of subscriptions by id, name, or the beginning of an id. */
export function selectNamed(text: string): Statement {
  return {
    text: `select s.seq, true as exact from webpush.subscriptions s where s.name = $1 or s.id = $1
union all select s.seq, false from webpush.subscriptions s where length($1) >= 4 and s.id like $2 and s.id <> $1
order by exact desc limit 3`,
    values: [text, `${text.replaceAll(/[%_\\]/g, "\\$&")}%`],
  };
}
