/**
 * From recipients and a message to requests that can work, before the network.
 *
 * What is wrong with the message stops everything; what is wrong with one
 * recipient skips that one.
 */
import { UserError } from "../../base/errors.ts";
import type { Delivery } from "../../protocol/delivery.ts";
import { checkPayloadSize, type Message } from "../../protocol/message.ts";
import {
  cautionsFor,
  checkForService,
  describeUnknownKey,
  pickPair,
  type SigningKeys,
} from "../../protocol/preflight.ts";
import { serviceOf, type PushServiceFacts } from "../../protocol/services.ts";
import type { ContentEncoding, Subscription } from "../../protocol/subscription.ts";
import type { VapidKeyPair, VapidPublicKey } from "../../protocol/vapid.ts";
import type { WrongKeyMark } from "../../store/subscriptions.ts";
import type { Entry, Recipient, RefusedRecipient, RepeatedRecipient } from "./recipients.ts";
import type { Skipped } from "./tally.ts";

/** A recipient that can be sent to, and the pair that signs for it. */
export interface ReadyRecipient extends Recipient {
  readonly pair: VapidKeyPair;
  /** Worth a try each, when its service says that it was made with another pair. */
  readonly otherPairs?: readonly VapidKeyPair[];
  /** What came of the pairs before this one. */
  readonly tried?: Tried;
}

/** Tries with other pairs, all refused. */
export interface Tried {
  /** The key that would be picked again. */
  readonly firstKey: VapidPublicKey;
  readonly delivery: Delivery;
  readonly attempts: number;
  readonly durationMs: number;
}

export interface SkippedRecipient {
  readonly recipient: Recipient | RefusedRecipient;
  readonly skipped: Skipped;
}

export interface Plan {
  readonly message: Message;
  readonly ready: readonly ReadyRecipient[];
  readonly skipped: readonly SkippedRecipient[];
  /** What may go differently than asked for. */
  readonly cautions: readonly string[];
}

/** What a message is sent with. */
export interface PlanRules {
  readonly message: Message;
  readonly keys: SigningKeys;
  /** Overrides the coding each subscription asks for. */
  readonly encoding: ContentEncoding | undefined;
}

/**
 * Checks everything that can be known before the network.
 *
 * @throws UserError `payload-too-large`, `ttl-too-long`, `subject-missing`, `keys-missing`
 */
export function planSend(entries: readonly Entry[], rules: PlanRules): Plan {
  const { message } = rules;
  assertKeys(rules);
  const ready: ReadyRecipient[] = [];
  const skipped: SkippedRecipient[] = [];
  for (const entry of entries) {
    const planned = planEntry(entry, rules);
    if ("skipped" in planned) skipped.push(planned);
    else ready.push(planned);
  }
  const services = new Set(ready.map(({ subscription }) => serviceOf(subscription.endpoint)));
  return { message, ready, skipped, cautions: cautionsFor(message, services) };
}

/** The same for one entry of a list that is read while sending: what cannot be sent to it skips it alone. */
export function planLateEntry(entry: Entry, rules: PlanRules): ReadyRecipient | SkippedRecipient {
  try {
    return planEntry(entry, rules);
  } catch (error) {
    if (!(error instanceof UserError) || !("id" in entry)) throw error;
    return refused({ recipient: entry, error });
  }
}

/** Somebody whom the message cannot be sent to as it is. */
export function refused({ recipient, error }: { recipient: Recipient; error: UserError }): SkippedRecipient {
  return { recipient, skipped: unfit(error) };
}

/** Cautions about the services of `recipients` that were not among those met before. */
export function createCautions(message: Message): (recipient: Recipient) => readonly string[] {
  const met = new Set<PushServiceFacts>();
  return ({ subscription }) => {
    const service = serviceOf(subscription.endpoint);
    if (met.has(service)) return [];
    met.add(service);
    return cautionsFor(message, [service]);
  };
}

function planEntry(entry: Entry, { message, keys, encoding }: PlanRules): ReadyRecipient | SkippedRecipient {
  if ("error" in entry) return { recipient: entry, skipped: malformed(entry) };
  if ("repeatedAt" in entry) return { recipient: entry, skipped: repeated(entry) };
  const subscription = withEncoding(entry.subscription, encoding);
  if (message.payload !== undefined) checkPayloadSize(message.payload.length, subscription.contentEncoding);
  checkForService(message, subscription, keys);
  const { applicationServerKey } = subscription;
  const pair = pickPair({ applicationServerKey, registeredAt: entry.record?.registeredAt }, keys);
  if (pair === undefined) return { recipient: entry, skipped: keyUnknown(subscription) };
  const mark = refusalOf(entry, pair, keys);
  if (mark !== undefined) return { recipient: entry, skipped: keyRefused(entry.id, mark) };
  const ready = { ...entry, subscription, pair };
  if (entry.record === undefined || applicationServerKey !== undefined || keys.pairs.length === 1)
    return ready;
  return { ...ready, otherPairs: keys.pairs.filter(({ publicKey }) => publicKey !== pair.publicKey) };
}

/** The refusal that would come again; whoever is asked for by id or name is tried all the same. */
function refusalOf(
  { record, isNamed }: Recipient,
  { publicKey }: VapidKeyPair,
  { newestAt = 0 }: SigningKeys,
): WrongKeyMark | undefined {
  const mark = record?.wrongKey;
  if (isNamed === true || mark?.publicKey !== publicKey) return undefined;
  // One that does not say its key was tried with all pairs there were, but not with those that came later.
  const isWorthTrying = record?.subscription.applicationServerKey === undefined && newestAt >= mark.at;
  return isWorthTrying ? undefined : mark;
}

function assertKeys({ keys }: PlanRules): void {
  if (keys.pairs.length > 0) return;
  throw new UserError("keys-missing", "this project has no VAPID keys to sign with", {
    hints: ["make a pair: webpush keys", "or set VAPID_PRIVATE_KEY and VAPID_SUBJECT"],
  });
}

function withEncoding(subscription: Subscription, encoding: ContentEncoding | undefined): Subscription {
  return encoding === undefined ? subscription : { ...subscription, contentEncoding: encoding };
}

function malformed({ at, error }: RefusedRecipient): Skipped {
  return {
    outcome: "skipped",
    cause: "input.malformed",
    reason: `${at}: ${error.message}`,
    advice: error.hints[0] ?? "correct the entry",
  };
}

function repeated({ repeatedAt }: RepeatedRecipient): Skipped {
  return {
    outcome: "skipped",
    cause: "input.repeated",
    reason: `${repeatedAt}: the same endpoint came before`,
    advice: "nothing to do: it is sent to once",
  };
}

function unfit({ code, kind, message, hints }: UserError): Skipped {
  return {
    outcome: "skipped",
    cause: kind === "credentials" ? "message.unsigned" : "message.unfit",
    reason: message,
    advice: hints[0] ?? `see ${code} in docs/errors.md`,
  };
}

function keyUnknown({ applicationServerKey }: Subscription): Skipped {
  const { what, advice } = describeUnknownKey(applicationServerKey);
  return { outcome: "skipped", cause: "key.unknown", reason: what, advice };
}

/** It was refused with this very key, which will not change before its page is visited again. */
function keyRefused(id: string, { at, cause, publicKey }: WrongKeyMark): Skipped {
  const day = new Date(at).toISOString().slice(0, 10);
  return {
    outcome: "skipped",
    cause: "key.refused",
    reason: `refused on ${day} with key ${publicKey.slice(0, 12)}… (${cause})`,
    advice: `have its page visited again, which subscribes anew; or try all the same: webpush send --to ${id}`,
  };
}
