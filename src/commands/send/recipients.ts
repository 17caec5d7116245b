/**
 * Whom a message goes to: stored, given by flags, read from a file or piped in.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../base/errors.ts";
import { parseSubscriptions } from "../../formats/subscriptions.ts";
import { parseSubscription, subscriptionId, type Subscription } from "../../protocol/subscription.ts";
import { isTagSelector, selectRecords } from "../../store/selector.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { readInput } from "../input.ts";
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
const largestSubscriptionBytes = 64 * 1024;

/**
 * Everyone the options name, each endpoint once.
 *
 * @throws UserError `recipients-missing`, `recipient-unknown`, and those of the readers
 */
export async function readRecipients(options: RecipientOptions, context: Needs): Promise<Recipients> {
  const direct = directSubscriptions(options, context);
  const named = [...(await direct), ...(options.endpoint === undefined ? [] : [byParts(options)])];
  const isDefault = options.to.length === 0 && named.length === 0;
  const stored = await context.subscriptions.list();
  const read = await Promise.all(
    (isDefault ? ["all"] : options.to).map((to) => readTarget(to, stored, context)),
  );
  const all = [...read.flatMap(({ list }) => list), ...named.map((one) => fromSubscription(one, undefined))];
  const refused = read.flatMap((part) => part.refused);
  const list = withoutDuplicates(all);
  if (list.length === 0 && refused.length === 0) throw nobody(stored.length > 0);
  return { list, refused, isBroadcast: isDefault || read.some(({ isBroadcast }) => isBroadcast) };
}

async function readTarget(
  to: string,
  stored: readonly SubscriptionRecord[],
  context: Needs,
): Promise<Recipients> {
  if (to === "-") return readFrom(to, context);
  const isGroup = to === "all" || isTagSelector(to);
  if (!isGroup && !isStored(to, stored) && isFile(to, context.cwd)) return readFrom(to, context);
  const records = selectRecords(stored, to === "all" && stored.length === 0 ? [] : [to]);
  const living = isGroup ? records.filter(({ gone }) => gone === undefined) : records;
  return { list: living.map(fromRecord), refused: [], isBroadcast: isGroup };
}

function isStored(to: string, stored: readonly SubscriptionRecord[]): boolean {
  return stored.some(({ id, name }) => id === to || name === to);
}

function isFile(path: string, cwd: string): boolean {
  return existsSync(resolve(cwd, path));
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

async function directSubscriptions(
  { subscription }: RecipientOptions,
  context: Needs,
): Promise<Subscription[]> {
  const texts = await Promise.all(subscription.map((given) => readText(given, context)));
  return texts.map((text) => parseSubscription(parseJson(text)));
}

/** What was given itself when it is JSON, else the content of the file it names. */
async function readText(given: string, context: Needs): Promise<string> {
  if (given.trimStart().startsWith("{")) return given;
  return (await readInput(given, context, largestSubscriptionBytes)).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new UserError("subscription-malformed", "--subscription is not JSON", {
      hints: ["give JSON.stringify(subscription), or the name of a file that holds it"],
      cause: error,
    });
  }
}

function byParts({ endpoint, p256dh, auth }: RecipientOptions): Subscription {
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

function nobody(hasGone: boolean): UserError {
  return new UserError("recipients-missing", "there is nobody to send to", {
    hints: hasGone
      ? ["all stored subscriptions are gone: webpush subscriptions list --gone"]
      : [
          "store a subscription: webpush subscriptions add subscription.json",
          "or give one: webpush send --subscription '{\"endpoint\":…}'",
          "no page yet? webpush scaffold makes one; webpush demo shows it all",
        ],
  });
}
