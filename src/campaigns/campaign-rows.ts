/**
 * Campaigns and recipients as rows of the database.
 */
import type { Buffer } from "node:buffer";
import { UserError } from "../base/errors.ts";
import { parseTopic, parseUrgency } from "../protocol/message.ts";
import { areCounts, damaged } from "./damage.ts";
import { contentEncodings } from "../protocol/subscription.ts";
import { msOf, publicKeyOf, recordOf, type RecordRow } from "../store/postgres/rows.ts";
import type { Campaign, CampaignState, TurnRecipient } from "./campaign.ts";
import type { Counts } from "./counts.ts";

/** A running campaign whose time has passed is over, though nobody may have noted it yet. */
export const stateNow =
  "case when k.state in ('running', 'paused') and k.ends_at <= now() then 'expired' else k.state end";

/** What `campaignOf` reads, of a campaign `k`. */
export const campaignColumns = `k.id, ${stateNow} as state, k.created_at, k.due_at, k.ends_at, k.finished_at, k.payload,
  k.ttl_seconds, k.urgency, k.topic, k.encoding, k.source, k.selection, k.public_key, k.rate, k.retries, k.prune,
  k.recipients, k.chunks, k.chunks_done, k.counts`;

export interface CampaignRow {
  readonly id: string;
  readonly state: CampaignState;
  readonly created_at: Date;
  readonly due_at: Date;
  readonly ends_at: Date;
  readonly finished_at: Date | null;
  readonly payload: Buffer | null;
  readonly ttl_seconds: number;
  readonly urgency: string | null;
  readonly topic: string | null;
  readonly encoding: string | null;
  readonly source: "subscriptions" | "query";
  readonly selection: readonly string[];
  readonly public_key: Buffer;
  readonly rate: number | null;
  readonly retries: number;
  readonly prune: boolean;
  /** A bigint, as text. */
  readonly recipients: string;
  readonly chunks: number;
  readonly chunks_done: number;
  readonly counts: Counts;
}

/**
 * The campaign of a row. Others may have written there: nothing of it reaches a header or a statement unchecked.
 *
 * @throws UserError `campaign-damaged`
 */
export function campaignOf(row: CampaignRow): Campaign {
  const wrong = defectOf(row);
  if (wrong !== undefined) throw damaged(row.id, wrong);
  try {
    return valuesOf(row);
  } catch (error) {
    throw error instanceof UserError ? damaged(row.id, error.message) : error;
  }
}

function valuesOf(row: CampaignRow): Campaign {
  const { urgency, topic } = row;
  return {
    id: row.id,
    state: row.state,
    createdAt: msOf(row.created_at),
    dueAt: msOf(row.due_at),
    endsAt: msOf(row.ends_at),
    finishedAt: row.finished_at === null ? undefined : msOf(row.finished_at),
    message: {
      payload: row.payload ?? undefined,
      ttlSeconds: row.ttl_seconds,
      urgency: urgency === null ? undefined : parseUrgency(urgency),
      topic: topic === null ? undefined : parseTopic(topic),
    },
    encoding: contentEncodings.find((encoding) => encoding === row.encoding),
    source: row.source,
    selection: row.selection,
    publicKey: publicKeyOf(row.public_key),
    rate: row.rate ?? undefined,
    retries: row.retries,
    prune: row.prune,
    recipients: Number(row.recipients),
    chunks: row.chunks,
    chunksDone: row.chunks_done,
  };
}

/** What is wrong with a row, as far as the parsers of its words do not say it. */
function defectOf(row: CampaignRow): string | undefined {
  if (!/^[\w-]{1,64}$/.test(row.id)) return "its id is none of ours";
  if (row.ttl_seconds < 0) return `its TTL is ${row.ttl_seconds}`;
  if (row.retries < 0) return `its retries are ${row.retries}`;
  if (row.rate !== null && row.rate < 1) return `its rate is ${row.rate}`;
  const isEncoding = (contentEncodings as readonly (string | null)[]).includes(row.encoding);
  if (row.encoding !== null && !isEncoding) return "its encoding is not known";
  if (!row.selection.every((one: unknown) => typeof one === "string"))
    return "its selection is no list of texts";
  return areCounts(row.counts) ? undefined : "its counts are no numbers";
}

/** The recipients of rows, and the places of those that cannot be read: somebody else has written there. */
export function recipientsOf(rows: readonly RecordRow[]): {
  readonly recipients: readonly TurnRecipient[];
  readonly unreadable: readonly bigint[];
} {
  const recipients: TurnRecipient[] = [];
  const unreadable: bigint[] = [];
  for (const row of rows) {
    const seq = BigInt(row.seq);
    try {
      recipients.push({ seq, record: recordOf(row) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      unreadable.push(seq);
    }
  }
  return { recipients, unreadable };
}
