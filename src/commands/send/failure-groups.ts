/**
 * What went wrong, by cause, each with what it means and what to do: once, however many it happened to.
 *
 * At a terminal lines are broken between words; anywhere else a line stays a line, for `grep`.
 */
import { diagnosisOf, type Delivery } from "../../protocol/delivery.ts";
import { serviceLabel } from "../../protocol/services.ts";
import type { Io } from "../../terminal/io.ts";
import { printable } from "../../terminal/printable.ts";
import { wrap } from "../../terminal/wrap.ts";
import type { Result } from "./deliver.ts";
import type { SkippedRecipient } from "./plan.ts";
import type { Skipped } from "./tally.ts";

/** Different words of one failure that are shown. */
const longestReasons = 3;

interface FailureGroup {
  readonly cause: string;
  readonly meaning: string;
  readonly advice: string;
  readonly service: string;
  readonly reasons: Set<string>;
  count: number;
}

type Shown = Pick<Io, "paint" | "terminal">;

/** Failures grouped by cause, the most frequent first. */
export function failureGroups(
  results: readonly Result[],
  skipped: readonly SkippedRecipient[],
  io: Shown,
): readonly string[] {
  const groups = new Map<string, FailureGroup>();
  for (const { recipient, delivery } of results) {
    if (delivery.outcome !== "accepted")
      addFailure(groups, delivery, serviceLabel(recipient.subscription.endpoint));
  }
  for (const { skipped: one } of skipped) addSkipped(groups, one);
  return [...groups.values()].sort((a, b) => b.count - a.count).flatMap((group) => groupLines(group, io));
}

function groupLines(group: FailureGroup, { paint: { err }, terminal }: Shown): readonly string[] {
  const { count, meaning, service, cause, reasons, advice } = group;
  const columns = terminal.err ? terminal.columns : Number.POSITIVE_INFINITY;
  const where = `${service === "" ? "" : `(${service})  `}${cause}`;
  const isShort = `${count} × ${meaning} ${where}`.length <= columns;
  const more = reasons.size - longestReasons;
  return [
    "",
    `${err.bad(`${count} ×`)} ${err.bold(meaning)}${isShort ? ` ${err.dim(where)}` : ""}`,
    ...(isShort ? [] : [`    ${err.dim(where)}`]),
    ...[...reasons]
      .slice(0, longestReasons)
      .flatMap((reason) => labelled("said:", printable(reason, { limit: 200 }), columns)),
    ...(more > 0 ? [`          … and ${more} more; --json has them all`] : []),
    ...labelled(err.hint("do:") + "  ", printable(advice), columns),
  ];
}

/** `    said: …`, further lines below the text. */
function labelled(label: string, text: string, columns: number): readonly string[] {
  const [first = "", ...rest] = wrap(text, columns - 10);
  return [`    ${label} ${first}`, ...rest.map((line) => `          ${line}`)];
}

function addFailure(groups: Map<string, FailureGroup>, delivery: Delivery, service: string): void {
  const { meaning, advice } = diagnosisOf(delivery.cause);
  const group = groups.get(delivery.cause + service) ?? {
    cause: delivery.cause,
    meaning,
    advice,
    service,
    reasons: new Set<string>(),
    count: 0,
  };
  group.count += 1;
  if (delivery.reason !== undefined && delivery.reason !== "") group.reasons.add(delivery.reason);
  groups.set(delivery.cause + service, group);
}

const skippedMeanings: Readonly<Record<Skipped["cause"], string>> = {
  "key.unknown": "made with a key you do not have, not sent",
  "input.malformed": "no usable subscription, not sent",
  interrupted: "not sent",
};

function addSkipped(groups: Map<string, FailureGroup>, { cause, reason, advice }: Skipped): void {
  const group = groups.get(cause) ?? {
    cause,
    meaning: skippedMeanings[cause],
    advice,
    service: "",
    reasons: new Set<string>(),
    count: 0,
  };
  group.count += 1;
  group.reasons.add(reason);
  groups.set(cause, group);
}
