/** What `webpush store` prints. */
import { groupDigits } from "../../base/figures.ts";
import type { StoreFacts } from "../../store/postgres/facts.ts";
import type { Grantee, Purpose } from "../../store/postgres/grants.ts";
import type { RestoredCounts } from "../../store/subscriptions.ts";
import type { Io } from "../../terminal/io.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import { printable } from "../../terminal/printable.ts";

type Painted = Pick<Io, "paint">;

export interface StoreStatus extends Omit<StoreFacts, "version"> {
  readonly store: string;
  readonly kind: "file" | "database";
  /** Of the database's schema. */
  readonly version: number | undefined;
}

export function statusJson(status: StoreStatus): string {
  const { store, kind, tls, version, pending, total, gone, refused, keys, bytes } = status;
  return jsonLine({
    store,
    kind,
    tls: tls ?? null,
    version: version ?? null,
    pending,
    subscriptions: total ?? null,
    gone: gone ?? null,
    refused: refused ?? null,
    keys: keys ?? null,
    bytes: bytes ?? null,
  });
}

/** What is known, a line each. */
export function statusText(status: StoreStatus): readonly string[] {
  const { store, kind, tls, keys, bytes } = status;
  const rows: readonly (readonly [string, string])[] = [
    ["store", printable(store)],
    ...(kind === "file"
      ? []
      : ([
          ["connection", tls ?? "without TLS"],
          ["schema", schemaText(status)],
        ] as const)),
    ...(status.version === 0
      ? []
      : ([
          ["subscriptions", countsText(status)],
          ["key pairs", keys === undefined ? notReadable : groupDigits(keys)],
        ] as const)),
    ...(bytes === undefined ? [] : ([["on disk", sizeText(bytes)]] as const)),
  ];
  const width = Math.max(...rows.map(([title]) => title.length)) + 2;
  return rows.map(([title, value]) => `${title.padEnd(width)}${value}`);
}

const notReadable = "not ours to read";

/** What to do about a schema that is not up to date. */
export function pendingHint({ paint }: Painted): string {
  return `${paint.err.hint("hint:")} run \`webpush store migrate\` with a role that may create schemas`;
}

function schemaText({ version, pending }: StoreStatus): string {
  if (pending.length === 0) return `version ${version ?? 0}, up to date`;
  const missing = `still to come: ${pending.join("; ")}`;
  return version === 0 ? missing : `version ${version ?? 0}, ${missing}`;
}

function countsText({ total, gone = 0, refused = 0 }: StoreStatus): string {
  if (total === undefined) return notReadable;
  const marks = [
    gone === 0 ? "" : `${groupDigits(gone)} gone`,
    refused === 0 ? "" : `${groupDigits(refused)} refused a key`,
  ];
  return [groupDigits(total), ...marks.filter((text) => text !== "")].join(", ");
}

const units = ["bytes", "kB", "MB", "GB", "TB"];

/** `1.4 MB`: as many digits as matter. */
function sizeText(bytes: number): string {
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${value < 10 && step > 0 ? value.toFixed(1) : Math.round(value)} ${units[step] ?? ""}`;
}

export interface Migrated {
  readonly store: string;
  readonly version: number;
  /** What was done, or would be. */
  readonly steps: readonly string[];
  /** What would be run, for a dry run. */
  readonly sql: string | undefined;
}

export function migratedJson({ store, version, steps, sql }: Migrated): string {
  return jsonLine({ store, version, steps, sql: sql ?? null });
}

export function migratedText({ store, version, steps, sql }: Migrated): readonly string[] {
  if (steps.length === 0) return [`${printable(store)} is up to date, version ${version}`];
  const done = sql === undefined ? "made" : "nothing was changed; still to come";
  return [`${printable(store)}: ${done}: ${steps.join("; ")}`];
}

export interface Granted {
  /** Undefined for a dry run, which asks no database. */
  readonly store: string | undefined;
  readonly grantees: readonly Grantee[];
  /** What would be run, for a dry run. */
  readonly sql: string | undefined;
}

export function grantedJson({ store, grantees, sql }: Granted): string {
  const roleOf = (purpose: Purpose): string | null =>
    grantees.find((one) => one.purpose === purpose)?.role ?? null;
  return jsonLine({
    store: store ?? null,
    sender: roleOf("sender"),
    worker: roleOf("worker"),
    reader: roleOf("reader"),
    sql: sql ?? null,
  });
}

export function grantedText({ store, grantees }: Granted): readonly string[] {
  if (store === undefined)
    return ["nothing was changed; run this as the role that ran `webpush store migrate`"];
  const lines = grantees.map(({ role, purpose }) => `${printable(role)} has the rights of a ${purpose}`);
  return lines.map((line) => `${printable(store)}: ${line}`);
}

export interface Copied extends RestoredCounts {
  readonly from: string;
  readonly to: string;
  /** Key pairs added. */
  readonly keys: number;
}

export function copiedJson({ from, to, added, updated, unchanged, unnamed, keys }: Copied): string {
  return jsonLine({ from, to, added, updated, unchanged, unnamed, keys });
}

export function copiedText({ to, added, updated, unchanged, unnamed, keys }: Copied): readonly string[] {
  const counts = `${groupDigits(added)} added, ${groupDigits(updated)} updated, ${groupDigits(unchanged)} were there`;
  return [
    `copied to ${printable(to)}: ${counts}`,
    ...(unnamed === 0 ? [] : [`${groupDigits(unnamed)} lost their name: another there has it`]),
    ...(keys === 0 ? [] : [`${keys} key ${keys === 1 ? "pair" : "pairs"} added`]),
  ];
}

/** While it goes on. */
export function copyingText({ added, updated, unchanged }: RestoredCounts): readonly string[] {
  return [`copied ${groupDigits(added + updated + unchanged)}`];
}

/** What it means to put private keys somewhere else. */
export function keysWarning(to: string, { paint }: Painted): readonly string[] {
  return [
    `${paint.err.caution("warning:")} whoever can read the key pairs in ${printable(to)} can send as you`,
    `${paint.err.hint("hint:")} workers need none there: VAPID_PRIVATE_KEY in their environment goes before`,
  ];
}
