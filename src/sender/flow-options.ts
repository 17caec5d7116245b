/**
 * What a run of jobs is told, and what it tells about itself.
 */
import type { Clock, Random } from "../base/clock.ts";
import type { SetTimer } from "./alarm.ts";
import type { Encryptor } from "./encryptor.ts";
import type { Observer } from "./job.ts";
import type { OriginShares } from "./origin-shares.ts";
import type { SharedPace } from "./shared-pace.ts";
import type { TokenCache } from "./token-cache.ts";
import type { Transport } from "./transport.ts";

/** How jobs are sent, whatever carries them. */
export interface FlowOptions<Tag> {
  /** The most jobs in flight at a time, over all origins. */
  readonly concurrency: number;
  /** The most messages begun in a second, over all origins; unlimited unless given. */
  readonly rate?: number;
  /** How often one message is sent again at most; 4 unless given. */
  readonly retries?: number;
  /** Whether a message that may have been processed is sent again: at least once (the default), or at most once. */
  readonly retryAmbiguous?: boolean;
  /** How long a service may ask to wait; what would wait longer ends as it stands. 5 min unless given. */
  readonly patienceMs?: number;
  /** The most jobs that wait, for their turn or for another attempt; 20 000 unless given. */
  readonly maxWaiting?: number;
  /** Stops taking jobs and beginning attempts; those in flight are finished. */
  readonly signal: AbortSignal;
  /** How long they may take to; 10 s unless given, infinity where `forceSignal` sees to it. */
  readonly drainMs?: number;
  /** Gives up those in flight too. */
  readonly forceSignal?: AbortSignal;
  readonly observer?: Observer<Tag>;
  /** What is shared with flows of other processes. Where it limits messages, `rate` does not. */
  readonly pace?: SharedPace;
  readonly clock: Clock;
}

/** What a flow works with. */
export interface Means {
  readonly transport: Transport;
  readonly encryptor: Encryptor;
  readonly tokens: TokenCache;
  /** Spreads the waits before retries. */
  readonly random: Random;
  /** `setTimeout` unless given. */
  readonly setTimer?: SetTimer;
}

/** What the flows of one sender work with: the same connections among other things. */
export interface FlowMeans extends Means {
  readonly shares: OriginShares;
}

/** How one origin is faring. */
export interface OriginState {
  readonly origin: string;
  readonly inFlight: number;
  /** Jobs that wait, for their turn or for another attempt. */
  readonly waiting: number;
  /** How many may be in flight at present. */
  readonly limit: number;
  /** Nothing is sent until then. */
  readonly pausedUntil: number | undefined;
  /** What is spoken there, as soon as that is known. */
  readonly protocol: "h2" | "http/1.1" | undefined;
}
