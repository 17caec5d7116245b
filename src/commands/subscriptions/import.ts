/**
 * `webpush subscriptions import`: many at once; what cannot be read is reported entry by entry.
 *
 * Into a file they go at once, for it is written as a whole; into a database in batches, as they are read, so that a
 * million take no more memory than ten thousand.
 */
import { UserError } from "../../base/errors.ts";
import { readSubscriptions, type ImportEntry, type RefusedEntry } from "../../formats/subscriptions.ts";
import {
  nameTaken,
  type AddOutcome,
  type Addition,
  type SubscriptionRecord,
  type SubscriptionStore,
} from "../../store/subscriptions.ts";
import { subscriptionId } from "../../protocol/subscription.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { linesOf, openInput } from "../input.ts";
import type { ImportOptions } from "./command.ts";
import { parseLabel } from "./labels.ts";
import { importSummary, refusedJson, refusedText } from "./render.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "clock" | "cwd" | "json" | "signal">;

const batchSize = 10_000;

export async function run(options: ImportOptions, context: Needs): Promise<ExitCode> {
  const { io, subscriptions, clock, json } = context;
  const counts = { added: 0, updated: 0, unchanged: 0, refused: 0 };
  let wouldAdd = 0;
  const settle = (entry: RefusedEntry | AddOutcome): void => {
    counts[typeof entry === "string" ? entry : "refused"] += 1;
    if (typeof entry === "string") return;
    if (json) io.out(refusedJson(entry));
    else io.err(refusedText(entry, io));
  };
  for await (const batch of readBatches(options, context, settle)) {
    if (options.dryRun) wouldAdd += batch.length;
    else for (const entry of await store(batch, subscriptions, clock.now())) settle(entry);
  }
  const good = counts.added + counts.updated + counts.unchanged + wouldAdd;
  if (good === 0 && counts.refused === 0) throw empty(options.file);
  if (json) io.out(jsonLine({ ...counts, wouldAdd }));
  else io.say(importSummary(counts, options.dryRun ? wouldAdd : undefined));
  return exitCodeOf(good, counts.refused);
}

function exitCodeOf(good: number, refused: number): ExitCode {
  if (refused === 0) return ExitCode.ok;
  return good === 0 ? ExitCode.usage : ExitCode.partial;
}

/** An entry that is ready to be stored. */
interface ReadyEntry {
  readonly ok: true;
  readonly at: string;
  readonly addition: Addition;
}

/** The entries of the file that can be stored, as many at a time as the store takes. */
async function* readBatches(
  options: ImportOptions,
  context: Needs,
  refuse: (entry: RefusedEntry) => void,
): AsyncGenerator<readonly ReadyEntry[]> {
  const { subscriptions, signal } = context;
  const tags = options.tag.map((tag) => parseLabel("tag", tag));
  const isWhole = !Number.isFinite(subscriptions.mostAtOnce);
  const owners = isWhole ? ownersOf(await subscriptions.list()) : undefined;
  let batch: ReadyEntry[] = [];
  for await (const entry of readSubscriptions(linesOf(openInput(options.file, context)))) {
    const read = readEntry(entry, tags, owners);
    if (read.ok) batch.push(read);
    else refuse(read);
    if (isWhole || batch.length < batchSize) continue;
    if (signal.aborted) throw interrupted();
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** An entry ready to be stored, or why it is not. One name cannot stand for two subscriptions. */
function readEntry(
  entry: ImportEntry,
  tags: readonly string[],
  owners: Map<string, string> | undefined,
): ReadyEntry | RefusedEntry {
  if (!entry.ok) return entry;
  const { subscription, at } = entry;
  try {
    const name = entry.name === undefined ? undefined : parseLabel("name", entry.name);
    const own = entry.tags.map((tag) => parseLabel("tag", tag));
    const id = subscriptionId(subscription.endpoint);
    const owner = name === undefined ? undefined : owners?.get(name);
    if (owner !== undefined && owner !== id) throw nameTaken(name ?? "", owner);
    if (name !== undefined) owners?.set(name, id);
    return { ok: true, at, addition: { subscription, name, tags: [...new Set([...own, ...tags])] } };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, at, error };
  }
}

function ownersOf(records: readonly SubscriptionRecord[]): Map<string, string> {
  return new Map(records.flatMap(({ id, name }) => (name === undefined ? [] : [[name, id] as const])));
}

/** Stores a batch. A store refuses all of it for one name that is taken: halves find out which. */
async function store(
  batch: readonly ReadyEntry[],
  subscriptions: Pick<SubscriptionStore, "add">,
  now: number,
): Promise<readonly (RefusedEntry | AddOutcome)[]> {
  try {
    const added = await subscriptions.add(
      batch.map(({ addition }) => addition),
      now,
    );
    return added.map(({ outcome }) => outcome);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "name-taken") throw error;
    const [first, ...others] = batch;
    if (first !== undefined && others.length === 0) return [{ ok: false, at: first.at, error }];
    const half = Math.ceil(batch.length / 2);
    return [
      ...(await store(batch.slice(0, half), subscriptions, now)),
      ...(await store(batch.slice(half), subscriptions, now)),
    ];
  }
}

function interrupted(): UserError {
  return new UserError("interrupted", "interrupted; what was stored stays", {
    kind: "interrupted",
    hints: ["import the file again for the rest: what is there stays as it is"],
  });
}

function empty(file: string): UserError {
  return new UserError("subscriptions-unreadable", `${file === "-" ? "stdin" : file} holds no subscription`, {
    hints: ["give a JSON array or map, NDJSON, or CSV headed endpoint,p256dh,auth"],
  });
}
