/**
 * What can go wrong on request, as data: a toxic, in toxiproxy's words where it has one, and when it strikes.
 *
 * A toxic strikes a request that sends a message, or a message on its way to its receiver. Those of
 * requests happen before the message is taken (it is not accepted) or after (it is, and the sender
 * cannot know): `when` says which.
 */

import type { CauseId } from "../../protocol/diagnoses.ts";
import type { PersonalityId } from "../personalities.ts";

/** Before the message is taken, or after. */
export type When = "before" | "after";

/** `graceful`: this request is still answered. `unprocessed`: it is not, and HTTP/2 says so. `mid-flight`: it was taken, and no answer comes. */
export type GoAway = "graceful" | "unprocessed" | "mid-flight";

/** What goes wrong. Times are milliseconds, sizes bytes. */
export type Toxic =
  | {
      readonly type: "status";
      readonly status: number;
      readonly retryAfter: RetryAfter | undefined;
      readonly body: string;
      readonly when: When;
    }
  /** The answer of a real push service, by the id of its diagnosis. */
  | { readonly type: "answer"; readonly cause: CauseId; readonly when: When }
  | { readonly type: "redirect"; readonly location: string; readonly status: number }
  | { readonly type: "huge-body"; readonly bytes: number; readonly status: number }
  | { readonly type: "latency"; readonly ms: number; readonly jitterMs: number; readonly when: When }
  | { readonly type: "timeout"; readonly ms: number; readonly when: When }
  | { readonly type: "reset-peer"; readonly ms: number; readonly when: When }
  | { readonly type: "down" }
  | { readonly type: "bandwidth"; readonly bytesPerSecond: number }
  | {
      readonly type: "slicer";
      readonly bytes: number;
      readonly variationBytes: number;
      readonly pauseMs: number;
    }
  | { readonly type: "limit-data"; readonly bytes: number }
  | { readonly type: "slow-close"; readonly ms: number }
  | { readonly type: "stall"; readonly ms: number }
  | { readonly type: "lying-length"; readonly byBytes: number }
  | { readonly type: "goaway"; readonly mode: GoAway }
  | { readonly type: "refused-stream" }
  | { readonly type: "enhance-your-calm" }
  | { readonly type: "disconnect"; readonly code: number }
  | { readonly type: "forget" }
  | { readonly type: "drop" }
  | { readonly type: "delay"; readonly ms: number; readonly jitterMs: number };

/** When to come back, and in which of the two forms of RFC 9110 §10.2.3. */
export interface RetryAfter {
  readonly seconds: number;
  readonly isDate: boolean;
}

/** When it strikes: every condition that is given must hold. */
export interface Conditions {
  /** Last part of the subscription's endpoint. */
  readonly pushId: string | undefined;
  readonly personality: PersonalityId | undefined;
  readonly origin: string | undefined;
  readonly protocol: Protocol | undefined;
  /** The one with this number among those that fit, from 1. */
  readonly nth: number | undefined;
  /** Each of so many. */
  readonly every: number | undefined;
  /** So many of a hundred, by chance. */
  readonly percent: number | undefined;
  /** At most so often. */
  readonly times: number | undefined;
}

export const protocols = ["http/1.1", "h2"] as const;
export type Protocol = (typeof protocols)[number];

/** A toxic with its conditions. */
export interface Fault {
  readonly toxic: Toxic;
  readonly conditions: Conditions;
  /** The rule as it is written on the command line. */
  readonly rule: string;
}

/** Whom a toxic strikes. */
export type Side = "push" | "receiver";

export function sideOf({ type }: Toxic): Side {
  switch (type) {
    case "disconnect":
    case "forget":
    case "drop":
    case "delay":
      return "receiver";
    case "status":
    case "answer":
    case "redirect":
    case "huge-body":
    case "latency":
    case "timeout":
    case "reset-peer":
    case "down":
    case "bandwidth":
    case "slicer":
    case "limit-data":
    case "slow-close":
    case "stall":
    case "lying-length":
    case "goaway":
    case "refused-stream":
    case "enhance-your-calm":
      return "push";
    default:
      return type satisfies never;
  }
}

/** Whether only HTTP/2 has a word for it. */
export function needsHttp2({ type }: Toxic): boolean {
  return type === "goaway" || type === "refused-stream" || type === "enhance-your-calm";
}
