/**
 * What a campaign is: one message to many, in a database that several machines share.
 *
 * It is cut into chunks, ranges of about a thousand recipients in stored order. A worker takes a chunk for one turn,
 * sends, records what became of everyone together with how far it came, and gives the chunk back when its turn is
 * over or finishes it. Whatever dies in between, the chunk goes on from what was recorded.
 */
import type { Message } from "../protocol/message.ts";
import type { ContentEncoding } from "../protocol/subscription.ts";
import type { VapidPublicKey } from "../protocol/vapid.ts";
import type { SubscriptionRecord } from "../store/subscriptions.ts";
import type { Counts } from "./counts.ts";

/**
 * - `running`: chunks are taken as soon as the campaign is due
 * - `paused`: nothing is sent until it is resumed
 * - `cancelled`, `expired` (its TTL has passed), `done`: nothing more will be sent
 */
export type CampaignState = "running" | "paused" | "cancelled" | "expired" | "done";

/** What a campaign sends and how; written when it is made, never changed. */
export interface CampaignPlan {
  readonly message: Message;
  /** Overrides the coding each subscription asks for. */
  readonly encoding: ContentEncoding | undefined;
  /** Whom to, as `--to` says it: ids, names, `tag:NAME`, or `all` alone. */
  readonly selection: readonly string[];
  /** The current pair's public key when it was made: a worker that lacks it takes no part. */
  readonly publicKey: VapidPublicKey;
  /** The most messages begun in a second, over all workers. */
  readonly rate: number | undefined;
  readonly retries: number;
  /** Whether those found gone are marked. */
  readonly prune: boolean;
}

/** A campaign as it is stored. Times are ms since 1970, by the database's clock. */
export interface Campaign extends CampaignPlan {
  readonly id: string;
  readonly state: CampaignState;
  /** Whose subscriptions: the store's, or those of a query, copied when the campaign was made. */
  readonly source: "subscriptions" | "query";
  readonly createdAt: number;
  readonly dueAt: number;
  /** When its message is of no use any more: nothing is sent after this. */
  readonly endsAt: number;
  readonly finishedAt: number | undefined;
  readonly recipients: number;
  readonly chunks: number;
  readonly chunksDone: number;
}

/** How a campaign is doing; `state` is as of now, also where its end is not noted yet. */
export interface CampaignProgress extends Campaign {
  /** When this was so, by the database's clock. */
  readonly asOf: number;
  /** Everyone that is settled, in finished and unfinished chunks. */
  readonly counts: Counts;
  /** Names of the workers that hold a chunk at this moment. */
  readonly workers: readonly string[];
  /** Origins that take nothing for now. */
  readonly holds: readonly OriginHold[];
}

/** An origin that is left alone for now. */
export interface OriginHold {
  readonly origin: string;
  readonly forMs: number;
  readonly cause: string;
  readonly reason: string | undefined;
}

/** What became of one recipient, or why it was not sent to. */
export interface Outcome {
  readonly recipient: TurnRecipient;
  readonly outcome: string;
  readonly cause: string;
  /** What is remembered of it; undefined where nothing was sent. When it happened, the database says. */
  readonly sent:
    | {
        readonly status: number | undefined;
        /** The key that was refused, for a `wrong-key`. */
        readonly refusedKey: VapidPublicKey | undefined;
        /** The key it turned out to be made with, where it did not say. */
        readonly madeWith: VapidPublicKey | undefined;
      }
    | undefined;
}

/** One recipient of a chunk. */
export interface TurnRecipient {
  /** Its place in the chunk: recipients come in this order. */
  readonly seq: bigint;
  readonly record: SubscriptionRecord;
}

/** A chunk in the hands of one worker, for one turn. */
export interface Turn {
  readonly campaign: Campaign;
  readonly chunk: number;
  /** How often the chunk was taken, this time included: whoever records after another took it is refused. */
  readonly number: number;
  /** Those who are not settled yet, in order. */
  readonly recipients: readonly TurnRecipient[];
  /** After this long another worker may take the chunk. */
  readonly leaseMs: number;
  /** For how long the message is of use; nothing is sent after that. */
  readonly endsInMs: number;
}

/** Those of a turn to be marked gone, judged when it is over. */
export type GoneMarks = readonly { readonly recipient: TurnRecipient; readonly cause: string }[];
