/** What `webpush subscriptions prune` prints. */
import { forgetCauses, type ForgetCause, type ForgetReason } from "../../store/forget.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import { ago, counted, recordJson } from "./render.ts";

/** A record that may be forgotten, and why. */
export interface Doomed {
  readonly record: SubscriptionRecord;
  readonly reason: ForgetReason;
}

const causeWords: Readonly<Record<ForgetCause, string>> = {
  gone: "marked gone by the push service's word",
  "dead-host": "at a host where no push service is",
  expired: "expired",
  "called-gone": "called gone, but not marked",
  "wrong-key": "made with another key: forget these only if the old private key is destroyed",
};

/** One of them, as lines for people. */
export function forgetText(
  { record: { id, name }, reason }: Doomed,
  now: number,
  { paint }: Pick<Io, "paint">,
): readonly string[] {
  const who = name === undefined ? id : `${id} (${printable(name, { limit: 40 })})`;
  return [
    `${paint.out.bad(who)}  ${reason.cause} ${ago(now - reason.since)}`,
    `    ${printable(reason.what)}`,
  ];
}

/** How many for each cause, and how to keep a copy. */
export function forgetCounts(doomed: ReadonlyMap<ForgetCause, number>, of: number): readonly string[] {
  const all = [...doomed.values()].reduce((sum, count) => sum + count, 0);
  if (all === 0) return [`nothing to forget among ${counted(of)}`];
  const counts = forgetCauses.flatMap((cause) => {
    const count = doomed.get(cause) ?? 0;
    return count === 0 ? [] : [`${String(count).padStart(6)}  ${causeWords[cause]}`];
  });
  return [
    `${all} of ${counted(of)} to forget for good:`,
    ...counts,
    "a copy first: webpush subscriptions export --output subscriptions.json",
  ];
}

/** One of them as a JSON record: `subscriptions list`'s fields, and why. Fields are a contract: docs/json.md. */
export function prunedJson(
  { record, reason: { cause, since, what } }: Doomed,
  { removed }: { readonly removed: boolean },
): string {
  return jsonLine({
    ...recordJson(record),
    removed,
    cause,
    since: new Date(since).toISOString(),
    what,
  });
}
