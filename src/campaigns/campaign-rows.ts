/**
 * Campaigns and recipients as rows of the database.
 */
import type { Buffer } from "node:buffer";
import { UserError } from "../base/errors.ts";
import type { Topic, Urgency } from "../protocol/message.ts";
import type { ContentEncoding } from "../protocol/subscription.ts";
import { publicKeyOf, recordOf, type RecordRow } from "../store/postgres/rows.ts";
import type { Campaign, CampaignState, Counts, TurnRecipient } from "./campaign.ts";

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

/** The campaign of a row; its words were checked when it was made. */
export function campaignOf(row: CampaignRow): Campaign {
  return {
    id: row.id,
    state: row.state,
    createdAt: row.created_at.getTime(),
    dueAt: row.due_at.getTime(),
    endsAt: row.ends_at.getTime(),
    finishedAt: row.finished_at?.getTime(),
    message: {
      payload: row.payload ?? undefined,
      ttlSeconds: row.ttl_seconds,
      urgency: (row.urgency ?? undefined) as Urgency | undefined,
      topic: (row.topic ?? undefined) as Topic | undefined,
    },
    encoding: (row.encoding ?? undefined) as ContentEncoding | undefined,
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

/** The recipients of rows, and the places of those that cannot be read: somebody else has written there. */
export function recipientsOf(rows: readonly RecordRow[]): {
  readonly recipients: readonly TurnRecipient[];
  readonly damaged: readonly bigint[];
} {
  const recipients: TurnRecipient[] = [];
  const damaged: bigint[] = [];
  for (const row of rows) {
    const seq = BigInt(row.seq);
    try {
      recipients.push({ seq, record: recordOf(row) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      damaged.push(seq);
    }
  }
  return { recipients, damaged };
}
