/**
 * Whom a message goes to: stored, given by flags, read from a file or piped in.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../base/errors.ts";
import { fingerprintOf, FingerprintSet } from "../../base/fingerprint-set.ts";
import { readSubscriptions, type ImportEntry } from "../../formats/subscriptions.ts";
import {
  parseSubscription,
  shortenEndpoint,
  subscriptionId,
  type Subscription,
} from "../../protocol/subscription.ts";
import { isTagSelector, selectRecords } from "../../store/selector.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { linesOf, openInput } from "../input.ts";
import { readSubscription } from "../subscription-text.ts";
import type { RecipientOptions } from "./command.ts";
import { ListGauge } from "./list-gauge.ts";

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
 * Everyone the options name, each endpoint once.
 *
 * @throws UserError `recipients-missing`, `stdin-twice`, and those of the readers and the selector;
 *   `rest` throws those of the readers too, and `recipients-missing` when all of it was empty
 */
export async function readRecipients(options: RecipientOptions, context: Needs): Promise<Recipients> {
  assertSensible(options);
  const direct = options.subscription.map((given) => readSubscription(given, context));
  const given = [...(await Promise.all(direct)), ...(hasParts(options) ? [byParts(options)] : [])];
  const isDefault = options.to.length === 0 && given.length === 0;
  const stored = await context.subscriptions.list();
  const wanted = isDefault ? ["all"] : [...new Set(options.to)];
  const targets = wanted.map((to) => findTarget(to, stored, context));
  const named = new Set(targets.flatMap(({ isGroup, records }) => (isGroup ? [] : records)));
  const chosen = [
    ...targets.flatMap(({ records }) => records.map((record) => fromRecord(record, named.has(record)))),
    ...given.map((subscription) => fromSubscription(subscription, undefined)),
  ];
  const files = targets.flatMap(({ file }) => file ?? []);
  const gauge = new ListGauge(files, context.cwd);
  const seen = new FingerprintSet();
  // Naming somebody twice, as in --to phone --to tag:news, is no mistake to be told of.
  const unique = chosen.filter(({ subscription }) => seen.add(fingerprintOf(subscription.endpoint)));
  const listed = withRepeatsMarked(readLists(files, gauge, context), seen);
  const { known, rest } = await readAhead(listed, gauge.hasPipe ? 0 : entriesReadAhead);
  const hasSome = unique.length + known.length > 0;
  if (!hasSome && rest === undefined) throw nobody(options, stored.length > 0);
  return {
    known: [...unique, ...known],
    rest: rest && orNobody(rest, hasSome, () => nobody(options, stored.length > 0)),
    expected: () => gauge.expect(unique.length),
    sources: [...targets.map(sourceOf), ...given.map(sourceOfGiven)],
    isBroadcast: isDefault || targets.some(({ isGroup }) => isGroup),
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

/** What one `--to` means: stored subscriptions, or a list to be read. */
interface Target {
  readonly to: string;
  readonly records: readonly SubscriptionRecord[];
  readonly file: string | undefined;
  readonly isGroup: boolean;
}

function findTarget(to: string, stored: readonly SubscriptionRecord[], { cwd }: Needs): Target {
  if (to === "-") return { to, records: [], file: to, isGroup: true };
  if (/^https?:\/\//i.test(to)) throw endpointAsTarget(to);
  const isGroup = to === "all" || isTagSelector(to);
  if (!isGroup && !isStored(to, stored) && isFile(to, cwd))
    return { to, records: [], file: to, isGroup: true };
  const records = selectRecords(stored, to === "all" && stored.length === 0 ? [] : [to]);
  const living = isGroup ? records.filter(({ gone }) => gone === undefined) : records;
  return { to, records: living, file: undefined, isGroup };
}

function sourceOf({ to, file }: Target): RecipientSource {
  if (file === undefined) return { kind: "store", selection: to };
  return file === "-" ? { kind: "stream" } : { kind: "file", path: file };
}

function sourceOfGiven({ endpoint }: Subscription): RecipientSource {
  return { kind: "store", selection: `given ${subscriptionId(endpoint)}` };
}

/** An endpoint alone cannot be encrypted for, and is a secret: it is not repeated whole. */
function endpointAsTarget(to: string): UserError {
  return new UserError("recipients-missing", `--to does not take an endpoint (${shortenEndpoint(to)})`, {
    hints: [
      'give the whole subscription: --subscription \'{"endpoint":…,"keys":…}\', or --endpoint with --p256dh and --auth',
      "or the id or name of a stored one: webpush subscriptions list",
    ],
  });
}

function isStored(to: string, stored: readonly SubscriptionRecord[]): boolean {
  return stored.some(({ id, name }) => id === to || name === to);
}

/** There, or named as only a file would be: then its absence is what to complain about. */
function isFile(path: string, cwd: string): boolean {
  return existsSync(resolve(cwd, path)) || /[/\\]|\.(?:json|jsonl|ndjson|csv)$/i.test(path);
}

/** The entries of all lists, one after the other, as they are read. */
async function* readLists(
  files: readonly string[],
  gauge: ListGauge,
  context: Needs,
): AsyncGenerator<ImportEntry> {
  for (const file of files) {
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
): Promise<Pick<Recipients, "known"> & { readonly rest: AsyncGenerator<Entry> | undefined }> {
  const known: Entry[] = [];
  while (known.length < limit) {
    const next = await entries.next();
    if (next.done === true) return { known, rest: undefined };
    known.push(next.value);
  }
  return { known, rest: entries };
}

/** Passes entries on; throws at the end when there were none at all. */
async function* orNobody(
  entries: AsyncIterable<Entry>,
  hasOthers: boolean,
  error: () => UserError,
): AsyncGenerator<Entry> {
  let isEmpty = !hasOthers;
  for await (const entry of entries) {
    isEmpty = false;
    yield entry;
  }
  if (isEmpty) throw error();
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

function fromRecord(record: SubscriptionRecord, isNamed: boolean): Recipient {
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
