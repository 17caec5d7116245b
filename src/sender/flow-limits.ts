/**
 * The bounds of a run, with the usual ones where none are given.
 */
import type { FlowOptions } from "./flow-options.ts";
import type { RetryPolicy } from "./retry.ts";

/** What bounds a flow, with what is not given filled in. */
export interface FlowLimits extends RetryPolicy {
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly drainMs: number;
}

/** The bounds that these options set. */
export function limitsOf({ concurrency, ...options }: FlowOptions<never>): FlowLimits {
  return {
    concurrency: Math.max(1, concurrency),
    retries: options.retries ?? 4,
    retryAmbiguous: options.retryAmbiguous ?? true,
    patienceMs: options.patienceMs ?? 300_000,
    maxWaiting: Math.max(1, options.maxWaiting ?? 20_000),
    drainMs: options.drainMs ?? 10_000,
  };
}
