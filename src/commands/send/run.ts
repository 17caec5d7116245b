/**
 * `webpush send`: one message to many, and an exit code that says what became of it.
 */
import { UserError } from "../../base/errors.ts";
import type { Message } from "../../protocol/message.ts";
import type { SigningKeys } from "../../protocol/preflight.ts";
import { parseKeyPair } from "../../protocol/vapid.ts";
import { createKeyRing, readEnvironmentKeys } from "../../settings/vapid.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";
import { counted } from "../subscriptions/render.ts";
import type { KeyOptions, SendOptions } from "./command.ts";
import { readContent } from "./content.ts";
import { deliver, type Result } from "./deliver.ts";
import { failureGroups } from "./failure-groups.ts";
import { planSend, type Plan, type SkippedRecipient } from "./plan.ts";
import { preview } from "./preview.ts";
import { readRecipients, type Recipients } from "./recipients.ts";
import { remember } from "./remember.ts";
import { resultJson, resultsTable, skippedJson, summaryLine, unrememberedText } from "./render.ts";
import { exitCodeFor, tallyOf } from "./tally.ts";

/** At a terminal, a message to more than this many is worth a question. */
const manyRecipients = 10;

export async function run(options: SendOptions, context: Context): Promise<ExitCode> {
  const recipients = await readRecipients(options, context);
  const keys = readKeys(options, context);
  const message = await readMessage(options, context);
  if (message.payload === undefined)
    note(context, "the push is empty: the page's service worker decides what to show");
  const { list, refused } = recipients;
  const plan = planSend({ message, recipients: list, refused, keys, encoding: options.encoding });
  for (const caution of [...(options.vapidSubject?.notes ?? []), ...plan.cautions]) note(context, caution);
  if (options.dryRun || options.curl) return preview(plan, options, { ...context, subject: keys.subject });
  await confirmMany(recipients, options, context);
  return sendPlanned(plan, options, { ...context, keys, isBroadcast: recipients.isBroadcast });
}

function note({ io }: Pick<Context, "io">, text: string): void {
  io.say(`${io.paint.err.caution("note:")} ${text}`);
}

type SendingContext = Context & { keys: SigningKeys; isBroadcast: boolean };

async function sendPlanned(plan: Plan, options: SendOptions, context: SendingContext): Promise<ExitCode> {
  const { io, json } = context;
  if (json) for (const one of plan.skipped) io.out(skippedJson(one));
  const results = await sendAll(plan, options, context);
  const notBegun = notBegunOf(plan, results);
  if (json) for (const one of notBegun) io.out(skippedJson(one));
  else for (const line of resultsTable(results, [...plan.skipped, ...notBegun], io)) io.out(line);
  for (const line of failureGroups(results, plan.skipped, io)) io.err(line);
  return conclude(results, [...plan.skipped, ...notBegun], options, context);
}

/** Sends; with `--json` each result is printed as it comes. */
async function sendAll(
  plan: Plan,
  options: SendOptions,
  context: SendingContext,
): Promise<readonly Result[]> {
  const { io, json, keys, signal } = context;
  const results: Result[] = [];
  signal.addEventListener("abort", () => {
    io.say("stopping as soon as what is in flight has ended; Ctrl-C again gives it up");
  });
  for await (const result of deliver(plan, options, { ...context, subject: keys.subject })) {
    results.push(result);
    if (!json) continue;
    io.out(resultJson(result));
    await io.drained();
  }
  return results;
}

/** What is left to do when all is sent: the store, the sum, the exit code. */
async function conclude(
  results: readonly Result[],
  skipped: readonly SkippedRecipient[],
  options: SendOptions,
  context: SendingContext,
): Promise<ExitCode> {
  const { io, isBroadcast, signal } = context;
  const { lines, kept, failure } = await remember(results, options, context);
  for (const line of lines) io.say(line);
  if (failure !== undefined) for (const line of unrememberedText(failure, io)) io.err(line);
  // One outcome for each recipient of the plan, so the counts add up to the input.
  const tally = tallyOf([...skipped.map((one) => one.skipped), ...results.map(({ delivery }) => delivery)]);
  io.say(summaryLine(tally, io));
  const excused = isBroadcast && options.prune ? tally.failures.gone - kept : 0;
  return exitCodeFor(tally, { excused, stopped: signal.aborted });
}

/** Those whose turn did not come before it was stopped. */
function notBegunOf({ ready }: Plan, results: readonly Result[]): readonly SkippedRecipient[] {
  const begun = new Set(results.map(({ recipient }) => recipient));
  return ready
    .filter((recipient) => !begun.has(recipient))
    .map((recipient) => ({
      recipient,
      skipped: {
        outcome: "skipped",
        cause: "interrupted",
        reason: "stopped before it was sent",
        advice: "run it again",
      },
    }));
}

async function readMessage(options: SendOptions, context: Context): Promise<Message> {
  const payload = await readContent(options, context);
  return { payload, ttlSeconds: options.ttl, urgency: options.urgency, topic: options.topic };
}

/** The keys to sign with: by flag, from the environment, of the project; in that order. */
function readKeys(options: KeyOptions, { io, env, config }: Context): SigningKeys {
  const { vapidPubkey, vapidPvtkey, vapidSubject } = options;
  const ring = createKeyRing(readEnvironmentKeys(env), config.read());
  const subject = vapidSubject?.subject ?? ring.subject;
  if (vapidPubkey === undefined && vapidPvtkey === undefined) return { ...ring, subject };
  if (vapidPubkey === undefined || vapidPvtkey === undefined) {
    throw new UserError("vapid-flags", "--vapid-pubkey and --vapid-pvtkey go together", {
      hints: ["give both, or neither to use the project's keys"],
    });
  }
  io.err(
    `${io.paint.err.caution("warning:")} --vapid-pvtkey shows the private key in process lists and shell history; set VAPID_PRIVATE_KEY instead`,
  );
  const pair = parseKeyPair(vapidPubkey, vapidPvtkey);
  return { current: pair, pairs: [pair, ...ring.pairs], subject };
}

async function confirmMany(recipients: Recipients, options: SendOptions, { prompt }: Context): Promise<void> {
  const { length } = recipients.list;
  if (length <= manyRecipients || options.yes || !prompt.available) return;
  if (!(await prompt.confirm(`send to ${counted(length)}?`, true))) {
    throw new UserError("declined", "nothing was sent", { kind: "failed" });
  }
}
