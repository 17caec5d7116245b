/**
 * Whom a message goes to: stored, given by flags, read from a file or piped in.
 */
import { UserError } from "../../base/errors.ts";
import { fingerprintOf, FingerprintSet } from "../../base/fingerprint-set.ts";
import { readSubscriptions, type ImportEntry } from "../../formats/subscriptions.ts";
import {
  parseSubscription,
  subscriptionId,
  type Endpoint,
  type Subscription,
} from "../../protocol/subscription.ts";
import { readOnce, type SubscriptionReader } from "../../store/readers.ts";
import { isTagSelector } from "../../store/selector.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { linesOf, openInput } from "../input.ts";
import { readSubscription } from "../subscription-text.ts";
import type { RecipientOptions } from "./command.ts";
import { ListGauge } from "./list-gauge.ts";
import { findTargets, type Target } from "./targets.ts";

/** One subscription to send to; `record` when it is a stored one. */
export interface Recipient {
  readonly id: string;
  readonly name: string | undefined;
  readonly subscription: Subscription;
  readonly record: SubscriptionRecord | undefined;
  /** Asked for by id or name, and not as one of a group: sent to though there is reason not to. */
  readonly isNamed?: boolean;
}

/** An entry of a list that is no subscription. */
export interface RefusedRecipient {
  readonly at: string;
  readonly error: UserError;
}

/** An entry of a list whose endpoint came before. */
export interface RepeatedRecipient extends Recipient {
  readonly repeatedAt: string;
}

export type Entry = Recipient | RefusedRecipient | RepeatedRecipient;

export interface Recipients {
  /** All, or the first of them: known before anything is sent. */
  readonly known: readonly Entry[];
  /** The others, read while sending: of a long file, or of stdin. */
  readonly rest: AsyncIterable<Entry> | undefined;
  /** About how many there are in all, by what was read so far; `undefined` where a pipe is read. */
  readonly expected: () => number | undefined;
  /** Where they come from, in order. */
  readonly sources: readonly RecipientSource[];
  /** Sent to a group rather than to ones that were named: some of them being gone is no failure. */
  readonly isBroadcast: boolean;
}

/** Where recipients come from. Those given by flags count as a selection of their own. */
export type RecipientSource =
  | { readonly kind: "store"; readonly selection: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "stream" };

type Needs = Pick<Context, "io" | "subscriptions" | "cwd">;

/**
 * Files of up to this many entries are read before anything is sent, so that what is wrong
 * with them stops the whole run. A pipe is never waited for: it may be somebody's live stream.
 */
const entriesReadAhead = 1000;

/**
 * Everyone the options name, each endpoint once. Of a store that is more than a command may hold, the first ones are
 * read ahead and the others while sending, as of long files.
 *
 * @throws UserError `recipients-missing`, `stdin-twice`, and those of the readers and the selector;
 *   `rest` throws those of the readers too, and `recipients-missing` when all of it was empty
 */
export async function readRecipients(options: RecipientOptions, context: Needs): Promise<Recipients> {
  assertSensible(options);
  const direct = options.subscription.map((given) => readSubscription(given, context));
  const given = [...(await Promise.all(direct)), ...(hasParts(options) ? [byParts(options)] : [])];
  const isDefault = options.to.length === 0 && given.length === 0;
  const store = readOnce(context.subscriptions);
  const targets = await findTargets(isDefault ? ["all"] : [...new Set(options.to)], store, context);
  const gauge = new ListGauge(
    targets.flatMap(({ file }) => file ?? []),
    context.cwd,
  );
  const seen = new FingerprintSet();
  const stored = await readAhead(readStored(targets, given, store, seen), store.mostAtOnce);
  const storedCount = stored.rest === undefined ? stored.known.length : await expectStored(targets, store);
  const lists = withRepeatsMarked(readLists(targets, gauge, context), seen);
  const listed =
    stored.rest === undefined
      ? await readAhead(lists, gauge.hasPipe ? 0 : entriesReadAhead)
      : { known: [], rest: chained(stored.rest, lists) };
  const known = [...stored.known, ...listed.known];
  const failure = async (): Promise<UserError> => nobody(options, (await store.count()).total > 0);
  if (known.length === 0 && listed.rest === undefined) throw await failure();
  return {
    known,
    rest: listed.rest && orNobody(listed.rest, known.length > 0, failure),
    expected: () => (storedCount === undefined ? undefined : gauge.expect(storedCount)),
    sources: [...targets.map(sourceOf), ...given.map(sourceOfGiven)],
    isBroadcast: isDefault || targets.some(({ group, file }) => group !== undefined || file !== undefined),
  };
}

/** What would otherwise go to everybody, or wait for a stdin that was read already. */
function assertSensible({ to, subscription }: RecipientOptions): void {
  // An unset variable of a script; it must not mean everyone.
  for (const [flag, values] of [["--to", to] as const, ["--subscription", subscription] as const]) {
    if (!values.some((value) => value.trim() === "")) continue;
    throw new UserError("recipients-missing", `${flag} is empty`, {
      hints: ["check the variable it comes from; --to all means everybody"],
    });
  }
  if ([...new Set(to), ...subscription].filter((from) => from === "-").length < 2) return;
  throw new UserError("stdin-twice", "stdin cannot be read twice for recipients", {
    hints: ["give one of them as a file"],
  });
}

