/**
 * The shape of one row of the diagnosis table.
 *
 * A row says which answers it recognises (`when`), what they mean, what a person
 * should do, and what a program may do next. Rows are plain data: the one matcher
 * is in `delivery.ts`, and the emulator replays each row's `example`.
 */

import type { ServiceId } from "../services.ts";

/** What became of one message. */
export type Outcome =
  | "accepted"
  | "gone"
  | "wrong-key"
  | "throttled"
  | "unavailable"
  | "rejected"
  | "unreachable"
  | "ambiguous"
  | "blocked";

/**
 * How an exchange can end without an answer.
 *
 * - `blocked`: our own address rules refused the endpoint
 * - `dns`, `connect`, `tls`: the request was never sent
 * - `refused-stream`: HTTP/2 says the request was not processed (RFC 9113 §8.7)
 * - `calm`: HTTP/2 ENHANCE_YOUR_CALM closed the connection (RFC 9113 §7)
 * - `ambiguous`: the request had left; whether it was processed is unknown
 */
export type FailureKind = "blocked" | "dns" | "connect" | "tls" | "ambiguous" | "refused-stream" | "calm";

/** One status, or an inclusive range of them. */
export type StatusPattern = number | readonly [from: number, to: number];

/** Which answers a row recognises: every field that is given must hold. */
export interface Pattern {
  /** The exchange ended without an answer, in this way. */
  readonly failure?: FailureKind;
  readonly status?: readonly StatusPattern[];
  /** Mozilla's `errno`, one of these. */
  readonly errno?: readonly number[];
  /** Apple's `reason`, exactly. */
  readonly reason?: string;
  /** One of these occurs in the answer's words, whatever the case. */
  readonly text?: readonly string[];
  /** One of these occurs in one of the named response headers, whatever the case. */
  readonly header?: { readonly names: readonly string[]; readonly text: readonly string[] };
}

/** An answer as the service gives it. */
interface Example {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A diagnosis whose id is still any text; `diagnoses.ts` narrows it to the ids that exist. */
export interface Row {
  /** Stable identifier, part of the `--json` contract. */
  readonly id: string;
  /** Whose answer it is; `any` for all. */
  readonly service: ServiceId | "any";
  readonly when: Pattern;
  readonly outcome: Outcome;
  /** What happened, in a few words. */
  readonly meaning: string;
  /** What to do about it: one imperative line. */
  readonly advice: string;
  /** `after` waits for `Retry-After`, or backs off where none is given. */
  readonly retry: "no" | "backoff" | "after" | "once";
  /** `at-once`: the first retry needs no wait. `hours`: sooner is pointless. */
  readonly pace?: "at-once" | "hours";
  /** The retry must carry a newly signed token. */
  readonly freshToken?: true;
  /** The wait concerns this one subscription, not everything else sent to the origin. */
  readonly perSubscription?: true;
  /** What to do with the stored subscription. */
  readonly subscription: "keep" | "delete" | "wrong-key" | "suspect";
  /** What the failure is about; decides the exit code. */
  readonly about: "credentials" | "message" | "endpoint" | "gone" | "network" | "service" | "rate" | "none";
  /** Nothing more may be sent to this origin in this run. */
  readonly haltOrigin?: true;
  readonly source: string;
  /** An answer that is this row's; absent where no service is involved. */
  readonly example?: Example;
}
