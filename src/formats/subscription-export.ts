/**
 * Subscriptions written out, in forms that `subscriptions.ts` reads back unchanged.
 *
 * The auth secrets are revealed: the text is as sensitive as the store. Nothing is
 * escaped for spreadsheets (a leading `=`, `+`, `-` or `@` stays): the reader is a
 * machine, and an auth secret may begin with `-`.
 */
import { formatSubscription } from "../protocol/subscription.ts";
import { formatRow } from "./csv-rows.ts";
import type { LabelledSubscription, SubscriptionFormat } from "./subscriptions.ts";

const csvColumns = [
  "endpoint",
  "p256dh",
  "auth",
  "expirationTime",
  "applicationServerKey",
  "contentEncoding",
  "name",
  "tags",
] as const;

/** The lines of all `records` in one format, without line breaks; as many are held as are being written. */
export async function* subscriptionLines(
  records: AsyncIterable<LabelledSubscription>,
  format: SubscriptionFormat,
): AsyncGenerator<string> {
  switch (format) {
    // One element per line: still JSON, and `readSubscriptions` can read it back a line at a time.
    case "json":
      yield* jsonLines(records);
      return;
    case "ndjson":
      for await (const record of records) yield formatJson(record);
      return;
    case "csv":
      yield csvColumns.join(",");
      for await (const record of records) yield formatCsv(record);
      return;
    default:
      format satisfies never;
  }
}

async function* jsonLines(records: AsyncIterable<LabelledSubscription>): AsyncGenerator<string> {
  let before: string | undefined;
  for await (const record of records) {
    yield before === undefined ? "[" : `${before},`;
    before = formatJson(record);
  }
  if (before === undefined) yield "[]";
  else yield* [before, "]"];
}

function formatJson({ subscription, name, tags }: LabelledSubscription): string {
  return JSON.stringify({
    ...(name === undefined ? {} : { name }),
    ...(tags.length === 0 ? {} : { tags }),
    ...formatSubscription(subscription),
  });
}

function formatCsv({ subscription, name, tags }: LabelledSubscription): string {
  const { endpoint, expirationTime, keys, applicationServerKey, contentEncoding } =
    formatSubscription(subscription);
  const values: Record<(typeof csvColumns)[number], string> = {
    endpoint,
    p256dh: keys.p256dh,
    auth: keys.auth,
    expirationTime: expirationTime === null ? "" : String(expirationTime),
    applicationServerKey: applicationServerKey ?? "",
    contentEncoding: contentEncoding ?? "",
    name: name ?? "",
    tags: formatTags(tags),
  };
  return formatRow(csvColumns.map((column) => values[column]));
}

/** Words separated by blanks, or a JSON list when a tag is no plain word. */
function formatTags(tags: readonly string[]): string {
  const arePlain = tags.every((tag) => /^[^,;\s[]+$/.test(tag));
  return arePlain ? tags.join(" ") : JSON.stringify(tags);
}
