/**
 * What the columns of somebody's own query are, by their names and types, and their rows as subscriptions. Pure.
 *
 * Names are read as those of import files are: `p256dh`, `p256dh_key` and `keys.p256dh` are the same. Columns that mean
 * nothing here are left alone: `select *` is a good query.
 */
import { UserError } from "../../base/errors.ts";
import { partNamed, simplified } from "../../protocol/spellings.ts";
import { parseSubscription, subscriptionId } from "../../protocol/subscription.ts";
import type { SubscriptionRecord } from "../subscriptions.ts";
import type { Column } from "./database.ts";

/** What a column can be besides a part of the subscription. */
const labels = {
  id: ["id"],
  name: ["name", "label"],
  tags: ["tags"],
  createdAt: ["createdat"],
  registeredAt: ["registeredat"],
} as const;

type Label = keyof typeof labels;

/** A column that is read. */
interface ReadColumn {
  /** The label it is, or its simplified name where it is a part of the subscription. */
  readonly as: string;
  /** What to select, of a table whose columns are named c1, c2 and so on. */
  readonly expression: string;
}

/** How the rows of a query are read. */
export interface QueryShape {
  /** The names that its columns get, so that two of the same name and odd ones do no harm. */
  readonly aliases: readonly string[];
  readonly columns: readonly ReadColumn[];
}

/** Types by their numbers, which never change. */
const types = { bytea: 17, json: 114, jsonb: 3802, timestamp: 1114, timestamptz: 1184, date: 1082 } as const;

/**
 * Finds what is needed among the columns of a query.
 *
 * @throws UserError `query-columns`
 */
export function shapeOf(columns: readonly Column[]): QueryShape {
  const aliases = columns.map((_, index) => `c${index + 1}`);
  const read = columns.flatMap(({ name, type }, index): readonly ReadColumn[] => {
    const label = labelNamed(name);
    if (label === undefined && partNamed(name) === undefined) return [];
    const as = label ?? simplified(name);
    return [{ as, expression: expressionOf(`c${index + 1}`, type, as) }];
  });
  assertWhole(columns);
  return { aliases, columns: firstOfEach(read) };
}

function labelNamed(name: string): Label | undefined {
  const simple = simplified(name);
  const found = Object.entries(labels).find(([, names]) => (names as readonly string[]).includes(simple));
  return found?.[0] as Label | undefined;
}

/** Of two columns that are the same, the first counts. */
function firstOfEach(read: readonly ReadColumn[]): readonly ReadColumn[] {
  return read.filter(({ as }, index) => read.findIndex((other) => other.as === as) === index);
}

/** Bytes, JSON and times come as they are, lists as JSON, and whatever else there is as text. */
function expressionOf(column: string, type: number, as: string): string {
  if (as === "tags") return `to_jsonb(${column})`;
  switch (type) {
    case types.bytea:
    case types.json:
    case types.jsonb:
    case types.timestamptz:
      return as === "id" || as === "name" ? `${column}::text` : column;
    // A time without a zone is UTC, as in import files.
    case types.timestamp:
    case types.date:
      return `(${column}::timestamp at time zone 'UTC')`;
    default:
      return `${column}::text`;
  }
}

function assertWhole(columns: readonly Column[]): void {
  const parts = new Set(columns.map(({ name }) => partNamed(name)));
  const missing = ["endpoint", "p256dh", "auth"].filter((part) => !parts.has(part as "endpoint"));
  const hasKeys = parts.has("endpoint") && parts.has("keys");
  if (missing.length === 0 || hasKeys || parts.has("whole")) return;
  const found = columns.map(({ name }) => name).join(", ");
  throw new UserError("query-columns", `the query has no column ${missing.join(", ")}; it has ${found}`, {
    hints: [
      "name its columns endpoint, p256dh and auth: select url as endpoint, …",
      "or have one column subscription with the JSON of a PushSubscription",
    ],
  });
}

/** The statement that reads `query` by its shape; of all its rows, or of those for which `where` holds. */
export function selectShaped(query: string, { aliases, columns }: QueryShape, where = "true"): string {
  const selected = columns.map(({ expression }, index) => `${expression} as v${index + 1}`);
  return `select ${selected.join(", ")} from (\n${query}\n) as webpush (${aliases.join(", ")}) where ${where}`;
}

/** What holds for rows that go by `$1` in their own table, by endpoint or by name; undefined where no column says either. */
export function whereNamed({ columns }: QueryShape, by: "endpoint" | "name"): string | undefined {
  const said = columns.filter(({ as }) =>
    by === "name" ? as === "name" || as === "id" : partNamed(as) === "endpoint",
  );
  if (said.length === 0) return undefined;
  return said.map(({ expression }) => `(${expression})::text = $1`).join(" or ");
}

/** A row of `selectShaped`. */
export type ShapedRow = Readonly<Record<string, unknown>>;

/**
 * The record of a row.
 *
 * Times that the table does not have count as 1970: such a registration is older than every result of it.
 *
 * @throws UserError those of `parseSubscription`
 */
export function recordOfShaped(row: ShapedRow, { columns }: QueryShape): SubscriptionRecord {
  const values = new Map(columns.map(({ as }, index) => [as, row[`v${index + 1}`]]));
  const parts = [...values].filter(([as]) => !(as in labels));
  const subscription = parseSubscription(Object.fromEntries(parts.map(([as, value]) => [as, plain(value)])));
  const registered = timeIn(values.get("registeredAt"));
  const created = timeIn(values.get("createdAt"));
  return {
    id: subscriptionId(subscription.endpoint),
    name: textIn(values.get("name")) ?? textIn(values.get("id")),
    tags: tagsIn(values.get("tags")),
    subscription,
    createdAt: created ?? registered ?? 0,
    registeredAt: registered ?? created ?? 0,
    lastResult: undefined,
    gone: undefined,
    wrongKey: undefined,
  };
}

/** Times as the parser of subscriptions takes them; `infinity` is no end. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime();
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? null : value;
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** A list, or text with commas between. */
function tagsIn(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === "string"
      ? value.split(",")
      : [];
  const tags = items.flatMap((item) => (typeof item === "string" ? [item.trim()] : []));
  return [...new Set(tags.filter((tag) => tag !== ""))];
}

/** Later than this in seconds, a number is one of milliseconds. */
const mostSeconds = 100_000_000_000;

/** A time as a date, as a number of seconds or milliseconds, or as ISO 8601 text; undefined for what is none. */
function timeIn(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime();
  if (typeof value !== "string") return undefined;
  const count = /^\d{1,16}(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
  if (count !== undefined) return Math.floor(count < mostSeconds ? count * 1000 : count);
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}
