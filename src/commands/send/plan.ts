/**
 * From recipients and a message to requests that can work, before the network.
 *
 * What is wrong with the message stops everything; what is wrong with one
 * recipient skips that one.
 */
import { UserError } from "../../base/errors.ts";
import { checkPayloadSize, type Message } from "../../protocol/message.ts";
import { cautionsFor, checkForService, pickPair, type SigningKeys } from "../../protocol/preflight.ts";
import { serviceOf } from "../../protocol/services.ts";
import type { ContentEncoding, Subscription } from "../../protocol/subscription.ts";
import type { VapidKeyPair } from "../../protocol/vapid.ts";
import type { Recipient, RefusedRecipient } from "./recipients.ts";
import type { Skipped } from "./tally.ts";

/** A recipient that can be sent to, and the pair that signs for it. */
export interface ReadyRecipient extends Recipient {
  readonly pair: VapidKeyPair;
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

export interface PlanInput {
  readonly message: Message;
  readonly recipients: readonly Recipient[];
  readonly refused: readonly RefusedRecipient[];
  readonly keys: SigningKeys;
  /** Overrides the coding each subscription asks for. */
  readonly encoding: ContentEncoding | undefined;
}

/**
 * Checks everything that can be known before the network.
 *
 * @throws UserError `payload-too-large`, `ttl-too-long`, `subject-missing`, `keys-missing`
 */
export function planSend({ message, recipients, refused, keys, encoding }: PlanInput): Plan {
  if (keys.pairs.length === 0) throw keysMissing();
  const ready: ReadyRecipient[] = [];
  const skipped: SkippedRecipient[] = refused.map((entry) => ({
    recipient: entry,
    skipped: malformed(entry),
  }));
  for (const recipient of recipients) {
    const subscription = withEncoding(recipient.subscription, encoding);
    if (message.payload !== undefined) checkPayloadSize(message.payload.length, subscription.contentEncoding);
    checkForService(message, subscription, keys);
    const pair = pickPair(subscription.applicationServerKey, keys);
    if (pair === undefined) skipped.push({ recipient, skipped: keyUnknown(subscription) });
    else ready.push({ ...recipient, subscription, pair });
  }
  const services = new Set(ready.map(({ subscription }) => serviceOf(subscription.endpoint)));
  return { message, ready, skipped, cautions: cautionsFor(message, services) };
}

function withEncoding(subscription: Subscription, encoding: ContentEncoding | undefined): Subscription {
  return encoding === undefined ? subscription : { ...subscription, contentEncoding: encoding };
}

function keysMissing(): UserError {
  return new UserError("keys-missing", "this project has no VAPID keys to sign with", {
    hints: ["make a pair: webpush keys", "or set VAPID_PRIVATE_KEY and VAPID_SUBJECT"],
  });
}

function malformed({ at, error }: RefusedRecipient): Skipped {
  return {
    outcome: "skipped",
    cause: "input.malformed",
    reason: `${at}: ${error.message}`,
    advice: error.hints[0] ?? "correct the entry",
  };
}

function keyUnknown({ applicationServerKey }: Subscription): Skipped {
  return {
    outcome: "skipped",
    cause: "key.unknown",
    reason:
      applicationServerKey === undefined
        ? "it does not say which key it was made with, and none of yours is the current one"
        : `made with key ${applicationServerKey.slice(0, 12)}…, which is not among yours`,
    advice: "import that key pair, or let the page subscribe again with the current key",
  };
}
