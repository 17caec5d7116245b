/**
 * The statements of stored subscriptions. Rows are locked in the order of their places, so that two who change the
 * same ones wait for each other instead of deadlocking.
 */
import type { Statement } from "./database.ts";
import { arrayLiteral, copyLine, type CopyValue } from "./copy.ts";
import { endpointFingerprint, keyBytes, recordColumns, resultValues, timeOf } from "./rows.ts";
import type { Endpoint } from "../../protocol/subscription.ts";
import type { LastResult, StreamFilter, SubscriptionRecord } from "../subscriptions.ts";

/** A record and its place. */
export interface Placed {
  /** A bigint, as text. */
  readonly seq: string;
  readonly record: SubscriptionRecord;
}

const from = "from webpush.subscriptions s left join webpush.results r on r.seq = s.seq";
const locked = "order by s.seq for update of s";

/**
 * The next records in stored order, after the place `after`. Their results are looked up one by one, behind the limit:
 * any join is free to read all results there are, and then so does every batch of a stream.
 */
export function selectNext(after: string, limit: number, { tag }: Pick<StreamFilter, "tag">): Statement {
  return {
    text: `select ${recordColumns}
from (select * from webpush.subscriptions
  where seq > $1${tag === undefined ? "" : " and tags @> array[$3::text]"}
  order by seq limit $2) s
left join lateral (select * from webpush.results where seq = s.seq limit 1) r on true
order by s.seq`,
    values: [after, limit, ...(tag === undefined ? [] : [tag])],
  };
}

/** Those whose id, name or endpoint is `text`; an id need not be the only one. */
export function selectExactly(text: string, limit: number): Statement {
  return {
    text: `select ${recordColumns} ${from} where s.id = $1 or s.name = $1 or s.fingerprint = $3
order by s.seq limit $2`,
    values: [text, limit, endpointFingerprint(text as Endpoint)],
  };
}

/** Some of those whose id begins with `text`, found by the index of ids: the order comes after. */
export function selectBegunWith(text: string, limit: number): Statement {
  return {
    text: `select ${recordColumns} ${from}
where s.seq = any(array(select b.seq from webpush.subscriptions b where b.id like $1 limit $2)) order by s.seq`,
    values: [`${text.replaceAll(/[%_\\]/g, "\\$&")}%`, limit],
  };
}

/** How many there are, and how many are marked gone. */
export const countAll: Statement = {
  text: `select (select count(*) from webpush.subscriptions)::float8 as total,
  (select count(*) from webpush.results where gone_at is not null)::float8 as gone`,
};

/** How many hang on each key, in the order of the first of each. */
export function groupByKey(times: readonly number[]): Statement {
  return {
    text: `select s.application_server_key as public_key, min(s.registered_at) as registered_at,
  (count(*) filter (where r.gone_at is null))::float8 as living,
  count(r.gone_at)::float8 as gone,
  (count(r.wrong_key_at) filter (where r.gone_at is null))::float8 as refused,
  greatest(max(s.registered_at), max(r.at) filter (where r.outcome = 'accepted')) as last_seen_at
from webpush.subscriptions s left join webpush.results r on r.seq = s.seq
group by s.application_server_key,
  case when s.application_server_key is null then width_bucket(s.registered_at, $1::timestamptz[]) end
order by min(s.seq)`,
    values: [times.map((time) => timeOf(time))],
  };
}

/** Those with these endpoints, and those with these names. */
export function lockKnown(endpoints: readonly Endpoint[], names: readonly string[]): Statement {
  return {
    text: `select ${recordColumns} ${from} where s.fingerprint = any($1) or s.name = any($2) ${locked}`,
    values: [endpoints.map((endpoint) => endpointFingerprint(endpoint)), names],
  };
}

/** The places of those with these endpoints. */
export function selectPlaces(endpoints: readonly Endpoint[]): Statement {
  return {
    text: "select seq, endpoint from webpush.subscriptions where fingerprint = any($1)",
    values: [endpoints.map((endpoint) => endpointFingerprint(endpoint))],
  };
}

const columns = `fingerprint, id, name, tags, endpoint, p256dh, auth, application_server_key, content_encoding,
  expiration_time, created_at, registered_at`;

export const copySubscriptions = `copy webpush.subscriptions (${columns}) from stdin`;

/** A record as a line of `copySubscriptions`. */
export function subscriptionLine(record: SubscriptionRecord): string {
  return copyLine(valuesOf(record));
}

/** Stores new records, in their order. */
export function insertRecords(records: readonly SubscriptionRecord[]): Statement {
  const rows = records.map((record) => valuesOf(record).map(asParameter));
  return {
    text: `insert into webpush.subscriptions (${columns})
select fingerprint, id, name, tags::text[], endpoint, p256dh, auth, application_server_key, content_encoding,
  expiration_time, created_at, registered_at
from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[], $9::text[],
  $10::timestamptz[], $11::timestamptz[], $12::timestamptz[]) with ordinality
  as n (fingerprint, id, name, tags, endpoint, p256dh, auth, application_server_key, content_encoding,
    expiration_time, created_at, registered_at, place)
order by place`,
    values: Array.from({ length: 12 }, (_, column) => rows.map((row) => row[column])),
  };
}

