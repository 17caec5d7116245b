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

/** The text of all `records` in one format, with a line break at its end. */
export function formatSubscriptions(
  records: readonly LabelledSubscription[],
  format: SubscriptionFormat,
): string {
  switch (format) {
    // One element per line: still JSON, and `readSubscriptions` can read it back a line at a time.
    case "json":
      return records.length === 0 ? "[]\n" : `[\n${records.map(formatJson).join(",\n")}\n]\n`;
    case "ndjson":
      return records.map((record) => `${formatJson(record)}\n`).join("");
    case "csv":
      return [csvColumns.join(","), ...records.map(formatCsv), ""].join("\n");
    default:
      return format satisfies never;
  }
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
