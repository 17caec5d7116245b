/**
 * What went wrong, by cause, each with what it means and what to do: once, however many it happened to.
 *
 * At a terminal lines are broken between words; anywhere else a line stays a line, for `grep`.
 */
import { groupDigits } from "../../base/figures.ts";
import { diagnosisOf } from "../../protocol/delivery.ts";
import { describeUnknownKey } from "../../protocol/preflight.ts";
import { serviceLabel } from "../../protocol/services.ts";
import type { Io } from "../../terminal/io.ts";
import { printable } from "../../terminal/printable.ts";
import { wrap } from "../../terminal/wrap.ts";
import type { Result } from "./deliver.ts";
import type { SkippedRecipient } from "./plan.ts";
import type { Outcome, Skipped } from "./tally.ts";

/** Different words of one failure that are shown. */
const longestReasons = 3;
/** Different words that are kept: services put tokens and times into theirs, so a million may differ. */
const mostReasons = 100;

interface FailureGroup {
  readonly cause: string;
  readonly meaning: string;
  readonly advice: string;
  readonly service: string;
  readonly reasons: Set<string>;
  count: number;
}

type Shown = Pick<Io, "paint" | "terminal">;

/** Failures grouped by cause as they come; memory holds one of each cause and service. */
export class FailureGroups {
  readonly #groups = new Map<string, FailureGroup>();

  add({ recipient, delivery }: Pick<Result, "recipient" | "delivery">): void {
    if (delivery.outcome === "accepted") return;
    const { meaning, advice } = diagnosisOf(delivery.cause);
    const service = serviceLabel(recipient.subscription.endpoint);
    this.#add({ cause: delivery.cause, meaning, advice, service }, delivery.reason);
  }

  addSkipped({ skipped: { cause, reason, advice } }: SkippedRecipient): void {
    const meaning = skippedMeanings[cause];
    if (meaning !== undefined) this.#add({ cause, meaning, advice, service: "" }, reason);
  }

  /** As many of an outcome, where nothing else is known of them. */
  addCount(outcome: Outcome, count: number): void {
    const { cause } = outcome;
    if (outcome.outcome === "skipped") {
      const meaning = skippedMeanings[outcome.cause];
      const advice = skippedAdvice[outcome.cause] ?? "see docs/errors.md";
      if (meaning !== undefined) this.#add({ cause, meaning, advice, service: "" }, "", count);
    } else if (outcome.outcome !== "accepted") {
      const { meaning, advice } = diagnosisOf(outcome.cause);
      this.#add({ cause, meaning, advice, service: "" }, "", count);
    }
  }

  #add(about: Omit<FailureGroup, "reasons" | "count">, reason = "", times = 1): void {
    const key = about.cause + about.service;
    const group = this.#groups.get(key) ?? { ...about, reasons: new Set<string>(), count: 0 };
    group.count += times;
    if (reason !== "" && group.reasons.size < mostReasons) group.reasons.add(reason);
    this.#groups.set(key, group);
  }

  /** Lines for people, the most frequent first. */
  lines(io: Shown): readonly string[] {
    return [...this.#groups.values()]
      .sort((a, b) => b.count - a.count)
      .flatMap((group) => groupLines(group, io));
  }
}

/** What is told of those skipped; nothing of those that nothing is wrong with. */
const skippedMeanings: Readonly<Record<Skipped["cause"], string | undefined>> = {
  "key.unknown": "made with a key you do not have, not sent",
  "key.refused": "refused before: made with another key, not sent",
  "input.malformed": "no usable subscription, not sent",
  "message.unfit": "the message does not fit its service, not sent",
  "message.unsigned": "its service wants a contact, not sent",
  "journal.ambiguous": "may have arrived in an earlier run, not sent again",
  interrupted: "not sent",
  "input.repeated": undefined,
  "journal.accepted": undefined,
  "journal.gone": undefined,
};

/** What to do about those skipped, whoever they are. */
const skippedAdvice: Partial<Record<Skipped["cause"], string>> = {
  "key.unknown": describeUnknownKey(undefined).advice,
  "key.refused": "have their pages visited again, which subscribes anew",
  "input.malformed": "correct what was stored, or have the pages subscribe again",
  "message.unfit": "change what does not fit: TTL, topic or size; webpush send --to one of them says which",
  "message.unsigned": "store a contact: webpush keys --subject mailto:you@your-domain",
};

function groupLines(group: FailureGroup, { paint: { err }, terminal }: Shown): readonly string[] {
  const { count, meaning, service, cause, reasons, advice } = group;
  const columns = terminal.errColumns;
  const where = `${service === "" ? "" : `(${service})  `}${cause}`;
  const isShort = `${groupDigits(count)} × ${meaning} ${where}`.length <= columns;
  const more = reasons.size - longestReasons;
  return [
    "",
    `${err.bad(`${groupDigits(count)} ×`)} ${err.bold(meaning)}${isShort ? ` ${err.dim(where)}` : ""}`,
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
