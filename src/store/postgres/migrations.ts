/**
 * The schema `webpush`, as data: each migration once, in order, never changed after a release.
 *
 * - `subscriptions` holds what a page handed in, `results` what came of it: campaigns rewrite the narrow row and
 *   leave the wide one alone. Both are keyed by `seq`, the order of first storing, so that the rows of a chunk lie
 *   together on disk and in the index.
 * - A subscription is its endpoint, known by the first 16 bytes of its SHA-256. The short `id` for people has
 *   50 bits: enough to type, not to be unique among a hundred million.
 * - Keys may be kept here or nowhere: the environment's come first.
 */

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Statements, run in one transaction with the note that they were. */
  readonly statements: readonly string[];
}

export const schema = "webpush";
/** pg-boss keeps its jobs in a schema of its own. */
export const queueSchema = "webpush_queue";

const resultColumns = `
  registered_at timestamptz not null,
  at timestamptz not null,
  outcome text not null,
  cause text not null,
  status smallint,
  gone_at timestamptz,
  gone_cause text,
  wrong_key_at timestamptz,
  wrong_key_cause text,
  wrong_key bytea`;

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: "keys, subscriptions and results",
    statements: [
      `create table webpush.key_pairs (
  public_key text primary key,
  private_key text not null,
  created_at timestamptz not null,
  current_since timestamptz
)`,
      `create table webpush.project (
  only_row boolean primary key default true check (only_row),
  current_key text references webpush.key_pairs,
  subject text
)`,
      `create table webpush.subscriptions (
  seq bigint generated always as identity primary key,
  fingerprint bytea not null unique check (length(fingerprint) = 16),
  id text not null,
  name text unique deferrable,
  tags text[] not null default '{}',
  endpoint text not null,
  p256dh bytea not null,
  auth bytea not null,
  application_server_key bytea,
  content_encoding text,
  expiration_time timestamptz,
  created_at timestamptz not null,
  registered_at timestamptz not null
)`,
      "create index subscriptions_id on webpush.subscriptions (id text_pattern_ops)",
      "create index subscriptions_tags on webpush.subscriptions using gin (tags) where tags <> '{}'",
      `create table webpush.results (seq bigint primary key,${resultColumns}
) with (fillfactor = 80)`,
      `create table webpush.foreign_results (fingerprint bytea primary key,${resultColumns}
) with (fillfactor = 80)`,
    ],
  },
  {
    version: 2,
    name: "campaigns",
    statements: [
      `create table webpush.campaigns (
  id text primary key,
  created_at timestamptz not null default now(),
  due_at timestamptz not null,
  ends_at timestamptz not null,
  state text not null check (state in ('running', 'paused', 'cancelled', 'expired', 'done')),
  finished_at timestamptz,
  payload bytea,
  ttl_seconds integer not null,
  urgency text,
  topic text,
  encoding text,
  source text not null check (source in ('subscriptions', 'query')),
  selection text[] not null,
  selects_all boolean not null,
  tags text[] not null,
  named bigint[] not null,
  lease interval not null,
  public_key bytea not null,
  rate integer,
  retries integer not null,
  prune boolean not null,
  recipients bigint not null,
  chunks integer not null,
  chunks_fed integer not null default 0,
  chunks_done integer not null default 0,
  counts jsonb not null default '{}'
)`,
      "create index campaigns_state on webpush.campaigns (state) where state in ('running', 'paused')",
      `create table webpush.chunks (
  campaign text not null references webpush.campaigns on delete cascade,
  number integer not null,
  from_seq bigint not null,
  to_seq bigint not null,
  size integer not null,
  position bigint not null,
  beyond bigint[] not null default '{}',
  counts jsonb not null default '{}',
  turns integer not null default 0,
  worker text,
  leased_until timestamptz,
  done_at timestamptz,
  primary key (campaign, number)
) with (fillfactor = 70)`,
      "create index chunks_open on webpush.chunks (campaign, number) where done_at is null",
      `create function webpush.add_counts(one jsonb, other jsonb) returns jsonb
language sql immutable parallel safe as $$
  select coalesce(jsonb_object_agg(key, total), '{}') from (
    select key, sum(value::bigint) as total
    from (select * from jsonb_each_text(one) union all select * from jsonb_each_text(other)) as both_counts
    group by key
  ) as sums
$$`,
      `create table webpush.recipients (
  campaign text not null references webpush.campaigns on delete cascade,
  seq bigint not null,
  fingerprint bytea not null,
  label text,
  endpoint text not null,
  p256dh bytea not null,
  auth bytea not null,
  application_server_key bytea,
  content_encoding text,
  expiration_time timestamptz,
  registered_at timestamptz not null,
  primary key (campaign, seq)
)`,
      `create table webpush.origins (
  origin text primary key,
  held_until timestamptz not null,
  cause text not null,
  reason text
)`,
      `create table webpush.rates (
  key text primary key,
  next_at timestamptz not null
)`,
      `create table webpush.workers (
  name text primary key,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  version text not null
)`,
    ],
  },
];