function hasParts({ endpoint, p256dh, auth }: RecipientOptions): boolean {
  return endpoint !== undefined || p256dh !== undefined || auth !== undefined;
}

function sourceOf({ to, file }: Target): RecipientSource {
  if (file === undefined) return { kind: "store", selection: to };
  return file === "-" ? { kind: "stream" } : { kind: "file", path: file };
}

function sourceOfGiven({ endpoint }: Subscription): RecipientSource {
  return { kind: "store", selection: `given ${subscriptionId(endpoint)}` };
}

/** Stored ones and those given by flags, each once. Naming somebody twice is no mistake to be told of. */
async function* readStored(
  targets: readonly Target[],
  given: readonly Subscription[],
  store: SubscriptionReader,
  seen: FingerprintSet,
): AsyncGenerator<Recipient> {
  const named = new Set(targets.flatMap(({ records }) => records.map(endpointOf)));
  for (const { records, group } of targets) {
    for await (const record of group === undefined ? records : store.stream(group)) {
      if (seen.add(fingerprintOf(endpointOf(record))))
        yield fromRecord(record, named.has(endpointOf(record)));
    }
  }
  for (const subscription of given)
    if (seen.add(fingerprintOf(subscription.endpoint))) yield fromSubscription(subscription, undefined);
}

function endpointOf({ subscription }: SubscriptionRecord): Endpoint {
  return subscription.endpoint;
}

/** How many are stored of those meant; `undefined` where only reading them all would tell. */
async function expectStored(
  targets: readonly Target[],
  store: SubscriptionReader,
): Promise<number | undefined> {
  if (!targets.some(({ to }) => to === "all")) return undefined;
  const { total, gone } = await store.count();
  return total - gone;
}

/** The entries of all lists, one after the other, as they are read. */
async function* readLists(
  targets: readonly Target[],
  gauge: ListGauge,
  context: Needs,
): AsyncGenerator<ImportEntry> {
  for (const { file } of targets) {
    if (file === undefined) continue;
    for await (const entry of readSubscriptions(linesOf(gauge.measure(openInput(file, context))))) {
      gauge.entries += 1;
      yield entry;
    }
  }
}

/** The entries of lists, those marked whose endpoint came before. */
async function* withRepeatsMarked(
  lists: AsyncIterable<ImportEntry>,
  seen: FingerprintSet,
): AsyncGenerator<Entry> {
  for await (const entry of lists) {
    if (!entry.ok) {
      yield entry;
      continue;
    }
    const recipient = fromSubscription(entry.subscription, entry.name);
    const isNew = seen.add(fingerprintOf(entry.subscription.endpoint));
    yield isNew ? recipient : { ...recipient, repeatedAt: entry.at };
  }
}

/** Takes up to `limit` entries; `rest` has the others where there are more. */
async function readAhead(
  entries: AsyncGenerator<Entry>,
  limit: number,
): Promise<{ readonly known: readonly Entry[]; readonly rest: AsyncGenerator<Entry> | undefined }> {
  const known: Entry[] = [];
  while (known.length < limit) {
    const next = await entries.next();
    if (next.done === true) return { known, rest: undefined };
    known.push(next.value);
  }
  return { known, rest: entries };
}

async function* chained(...lists: readonly AsyncIterable<Entry>[]): AsyncGenerator<Entry> {
  for (const entries of lists) yield* entries;
}

/** Passes entries on; throws at the end when there were none at all. */
async function* orNobody(
  entries: AsyncIterable<Entry>,
  hasOthers: boolean,
  error: () => Promise<UserError>,
): AsyncGenerator<Entry> {
  let isEmpty = !hasOthers;
  for await (const entry of entries) {
    isEmpty = false;
    yield entry;
  }
  if (isEmpty) throw await error();
}

function byParts({ endpoint, p256dh, auth }: RecipientOptions): Subscription {
  if (endpoint === undefined) {
    throw new UserError(
      "subscription-malformed",
      "the parts of a subscription are given without --endpoint",
      {
        hints: ["add --endpoint, or name a stored subscription with --to"],
      },
    );
  }
  return parseSubscription({ endpoint, keys: { p256dh, auth } });
}

/** A stored subscription as one to send to. */
export function fromRecord(record: SubscriptionRecord, isNamed: boolean): Recipient {
  return { id: record.id, name: record.name, subscription: record.subscription, record, isNamed };
}

function fromSubscription(subscription: Subscription, name: string | undefined): Recipient {
  return { id: subscriptionId(subscription.endpoint), name, subscription, record: undefined };
}

function nobody({ to }: RecipientOptions, hasStored: boolean): UserError {
  const files = to.filter((one) => one !== "all" && !isTagSelector(one));
  return new UserError("recipients-missing", "there is nobody to send to", {
    hints: files.length > 0 ? [emptyHint(files)] : hasStored ? [goneHint] : noneHints,
  });
}

function emptyHint(files: readonly string[]): string {
  const names = files.map((file) => (file === "-" ? "stdin" : file)).join(" and ");
  return `check what wrote the list: ${names} held no subscription`;
}

const goneHint = "have the page subscribe again; all of them are gone: webpush subscriptions list --gone";

const noneHints = [
  "store a subscription: webpush subscriptions add subscription.json",
  "or give one: webpush send --subscription '{\"endpoint\":…}'",
  "no page yet? webpush scaffold makes one; webpush demo shows it all",
];
