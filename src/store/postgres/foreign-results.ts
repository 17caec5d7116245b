/**
 * What came of messages to subscriptions of somebody else's table, by the fingerprint of their endpoints.
 */
import type { Buffer } from "node:buffer";
import type { Endpoint } from "../../protocol/subscription.ts";
import type { ResultNote } from "../subscriptions.ts";
import type { Statement } from "./database.ts";
import { endpointFingerprint, resultValues, type ResultRow } from "./rows.ts";

export interface ForeignResultRow extends ResultRow {
  readonly fingerprint: Buffer;
  readonly registered_at: Date;
}

export function selectForeignResults(fingerprints: readonly Buffer[]): Statement {
  return {
    text: `select fingerprint, registered_at, at, outcome, cause, status, gone_at, gone_cause,
  wrong_key_at, wrong_key_cause, wrong_key
from webpush.foreign_results where fingerprint = any($1)`,
    values: [fingerprints],
  };
}

/** Results as they are noted of stored ones: marks stay until a message is accepted, or the page registers again. */
export function writeForeignResults(notes: readonly (readonly [Endpoint, ResultNote])[]): Statement {
  const rows = notes.map(([endpoint, one]) => [endpointFingerprint(endpoint), ...resultValues(one)]);
  return {
    text: `insert into webpush.foreign_results as r (fingerprint, registered_at, at, outcome, cause, status,
  gone_at, gone_cause, wrong_key_at, wrong_key_cause, wrong_key)
select * from unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[], $6::smallint[],
  $7::timestamptz[], $8::text[], $9::timestamptz[], $10::text[], $11::bytea[])
  as n (fingerprint, registered_at, at, outcome, cause, status, gone_at, gone_cause, wrong_key_at, wrong_key_cause, wrong_key)
order by n.fingerprint
on conflict (fingerprint) do update set registered_at = excluded.registered_at, at = excluded.at,
  outcome = excluded.outcome, cause = excluded.cause, status = excluded.status,
  ${["gone_at", "gone_cause", "wrong_key_at", "wrong_key_cause", "wrong_key"].map(keptMark).join(",\n  ")}
where r.registered_at <= excluded.registered_at`,
    values: Array.from({ length: 11 }, (_, column) => rows.map((row) => row[column])),
  };
}

function keptMark(column: string): string {
  return `${column} = coalesce(excluded.${column},
    case when excluded.outcome = 'accepted' or r.registered_at < excluded.registered_at then null else r.${column} end)`;
}