function valuesOf(record: SubscriptionRecord): readonly CopyValue[] {
  const { id, name, tags, subscription, createdAt, registeredAt } = record;
  return [
    endpointFingerprint(subscription.endpoint),
    id,
    name,
    tags,
    subscription.endpoint,
    ...registrationOf(record),
    timeOf(createdAt),
    timeOf(registeredAt),
  ];
}

function registrationOf({ subscription }: SubscriptionRecord): readonly CopyValue[] {
  const { p256dh, auth, applicationServerKey, contentEncoding, expirationTime } = subscription;
  return [
    keyBytes(p256dh),
    keyBytes(auth.reveal()),
    applicationServerKey === undefined ? null : keyBytes(applicationServerKey),
    contentEncoding === "aes128gcm" ? null : contentEncoding,
    expirationTime === null ? null : timeOf(expirationTime),
  ];
}

/** A value within an array of values; an array of texts in there stands as one text. */
function asParameter(value: CopyValue): unknown {
  return Array.isArray(value) ? arrayLiteral(value as readonly string[]) : (value ?? null);
}

/** Writes labels and registrations of known records. */
export function updateRecords(changed: readonly Placed[]): Statement {
  const rows = changed.map(({ seq, record }) => [
    seq,
    record.name ?? null,
    arrayLiteral(record.tags),
    ...registrationOf(record),
    timeOf(record.createdAt),
    timeOf(record.registeredAt),
  ]);
  return {
    text: `update webpush.subscriptions s set name = n.name, tags = n.tags::text[], p256dh = n.p256dh, auth = n.auth,
  application_server_key = n.application_server_key, content_encoding = n.content_encoding,
  expiration_time = n.expiration_time, created_at = n.created_at, registered_at = n.registered_at
from unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::timestamptz[],
  $9::timestamptz[], $10::timestamptz[])
  as n (seq, name, tags, p256dh, auth, application_server_key, content_encoding, expiration_time, created_at, registered_at)
where s.seq = n.seq`,
    values: Array.from({ length: 10 }, (_, column) => rows.map((row) => row[column])),
  };
}

/** Writes the last results and the marks of known records. */
export function writeResults(noted: readonly Placed[]): Statement {
  const rows = noted.map(({ seq, record }) => [
    seq,
    ...resultValues({ ...record, result: lastResultOf(record) }),
  ]);
  return {
    text: `insert into webpush.results as r (${resultColumns})
select * from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[], $6::smallint[], $7::timestamptz[],
  $8::text[], $9::timestamptz[], $10::text[], $11::bytea[])
on conflict (seq) do update set registered_at = excluded.registered_at, at = excluded.at, outcome = excluded.outcome,
  cause = excluded.cause, status = excluded.status, gone_at = excluded.gone_at, gone_cause = excluded.gone_cause,
  wrong_key_at = excluded.wrong_key_at, wrong_key_cause = excluded.wrong_key_cause, wrong_key = excluded.wrong_key`,
    values: Array.from({ length: 11 }, (_, column) => rows.map((row) => row[column])),
  };
}

/** Takes the marks away from records that registered anew; what came of the last message stays. */
export function clearMarks(changed: readonly Placed[]): Statement {
  return {
    text: `update webpush.results set gone_at = null, gone_cause = null,
  wrong_key_at = null, wrong_key_cause = null, wrong_key = null
where seq = any($1::bigint[]) and (gone_at is not null or wrong_key_at is not null)`,
    values: [changed.map(({ seq }) => seq)],
  };
}

const resultColumns = `seq, registered_at, at, outcome, cause, status, gone_at, gone_cause,
  wrong_key_at, wrong_key_cause, wrong_key`;

/** What came of the last message; a mark tells as much, where somebody wrote the one without the other. */
function lastResultOf({ lastResult, gone, wrongKey }: SubscriptionRecord): LastResult {
  if (lastResult !== undefined) return lastResult;
  if (gone !== undefined) return { ...gone, outcome: "gone", status: undefined };
  return { at: wrongKey?.at ?? 0, outcome: "wrong-key", cause: wrongKey?.cause ?? "", status: undefined };
}

/** Forgets records; `deleteResults` goes with it. */
export function deleteRecords(seqs: readonly string[]): Statement {
  return { text: "delete from webpush.subscriptions where seq = any($1::bigint[])", values: [seqs] };
}

export function deleteResults(seqs: readonly string[]): Statement {
  return { text: "delete from webpush.results where seq = any($1::bigint[])", values: [seqs] };
}
