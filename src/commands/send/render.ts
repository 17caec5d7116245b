/**
 * What `webpush send` prints: a table for people, a record per delivery for programs.
 */
import type { UserError } from "../../base/errors.ts";
import { diagnosisOf, type Delivery } from "../../protocol/delivery.ts";
import { serviceLabel, serviceOf } from "../../protocol/services.ts";
import { shortenEndpoint } from "../../protocol/subscription.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import { table } from "../../terminal/table.ts";
import type { Result } from "./deliver.ts";
import type { SkippedRecipient } from "./plan.ts";
import type { FailureClass, Skipped, Tally } from "./tally.ts";

/** Longer lists are summed up by cause instead. */
const longestTable = 40;
/** Different words of one failure that are shown. */
const longestReasons = 3;
/** Narrower terminals have no room for where a message went, only for what became of it. */
const roomyColumns = 60;

/** One delivery as a JSON record. Fields are a contract: docs/json.md. */
export function resultJson({ recipient, delivery, attempts, durationMs }: Result): string {
  const { advice } = diagnosisOf(delivery.cause);
  return jsonLine({
    id: recipient.id,
    name: recipient.name ?? null,
    service: serviceOf(recipient.subscription.endpoint).id,
    host: new URL(recipient.subscription.endpoint).host,
    stored: recipient.record !== undefined,
    outcome: delivery.outcome,
    cause: delivery.cause,
    status: delivery.status ?? null,
    reason: delivery.reason ?? null,
    advice: delivery.outcome === "accepted" ? null : advice,
    requestId: delivery.requestId ?? null,
    location: delivery.outcome === "accepted" ? (delivery.location ?? null) : null,
    ttl: delivery.outcome === "accepted" ? (delivery.ttlSeconds ?? null) : null,
    retryAfterMs: delivery.retryAfterMs ?? null,
    attempts,
    ms: Math.round(durationMs),
  });
}

/** One recipient that no request was made for, with the same fields. */
export function skippedJson({ recipient, skipped }: SkippedRecipient): string {
  const known = "id" in recipient ? recipient : undefined;
  return jsonLine({
    id: known?.id ?? null,
    name: known?.name ?? null,
    service: known === undefined ? null : serviceOf(known.subscription.endpoint).id,
    host: known === undefined ? null : new URL(known.subscription.endpoint).host,
    stored: known?.record !== undefined,
    outcome: skipped.outcome,
    cause: skipped.cause,
    status: null,
    reason: skipped.reason,
    advice: skipped.advice,
    requestId: null,
    location: null,
    ttl: null,
    retryAfterMs: null,
    attempts: 0,
    ms: 0,
  });
}

/** The results as a table; nothing when there are too many to read. */
export function resultsTable(
  results: readonly Result[],
  skipped: readonly SkippedRecipient[],
  { paint, terminal }: Pick<Io, "paint" | "terminal">,
): readonly string[] {
  if (results.length + skipped.length > longestTable) return [];
  const rows = [
    ...results.map(({ recipient, delivery, durationMs }) => ({
      ...whoCells(recipient),
      outcome: delivery.outcome,
      status: delivery.status === undefined ? "-" : String(delivery.status),
      time: `${Math.round(durationMs)} ms`,
    })),
    ...skipped.map(({ recipient, skipped: { outcome } }) => ({
      ...whoCells(recipient),
      ...{ outcome, status: "-", time: "-" },
    })),
  ];
  const columns =
    terminal.columns < roomyColumns ? resultColumns.filter(({ roomy }) => !roomy) : resultColumns;
  const cells = rows.map((row) => columns.map(({ title }) => row[title]));
  const [head = "", ...lines] = table(columns, cells, terminal.columns);
  const colour = (line: string, index: number): string =>
    rows[index]?.outcome === "accepted"
      ? line.replace("accepted", paint.out.good("accepted"))
      : paint.out.bad(line);
  return [paint.out.dim(head), ...lines.map(colour)];
}

const resultColumns = [
  { title: "to", flexible: true, roomy: false },
  { title: "endpoint", flexible: true, roomy: true },
  { title: "outcome", roomy: false },
  { title: "status", align: "right", roomy: false },
  { title: "time", align: "right", roomy: false },
] as const;

/** Who it is about: a recipient, or the place of an entry that is none. */
function whoCells(recipient: SkippedRecipient["recipient"]) {
  if (!("id" in recipient)) return { to: printable(recipient.at, { limit: 40 }), endpoint: "-" };
  return {
    to: printable(recipient.name ?? recipient.id, { limit: 40 }),
    endpoint: printable(shortenEndpoint(recipient.subscription.endpoint), { limit: 60 }),
  };
}

interface FailureGroup {
  readonly cause: string;
  readonly meaning: string;
  readonly advice: string;
  readonly service: string;
  readonly reasons: Set<string>;
  count: number;
}

/** Failures grouped by cause, each with what it means and what to do. */
export function failureGroups(
  results: readonly Result[],
  skipped: readonly SkippedRecipient[],
  { paint }: Pick<Io, "paint">,
): readonly string[] {
  const groups = new Map<string, FailureGroup>();
  for (const { recipient, delivery } of results) {
    if (delivery.outcome !== "accepted")
      addFailure(groups, delivery, serviceLabel(recipient.subscription.endpoint));
  }
  for (const { skipped: one } of skipped) addSkipped(groups, one);
  return [...groups.values()]
    .sort((a, b) => b.count - a.count)
    .flatMap(({ cause, count, service, meaning, advice, reasons }) => [
      "",
      `${paint.err.bad(`${count} ×`)} ${paint.err.bold(meaning)}${service === "" ? "" : ` (${service})`}  ${paint.err.dim(cause)}`,
      ...reasonLines([...reasons]),
      `    ${paint.err.hint("do:")}   ${printable(advice)}`,
    ]);
}

function reasonLines(reasons: readonly string[]): readonly string[] {
  const more = reasons.length - longestReasons;
  return [
    ...reasons.slice(0, longestReasons).map((reason) => `    said: ${printable(reason, { limit: 200 })}`),
    ...(more > 0 ? [`          … and ${more} more; --json has them all`] : []),
  ];
}

/** The messages are sent, but the project does not know it. */
export function unrememberedText(
  { message, hints }: UserError,
  { paint }: Pick<Io, "paint">,
): readonly string[] {
  return [
    "",
    `${paint.err.caution("warning:")} the results could not be stored: ${printable(message)}`,
    ...hints.map((hint) => `${paint.err.hint("hint:")} ${printable(hint)}`),
  ];
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

const classWords = {
  gone: "gone",
  credentials: "refused credentials",
  later: "to try later",
  unusable: "unusable",
  failed: "failed",
} as const satisfies Readonly<Record<FailureClass, string>>;

/** `sent 12: 10 accepted, 1 gone, 1 to try later`. */
export function summaryLine(
  { total, accepted, failures, interrupted }: Tally,
  { paint }: Pick<Io, "paint">,
): string {
  const parts = [
    paint.err.good(`${accepted} accepted`),
    ...(Object.keys(classWords) as (keyof typeof classWords)[]).flatMap((name) =>
      failures[name] === 0 ? [] : [paint.err.bad(`${failures[name]} ${classWords[name]}`)],
    ),
    ...(interrupted === 0 ? [] : [paint.err.caution(`${interrupted} not sent`)]),
  ];
  return `${total === accepted ? "" : "\n"}${total} in all: ${parts.join(", ")}`;
}
