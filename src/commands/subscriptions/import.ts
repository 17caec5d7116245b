/**
 * `webpush subscriptions import`: many at once; what cannot be read is reported entry by entry.
 */
import { UserError } from "../../base/errors.ts";
import { readSubscriptions, type ImportEntry, type RefusedEntry } from "../../formats/subscriptions.ts";
import type { Addition, SubscriptionRecord } from "../../store/subscriptions.ts";
import { printable } from "../../terminal/printable.ts";
import { subscriptionId } from "../../protocol/subscription.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { linesOf, openInput } from "../input.ts";
import type { ImportOptions } from "./command.ts";
import { parseLabel } from "./labels.ts";
import { importSummary, refusedJson, refusedText } from "./render.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "clock" | "cwd" | "json">;

export async function run(options: ImportOptions, context: Needs): Promise<ExitCode> {
  const { io, subscriptions, clock, json } = context;
  const tags = options.tag.map((tag) => parseLabel("tag", tag));
  const additions: Addition[] = [];
  const refused: RefusedEntry[] = [];
  const nameOwners = ownersOf(await subscriptions.list());
  for await (const entry of readSubscriptions(linesOf(openInput(options.file, context)))) {
    const read = readEntry(entry, tags, nameOwners);
    if ("error" in read) refused.push(read);
    else additions.push(read);
  }
  if (additions.length === 0 && refused.length === 0) throw empty(options.file);
  const added = options.dryRun ? [] : await subscriptions.add(additions, clock.now());
  const counts = { added: 0, updated: 0, unchanged: 0, refused: refused.length };
  for (const { outcome } of added) counts[outcome] += 1;
  for (const entry of refused) {
    if (json) io.out(refusedJson(entry));
    else io.err(refusedText(entry, io));
  }
  if (json) io.out(jsonLine({ ...counts, wouldAdd: options.dryRun ? additions.length : 0 }));
  else io.say(importSummary(counts, options.dryRun ? additions.length : undefined));
  return exitCodeOf(additions.length, refused.length);
}

function exitCodeOf(good: number, refused: number): ExitCode {
  if (refused === 0) return ExitCode.ok;
  return good === 0 ? ExitCode.usage : ExitCode.partial;
}

/** An entry ready to be stored, or why it is not. One name cannot stand for two subscriptions. */
function readEntry(
  entry: ImportEntry,
  tags: readonly string[],
  nameOwners: Map<string, string>,
): Addition | RefusedEntry {
  if (!entry.ok) return entry;
  const { subscription, at } = entry;
  try {
    const name = entry.name === undefined ? undefined : parseLabel("name", entry.name);
    const own = entry.tags.map((tag) => parseLabel("tag", tag));
    const id = subscriptionId(subscription.endpoint);
    const owner = name === undefined ? undefined : nameOwners.get(name);
    if (owner !== undefined && owner !== id) throw nameTaken(name ?? "", owner);
    if (name !== undefined) nameOwners.set(name, id);
    return { subscription, name, tags: [...new Set([...own, ...tags])] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, at, error };
  }
}

function ownersOf(records: readonly SubscriptionRecord[]): Map<string, string> {
  return new Map(records.flatMap(({ id, name }) => (name === undefined ? [] : [[name, id] as const])));
}

function nameTaken(name: string, owner: string): UserError {
  return new UserError(
    "name-taken",
    `the name ${printable(JSON.stringify(name))} belongs to subscription ${owner}`,
    {
      hints: ["give it another name"],
    },
  );
}

function empty(file: string): UserError {
  return new UserError("subscriptions-unreadable", `${file === "-" ? "stdin" : file} holds no subscription`, {
    hints: ["give a JSON array or map, NDJSON, or CSV headed endpoint,p256dh,auth"],
  });
}
