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
import { planSend, type Plan } from "./plan.ts";
import { preview } from "./preview.ts";
import { readRecipients, type Recipients } from "./recipients.ts";
import { remember } from "./remember.ts";
import { failureGroups, resultJson, resultsTable, skippedJson, summaryLine } from "./render.ts";
import { exitCodeFor, tallyOf, type Outcome } from "./tally.ts";

/** At a terminal, a message to more than this many is worth a question. */
const manyRecipients = 10;

export async function run(options: SendOptions, context: Context): Promise<ExitCode> {
  const { io } = context;
  const recipients = await readRecipients(options, context);
  const keys = readKeys(options, context);
  const message = await readMessage(options, context);
  const { list, refused } = recipients;
  const plan = planSend({ message, recipients: list, refused, keys, encoding: options.encoding });
  for (const caution of plan.cautions) io.say(`${io.paint.err.caution("note:")} ${caution}`);
  if (options.dryRun || options.curl) return preview(plan, options, { ...context, subject: keys.subject });
  await confirmMany(recipients, options, context);
  return sendPlanned(plan, options, { ...context, keys, isBroadcast: recipients.isBroadcast });
}

async function sendPlanned(
  plan: Plan,
  options: SendOptions,
  context: Context & { keys: SigningKeys; isBroadcast: boolean },
): Promise<ExitCode> {
  const { io, json, keys, isBroadcast } = context;
  const results: Result[] = [];
  if (json) for (const one of plan.skipped) io.out(skippedJson(one));
  for await (const result of deliver(plan, options, { ...context, subject: keys.subject })) {
    results.push(result);
    if (json) {
      io.out(resultJson(result));
      await io.drained();
    }
  }
  const outcomes = outcomesOf(plan, results);
  const tally = tallyOf(outcomes);
  if (!json) for (const line of resultsTable(results, plan.skipped, io)) io.out(line);
  for (const line of failureGroups(results, plan.skipped, io)) io.err(line);
  for (const line of await remember(results, options, context)) io.say(line);
  io.say(summaryLine(tally, io));
  return exitCodeFor(tally, { isBroadcast: isBroadcast && options.prune });
}

/** One outcome for each recipient of the plan: those not begun when it was stopped count too. */
function outcomesOf(plan: Plan, results: readonly Result[]): readonly Outcome[] {
  const notBegun = plan.ready.length - results.length;
  return [
    ...plan.skipped.map(({ skipped }) => skipped),
    ...results.map(({ delivery }) => delivery),
    ...Array.from({ length: notBegun }, (): Outcome => {
      return {
        outcome: "skipped",
        cause: "interrupted",
        reason: "stopped before it was sent",
        advice: "run it again",
      };
    }),
  ];
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
