/**
 * What `webpush send` prints: a table for people, a record per delivery for programs.
 */
import type { UserError } from "../../base/errors.ts";
import { diagnosisOf } from "../../protocol/delivery.ts";
import { serviceOf } from "../../protocol/services.ts";
import { shortenEndpoint } from "../../protocol/subscription.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";
import { shorten, table } from "../../terminal/table.ts";
import type { Result } from "./deliver.ts";
import type { SkippedRecipient } from "./plan.ts";
import type { FailureClass, Tally } from "./tally.ts";

/** Longer lists are summed up by cause instead. */
export const longestTable = 40;
/** Columns of a name; more is cut off. */
const longestName = 24;
/** Narrower terminals have no room for where a message went, only for what became of it. */
const roomyColumns = 72;

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
  const columns = terminal.columns < roomyColumns ? narrowTable : roomyTable;
  const cells = rows.map((row) => columns.map(({ title }) => row[title]));
  const [head = "", ...lines] = table(columns, cells, terminal.columns);
  const colour = (line: string, index: number): string =>
    rows[index]?.outcome === "accepted"
      ? line.replace("accepted", paint.out.good("accepted"))
      : paint.out.bad(line);
  return [paint.out.dim(head), ...lines.map(colour)];
}

const factColumns = [
  { title: "outcome" },
  { title: "status", align: "right" },
  { title: "time", align: "right" },
] as const;

/** Whom it is about matters more than where it went, so the endpoint gives way. */
const roomyTable = [{ title: "to" }, { title: "endpoint", flexible: true }, ...factColumns] as const;

const narrowTable = [{ title: "to", flexible: true }, ...factColumns] as const;

/** Who it is about: a recipient, or the place of an entry that is none. */
function whoCells(recipient: SkippedRecipient["recipient"]) {
  if (!("id" in recipient)) return { to: shorten(printable(recipient.at), longestName), endpoint: "-" };
  return {
    to: shorten(printable(recipient.name ?? recipient.id), longestName),
    endpoint: printable(shortenEndpoint(recipient.subscription.endpoint), { limit: 60 }),
  };
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

const classWords = {
  gone: "gone",
  credentials: "refused credentials",
  later: "to try later",
  inDoubt: "in doubt",
  unusable: "unusable",
  failed: "failed",
} as const satisfies Readonly<Record<FailureClass, string>>;

/** `sent 12: 10 accepted, 1 gone, 1 to try later`. */
export function summaryLine(
  { total, accepted, failures, settledBefore, repeated, interrupted }: Tally,
  { paint }: Pick<Io, "paint">,
): string {
  const isPlain = total === accepted + settledBefore + repeated;
  const parts = [
    paint.err.good(`${accepted} accepted`),
    ...(settledBefore === 0 ? [] : [`${settledBefore} done before`]),
    ...(repeated === 0 ? [] : [`${repeated} repeated`]),
    ...(Object.keys(classWords) as (keyof typeof classWords)[]).flatMap((name) =>
      failures[name] === 0 ? [] : [paint.err.bad(`${failures[name]} ${classWords[name]}`)],
    ),
    ...(interrupted === 0 ? [] : [paint.err.caution(`${interrupted} not sent`)]),
  ];
  return `${isPlain ? "" : "\n"}${total} in all: ${parts.join(", ")}`;
}
