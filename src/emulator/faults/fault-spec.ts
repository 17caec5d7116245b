/** Fault rules as objects, for programs: the words of words.ts in camelCase, with what each takes. */
import type { PersonalityId } from "../personalities.ts";
import type { GoAway, Protocol, When } from "./fault.ts";

/** When a rule strikes: every condition that is given must hold. */
interface FaultConditions {
  /** An endpoint, or the last part of one. */
  readonly subscription?: string;
  /** Subscriptions that behave as this service's. */
  readonly as?: PersonalityId;
  /** Requests to this origin, such as `https://fcm.googleapis.com`. */
  readonly origin?: string;
  readonly protocol?: Protocol;
  /** Only the nth that fits, from 1. */
  readonly nth?: number;
  /** Each nth that fits. */
  readonly every?: number;
  /** So many of a hundred, by chance. */
  readonly percent?: number;
  /** At most so often. */
  readonly times?: number;
}

/** What goes wrong: one of these. Times are milliseconds and sizes bytes, but for `retryAfter` (s) and `bandwidth` (kB/s). */
type FaultKind =
  | {
      readonly status: number;
      readonly retryAfter?: number;
      readonly retryAfterDate?: number;
      readonly body?: string;
      readonly when?: When;
    }
  | { readonly answer: string; readonly when?: When }
  | { readonly latency: number; readonly jitter?: number; readonly when?: When }
  | { readonly timeout: number | true; readonly when?: When }
  | { readonly resetPeer: number | true; readonly when?: When }
  | { readonly down: true }
  | { readonly redirect: string | true; readonly code?: number }
  | { readonly hugeBody: number | true; readonly code?: number }
  | { readonly lyingLength: number | true }
  | { readonly stall: number | true }
  | { readonly limitData: number }
  | { readonly slicer: number; readonly variation?: number; readonly pause?: number }
  | { readonly bandwidth: number }
  | { readonly slowClose: number }
  | { readonly goaway: GoAway | true }
  | { readonly refusedStream: true }
  | { readonly enhanceYourCalm: true }
  | { readonly disconnect: number | true }
  | { readonly forget: true }
  | { readonly drop: true }
  | { readonly delay: number; readonly jitter?: number };

/** A rule: what goes wrong, and when. */
export type FaultSpec = FaultKind & FaultConditions;
