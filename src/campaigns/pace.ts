/**
 * What all workers keep to together: origins that are left alone for now, and how many messages may begin.
 *
 * Both stand in the database and are compared with its clock; what crosses the wire are durations.
 */
import type { Queries } from "../store/postgres/database.ts";
import type { OriginHold } from "./campaign.ts";
import { selectHolds } from "./campaign-sql.ts";

/** A limit on how many messages begin, over all workers: of a campaign, or of an origin. */
export interface RateLimit {
  /** What is limited: `campaign:ID` or an origin. */
  readonly key: string;
  readonly perSecond: number;
}

interface HoldRow {
  readonly origin: string;
  readonly for_ms: number;
  readonly cause: string;
  readonly reason: string | null;
}

/** The origins that are left alone, and for how long. */
export async function readHolds(queries: Queries): Promise<readonly OriginHold[]> {
  const rows = await queries.query<HoldRow>(selectHolds);
  const ours = rows.filter(({ origin }) => URL.canParse(origin) && new URL(origin).origin === origin);
  return ours.map(({ origin, for_ms: forMs, cause, reason }) => ({
    origin,
    forMs,
    cause,
    reason: reason ?? undefined,
  }));
}

/** Has all workers leave an origin alone; the longest hold counts. */
export async function writeHold(
  queries: Queries,
  { origin, forMs, cause, reason }: OriginHold,
): Promise<void> {
  await queries.change({
    text: `insert into webpush.origins as o (origin, held_until, cause, reason)
values ($1, now() + $2::float8 * interval '1 ms', $3, $4)
on conflict (origin) do update set held_until = excluded.held_until, cause = excluded.cause, reason = excluded.reason
where excluded.held_until > o.held_until`,
    values: [origin, forMs, cause, reason ?? null],
  });
}

/**
 * Reserves the right to begin `wanted` messages within each of the limits; answers in how many ms that begins.
 *
 * Each limit is one time in the database, the end of what is reserved (the generic cell rate algorithm without a
 * burst), moved by one statement: whoever comes next gets what comes after, and nobody gets anything twice. Rows are
 * taken in the order of their keys, so that two with several limits cannot wait for each other.
 */
export async function reserve(
  queries: Queries,
  limits: readonly RateLimit[],
  wanted: number,
): Promise<number> {
  if (limits.length === 0) return 0;
  const rows = await queries.query<{ readonly in_ms: number }>({
    text: `with wanted as (
  select key, $3::float8 / per_second * interval '1 s' as lot
  from unnest($1::text[], $2::float8[]) as l (key, per_second) order by key
), moved as (
  insert into webpush.rates as r (key, next_at) select key, now() + lot from wanted
  on conflict (key) do update set next_at = greatest(r.next_at, now()) + (excluded.next_at - now())
  returning key, next_at
)
select extract(epoch from m.next_at - w.lot - now())::float8 * 1000 as in_ms from moved m join wanted w using (key)`,
    values: [limits.map(({ key }) => key), limits.map(({ perSecond }) => perSecond), wanted],
  });
  return Math.max(0, ...rows.map(({ in_ms: inMs }) => inMs));
}

/** Forgets limits that nobody has used for a day. */
export async function forgetRates(queries: Queries): Promise<void> {
  await queries.change({ text: "delete from webpush.rates where next_at < now() - interval '1 day'" });
}
