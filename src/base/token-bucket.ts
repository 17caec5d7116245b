/** A limit on how often something may happen: bursts up to a size, and so many a second in the long run. */
import type { Clock } from "./clock.ts";

export interface TokenBucket {
  /** Takes one token; false when there is none. */
  take(): boolean;
  /** When there is a token to take, at the earliest. */
  nextAt(): number;
}

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A full bucket. */
export function createTokenBucket({ burst, perSecond }: Rate, clock: Clock): TokenBucket {
  let tokens = burst;
  let filledAt = clock.now();
  function fill(): void {
    const now = clock.now();
    // A clock that was set back must not take tokens away.
    tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) * perSecond) / 1000);
    filledAt = now;
  }
  return {
    take() {
      fill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    nextAt() {
      fill();
      return tokens >= 1 ? filledAt : filledAt + ((1 - tokens) * 1000) / perSecond;
    },
  };
}
