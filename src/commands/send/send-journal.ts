/**
 * `--journal`: who has the message already, in the words of a broadcast.
 */
import { resolve } from "node:path";
import { formatBase64url } from "../../base/bytes.ts";
import { fingerprintOf } from "../../base/fingerprint-set.ts";
import { durationText, groupDigits } from "../../base/figures.ts";
import { identifyFile, type CampaignIdentity, type InputIdentity } from "../../store/journal/identity.ts";
import { openJournal, type Journal, type Resumed } from "../../store/journal/journal.ts";
import { youngMs } from "../../store/prune.ts";
import { printable } from "../../terminal/printable.ts";
import type { Context } from "../context.ts";
import type { SendOptions } from "./command.ts";
import type { Recorder } from "./deliver.ts";
import type { PlanRules, ReadyRecipient } from "./plan.ts";
import type { RecipientSource } from "./recipients.ts";
import type { Skipped } from "./tally.ts";

export interface SendJournal extends Recorder, AsyncDisposable {
  /** What a person should know when a broadcast is resumed. */
  readonly greeting: string | undefined;
  /** Why somebody is not to be sent to; `undefined` for whoever is. */
  settledOf(recipient: ReadyRecipient): Skipped | undefined;
}

type Options = Pick<SendOptions, "journal" | "resumeAnyway" | "retryAmbiguous" | "encoding" | "prune">;
type Needs = Pick<Context, "clock" | "random" | "signal" | "cwd">;

/** What is sent, and to whom: the journal is of this and of nothing else. */
interface Broadcast {
  readonly rules: PlanRules;
  readonly sources: readonly RecipientSource[];
}

/**
 * Opens the journal that the options name; `undefined` where they name none.
 *
 * @throws UserError those of `openJournal`
 */
export async function openSendJournal(
  broadcast: Broadcast,
  options: Options,
  context: Needs,
): Promise<SendJournal | undefined> {
  if (options.journal === undefined) return undefined;
  const identity = await identityOf(broadcast, options, context);
  const journal = await openJournal(resolve(context.cwd, options.journal), identity, {
    clock: context.clock,
    campaignId: formatBase64url(context.random.bytes(16)),
    resumeAnyway: options.resumeAnyway,
    signal: context.signal,
  });
  return {
    greeting:
      journal.resumed &&
      greetingOf(options.journal, journal.resumed, context.clock.now() - journal.createdAt),
    settledOf(recipient) {
      const state = journal.stateOf(digestOf(recipient));
      if (state === "accepted") return settled.accepted;
      if (state === "gone")
        return isDoubtful(recipient, journal) || isUnmarked(recipient, options) ? undefined : settled.gone;
      return state === "ambiguous" && !options.retryAmbiguous ? settled.ambiguous : undefined;
    },
    intend: (recipient) => {
      journal.intend(digestOf(recipient));
    },
    record: (recipient, { outcome, status }) => {
      journal.record(digestOf(recipient), outcome, status === undefined ? {} : { status });
    },
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}

/**
 * Whether somebody found gone is to be asked again: too young then for that to be believed (PROTOCOL.md §4.8), or
 * registered again since.
 */
function isDoubtful({ record }: ReadyRecipient, { createdAt }: Pick<Journal, "createdAt">): boolean {
  return record !== undefined && record.registeredAt > createdAt - youngMs;
}

/**
 * Whether the run that found it gone ended before it could be marked: killed, since marks come at the end. Asked again it
 * is marked, and nobody gets a message twice.
 */
function isUnmarked({ record }: ReadyRecipient, { prune }: Pick<Options, "prune">): boolean {
  return prune && record !== undefined && record.gone === undefined;
}

function digestOf({ subscription }: ReadyRecipient): Uint8Array {
  return fingerprintOf(subscription.endpoint);
}

async function identityOf(
  { rules, sources }: Broadcast,
  { encoding }: Options,
  { cwd, signal }: Needs,
): Promise<CampaignIdentity> {
  const { payload, ttlSeconds, urgency, topic } = rules.message;
  const options = { ttl: String(ttlSeconds), urgency, topic, encoding };
  return {
    payload: payload === undefined ? "none" : formatBase64url(fingerprintOf(payload)),
    options: Object.fromEntries(
      Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    keys: rules.keys.pairs.map(({ publicKey }) => formatBase64url(fingerprintOf(publicKey))),
    inputs: await Promise.all(sources.map((source) => identifySource(source, cwd, signal))),
  };
}

async function identifySource(
  source: RecipientSource,
  cwd: string,
  signal: AbortSignal,
): Promise<InputIdentity> {
  return source.kind === "file" ? identifyFile(resolve(cwd, source.path), signal) : source;
}

function greetingOf(
  file: string,
  { accepted, gone, ambiguous, again, damagedLines }: Resumed,
  ageMs: number,
): string {
  const parts = [
    `${groupDigits(accepted)} accepted`,
    ...(gone === 0 ? [] : [`${groupDigits(gone)} gone`]),
    ...(again === 0 ? [] : [`${groupDigits(again)} to be tried again`]),
    ...(ambiguous === 0 ? [] : [`${groupDigits(ambiguous)} in doubt`]),
    ...(damagedLines === 0 ? [] : [`${groupDigits(damagedLines)} damaged lines left out`]),
  ];
  return `going on with ${printable(file)}, begun ${durationText(ageMs)} ago: ${parts.join(", ")}`;
}

const settled = {
  accepted: {
    outcome: "skipped",
    cause: "journal.accepted",
    reason: "accepted in an earlier run of this journal",
    advice: "nothing to do",
  },
  gone: {
    outcome: "skipped",
    cause: "journal.gone",
    reason: "found gone in an earlier run of this journal",
    advice: "nothing to do",
  },
  ambiguous: {
    outcome: "skipped",
    cause: "journal.ambiguous",
    reason: "sent in an earlier run that ended before the answer came",
    advice: "leave out --no-retry-ambiguous to send it again, perhaps for the second time",
  },
} as const satisfies Readonly<Record<string, Skipped>>;
