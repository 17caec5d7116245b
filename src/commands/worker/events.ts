/** What a worker tells of itself, in the order in which it happens. */
import type { Counts } from "../../campaigns/counts.ts";
import type { VapidPublicKey } from "../../protocol/vapid.ts";

/** A chunk at one of its turns. */
export interface ChunkTurn {
  readonly campaign: string;
  readonly chunk: number;
  /** How often the chunk was taken, this time included. */
  readonly turn: number;
}

/** What a turn came to. */
interface TurnSum extends ChunkTurn {
  /** Those settled in this turn, by outcome and cause. */
  readonly counts: Counts;
  readonly durationMs: number;
}

/** How a turn ended. */
export type TurnEnd =
  /** Everybody of it is settled. */
  | { readonly type: "chunk.finished" }
  /** It goes on later, here or elsewhere. */
  | {
      readonly type: "chunk.returned";
      readonly why: ReturnReason;
      readonly left: number;
      readonly afterMs: number;
    }
  /** It is in other hands, or nobody could be told in time: it goes on from what was recorded. */
  | { readonly type: "chunk.lost"; readonly left: number };

export type WorkerEvent =
  | {
      readonly type: "worker.started";
      readonly name: string;
      readonly version: string;
      readonly store: string;
      readonly chunks: number;
      readonly concurrency: number;
      /** Where health is asked for. */
      readonly health: string | undefined;
    }
  | (ChunkTurn & { readonly type: "chunk.taken"; readonly recipients: number })
  | (TurnSum & TurnEnd)
  /** It cannot be read, and was paused for that. */
  | { readonly type: "campaign.damaged"; readonly campaign: string; readonly reason: string }
  | { readonly type: "database.lost"; readonly reason: string }
  | { readonly type: "database.back"; readonly awayMs: number }
  | { readonly type: "keys.changed"; readonly publicKeys: readonly VapidPublicKey[] }
  | { readonly type: "worker.stopping" }
  | { readonly type: "worker.stopped"; readonly counts: Counts; readonly durationMs: number };

/**
 * - `time`: the turn was over before all were settled
 * - `held`: those left are of push services that want to be left alone, or wait for another attempt
 * - `stopped`: the worker was told to stop
 * - `campaign`: the campaign was paused, cancelled or has expired
 * - `database`: nothing could be recorded for a while
 */
export type ReturnReason = "time" | "held" | "stopped" | "campaign" | "database";

/** Takes events as they come. */
export type Tell = (event: WorkerEvent) => void;
