/** What `webpush subscriptions` prints. Endpoints are shortened unless one was asked for by name. */
import type { RefusedEntry } from "../../formats/subscriptions.ts";
import { serviceLabel, serviceOf } from "../../protocol/services.ts";
import { shortenEndpoint } from "../../protocol/subscription.ts";
import type { Finding } from "../../store/check.ts";
import type { Added, LastResult, SubscriptionRecord, WrongKeyMark } from "../../store/subscriptions.ts";
import type { Io } from "../../terminal/io.ts";
import { printable } from "../../terminal/printable.ts";
import { tableLines } from "../../terminal/table.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Painted = Pick<Io, "paint">;

/** One record as JSON, without its secrets: neither the keys nor the endpoint's secret path. */
export function recordJson(record: SubscriptionRecord) {
  const { id, name, tags, subscription, createdAt, registeredAt, lastResult, gone, wrongKey } = record;
  return {
    id,
    name: name ?? null,
    tags,
    service: serviceOf(subscription.endpoint).id,
    host: new URL(subscription.endpoint).host,
    applicationServerKey: subscription.applicationServerKey ?? null,
    expirationTime: subscription.expirationTime,
    createdAt: formatTime(createdAt),
    registeredAt: formatTime(registeredAt),
    lastResult: lastResult === undefined ? null : resultJson(lastResult),
    gone: gone === undefined ? null : { at: formatTime(gone.at), cause: gone.cause },
    wrongKey: wrongKey === undefined ? null : wrongKeyJson(wrongKey),
  };
}

function wrongKeyJson({ at, cause, publicKey }: WrongKeyMark) {
  return { at: formatTime(at), cause, publicKey };
}

function resultJson({ at, outcome, cause, status }: LastResult) {
  return { at: formatTime(at), outcome, cause, status: status ?? null };
}

/** What `add` did, in a line or two. */
export function addedText({ outcome, record }: Added, path: string): readonly string[] {
  const who = record.name === undefined ? record.id : `${record.id} (${printable(record.name)})`;
  const where = shortenEndpoint(record.subscription.endpoint);
  return [`${outcome}  ${who}  ${printable(where)}`, `stored   ${path}`];
}

/** A subscription that none of the project's keys can reach. */
export function otherKeyWarning({ paint }: Painted): readonly string[] {
  return [
    `${paint.err.caution("warning:")} it was made with a key this project does not have; push services will refuse`,
    `${paint.err.hint("hint:")} let the page subscribe again, or import that pair: webpush keys import FILE --add`,
  ];
}

/** The list for people, its records in batches. */
export function listLines(
  now: number,
  columns: number,
): (records: readonly SubscriptionRecord[]) => readonly string[] {
  const lines = tableLines(
    [
      { title: "id" },
      { title: "name", flexible: true },
      { title: "tags", flexible: true },
      { title: "service", flexible: true },
      { title: "added" },
      { title: "last result", flexible: true },
    ],
    columns,
  );
  return (records) => lines(records.map((record) => listRow(record, now)));
}

function listRow(record: SubscriptionRecord, now: number): readonly string[] {
  return [
    record.id,
    printable(record.name ?? "-", { limit: 40 }),
    printable(record.tags.join(","), { limit: 40 }) || "-",
    serviceLabel(record.subscription.endpoint),
    // A foreign table need not say when.
    record.registeredAt === 0 ? "-" : ago(now - record.registeredAt),
    lastText(record, now),
  ];
}

function lastText({ lastResult, gone, wrongKey }: SubscriptionRecord, now: number): string {
  if (gone !== undefined) return `gone ${ago(now - gone.at)}`;
  if (wrongKey !== undefined) return `key refused ${ago(now - wrongKey.at)}`;
  return lastResult === undefined
    ? "never sent to"
    : printable(`${lastResult.outcome} ${ago(now - lastResult.at)}`);
}

/** One subscription in full; its endpoint whole, since it was asked for, its keys not. */
export function detailText(record: SubscriptionRecord): readonly string[] {
  const { id, name, tags, subscription, createdAt, registeredAt, lastResult, gone, wrongKey } = record;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["id", id],
    ["name", name],
    ["tags", tags.join(", ") || undefined],
    ["service", serviceLabel(subscription.endpoint)],
    ["endpoint", subscription.endpoint],
    ["made with key", subscription.applicationServerKey ?? "not known"],
    ["first stored", formatTime(createdAt)],
    ["registered", registeredAt === createdAt ? undefined : formatTime(registeredAt)],
    ["expires", subscription.expirationTime === null ? undefined : formatTime(subscription.expirationTime)],
    ["last result", lastResult === undefined ? "never sent to" : resultText(lastResult)],
    ["gone", gone === undefined ? undefined : `${formatTime(gone.at)} (${gone.cause})`],
    ["key refused", wrongKey === undefined ? undefined : refusedKeyText(wrongKey)],
  ];
  return rows.flatMap(([label, value]) =>
    value === undefined ? [] : [`${label.padEnd(14)} ${printable(value, { limit: 2100 })}`],
  );
}

function resultText({ at, outcome, cause, status }: LastResult): string {
  return `${outcome} (${cause}${status === undefined ? "" : `, ${status}`}) at ${formatTime(at)}`;
}

function refusedKeyText({ at, cause, publicKey }: WrongKeyMark): string {
  return `${publicKey} at ${formatTime(at)} (${cause})`;
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
] as const;

/** How long ago, in the largest unit that fits. */
export function ago(ms: number): string {
  for (const [unit, size] of units) if (ms >= size) return `${Math.floor(ms / size)} ${unit} ago`;
  return "just now";
}

/** `3 subscriptions`, `1 subscription`. */
export function counted(count: number, noun = "subscription"): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** An entry that was not imported, as a line. */
export function refusedText({ at, error }: RefusedEntry, { paint }: Painted): string {
  const hint = error.hints[0];
  return `${paint.err.bad("refused")} ${printable(at)}: ${printable(error.message)}${hint === undefined ? "" : ` (${printable(hint)})`}`;
}

/** An entry that was not imported, as a JSON record. */
export function refusedJson({ at, error }: RefusedEntry): string {
  return jsonLine({ at, code: error.code, message: error.message, hints: error.hints });
}

export interface ImportCounts {
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly refused: number;
}

/** What an import did; `wouldAdd` when it was only a trial. */
export function importSummary(
  { added, updated, unchanged, refused }: ImportCounts,
  wouldAdd?: number,
): string {
  if (wouldAdd !== undefined)
    return `would store ${counted(wouldAdd)}, ${refused} refused; nothing was changed`;
  return `${added} added, ${updated} updated, ${unchanged} unchanged, ${refused} refused`;
}

/** A finding of `check` as two lines. */
export function findingText(
  record: SubscriptionRecord,
  { what, advice }: Finding,
  { paint }: Painted,
): readonly string[] {
  const who = record.name === undefined ? record.id : `${record.id} (${printable(record.name)})`;
  return [`${paint.out.bad(who)}  ${printable(what)}`, `    ${paint.out.hint("do:")} ${printable(advice)}`];
}

/** A finding of `check` as a JSON record. */
export function findingJson({ id, name }: SubscriptionRecord, finding: Finding): string {
  return jsonLine({
    id,
    name: name ?? null,
    finding: finding.id,
    what: finding.what,
    advice: finding.advice,
  });
}
