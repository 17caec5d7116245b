/**
 * Whom a message goes to: stored, given by flags, read from a file or piped in.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../base/errors.ts";
import { parseSubscriptions } from "../../formats/subscriptions.ts";
import {
  parseSubscription,
  shortenEndpoint,
  subscriptionId,
  type Subscription,
} from "../../protocol/subscription.ts";
import { isTagSelector, selectRecords } from "../../store/selector.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { readInput } from "../input.ts";
import { readSubscription } from "../subscription-text.ts";
import type { RecipientOptions } from "./command.ts";

/** One subscription to send to; `record` when it is a stored one. */
export interface Recipient {
  readonly id: string;
  readonly name: string | undefined;
  readonly subscription: Subscription;
  readonly record: SubscriptionRecord | undefined;
}

/** An entry of a file that is no subscription. */
export interface RefusedRecipient {
  readonly at: string;
  readonly error: UserError;
}

export interface Recipients {
  readonly list: readonly Recipient[];
  readonly refused: readonly RefusedRecipient[];
  /** Sent to a group rather than to ones that were named: some of them being gone is no failure. */
  readonly isBroadcast: boolean;
}

type Needs = Pick<Context, "io" | "subscriptions" | "cwd">;

/** A file of more than this is for streaming, not for one array. */
const largestFileBytes = 256 * 1024 * 1024;

/**
 * Everyone the options name, each endpoint once.
 *
 * @throws UserError `recipients-missing`, `stdin-twice`, and those of the readers and the selector
 */
export async function readRecipients(options: RecipientOptions, context: Needs): Promise<Recipients> {
  assertSensible(options);
  const direct = options.subscription.map((given) => readSubscription(given, context));
  const named = [...(await Promise.all(direct)), ...(hasParts(options) ? [byParts(options)] : [])];
  const isDefault = options.to.length === 0 && named.length === 0;
  const stored = await context.subscriptions.list();
  const read = await Promise.all(
    (isDefault ? ["all"] : [...new Set(options.to)]).map((to) => readTarget(to, stored, context)),
  );
  const all = [...read.flatMap(({ list }) => list), ...named.map((one) => fromSubscription(one, undefined))];
  const refused = read.flatMap((part) => part.refused);
  const list = withoutDuplicates(all);
  if (list.length === 0 && refused.length === 0) throw nobody(options, stored.length > 0);
  return { list, refused, isBroadcast: isDefault || read.some(({ isBroadcast }) => isBroadcast) };
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

async function readTarget(
  to: string,
  stored: readonly SubscriptionRecord[],
  context: Needs,
): Promise<Recipients> {
  if (to === "-") return readFrom(to, context);
  if (/^https?:\/\//i.test(to)) throw endpointAsTarget(to);
  const isGroup = to === "all" || isTagSelector(to);
  if (!isGroup && !isStored(to, stored) && isFile(to, context.cwd)) return readFrom(to, context);
  const records = selectRecords(stored, to === "all" && stored.length === 0 ? [] : [to]);
  const living = isGroup ? records.filter(({ gone }) => gone === undefined) : records;
  return { list: living.map(fromRecord), refused: [], isBroadcast: isGroup };
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

async function readFrom(file: string, context: Needs): Promise<Recipients> {
  const text = (await readInput(file, context, largestFileBytes)).toString("utf8");
  const list: Recipient[] = [];
  const refused: RefusedRecipient[] = [];
  for (const entry of parseSubscriptions(text)) {
    if (entry.ok) list.push(fromSubscription(entry.subscription, entry.name));
    else refused.push(entry);
  }
  return { list, refused, isBroadcast: true };
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

function fromRecord(record: SubscriptionRecord): Recipient {
  return { id: record.id, name: record.name, subscription: record.subscription, record };
}

function fromSubscription(subscription: Subscription, name: string | undefined): Recipient {
  return { id: subscriptionId(subscription.endpoint), name, subscription, record: undefined };
}

/** The first of each endpoint. */
function withoutDuplicates(recipients: readonly Recipient[]): readonly Recipient[] {
  const byId = new Map<string, Recipient>();
  for (const recipient of recipients) if (!byId.has(recipient.id)) byId.set(recipient.id, recipient);
  return [...byId.values()];
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
