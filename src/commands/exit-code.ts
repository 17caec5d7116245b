/**
 * Exit codes: what a shell script or CI job can rely on.
 *
 * The table is the documentation too: `webpush help exit-codes` prints it.
 */
import type { ErrorKind } from "../base/errors.ts";

export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  credentials: 4,
  gone: 5,
  later: 6,
  bug: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What each code means, for people. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: "done: everything sent was accepted; subscriptions found gone in a broadcast do not spoil this",
  1: "failed: nothing was accepted, or the command could not do its work, and no narrower code fits",
  2: "usage or input: a bad flag, malformed key, subscription or payload; nothing was sent",
  3: "partial: some deliveries were accepted and some failed",
  4: "refused credentials: every failure is about VAPID (key mismatch, token, subject)",
  5: "gone: every recipient asked for is unsubscribed or expired",
  6: "try later: every failure is temporary (throttled, 5xx, network)",
  70: "a bug of webpush: stack, versions and where to report it are printed",
  130: "interrupted",
};

/** The exit code of a UserError by its kind. */
export function exitCodeOf(kind: ErrorKind): ExitCode {
  switch (kind) {
    case "input":
      return ExitCode.usage;
    case "failed":
      return ExitCode.failed;
    case "credentials":
      return ExitCode.credentials;
    case "interrupted":
      return ExitCode.interrupted;
    default:
      return kind satisfies never;
  }
}
