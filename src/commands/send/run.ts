/**
 * `webpush send`: one message to many, and an exit code that says what became of it.
 */
import { UserError } from "../../base/errors.ts";
import type { Message } from "../../protocol/message.ts";
import type { SigningKeys } from "../../protocol/preflight.ts";
import { parseKeyPair } from "../../protocol/vapid.ts";
import { keyRingOf } from "../key-ring.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";
import { counted } from "../subscriptions/render.ts";
import type { KeyOptions, SendOptions } from "./command.ts";
import { readContent } from "./content.ts";
import { broadcast, note } from "./broadcast.ts";
import { planSend } from "./plan.ts";
import { preview } from "./preview.ts";
import { checkQueueing } from "./queue-check.ts";
import { readRecipients, type Recipients } from "./recipients.ts";

/** At a terminal, a message to more than this many is worth a question. */
const manyRecipients = 10;

export async function run(options: SendOptions, context: Context): Promise<ExitCode> {
  await checkQueueing(options, context);
  const recipients = await readRecipients(options, context);
  const keys = await readKeys(options, context);
  const message = await readMessage(options, context);
  if (message.payload === undefined)
    note(context, "the push is empty: the page's service worker decides what to show");
  const rules = { message, keys, encoding: options.encoding };
  const plan = planSend(recipients.known, rules);
  for (const caution of [...(options.vapidSubject?.notes ?? []), ...plan.cautions]) note(context, caution);
  const run = { ...recipients, plan, rules };
  if (options.queue) {
    // Nobody without a database loads a client for one.
    const { enqueue, measure } = await import("./queue.ts");
    if (options.dryRun) return measure(run, options, context);
    await confirmMany(recipients, options, context);
    return enqueue(run, options, context);
  }
  if (options.dryRun || options.curl) return preview(run, options, { ...context, subject: keys.subject });
  await confirmMany(recipients, options, context);
  return broadcast(run, options, context);
}

async function readMessage(options: SendOptions, context: Context): Promise<Message> {
  const payload = await readContent(options, context);
  return { payload, ttlSeconds: options.ttl, urgency: options.urgency, topic: options.topic };
}

/** The keys to sign with: by flag, from the environment, of the project; in that order. */
async function readKeys(options: KeyOptions, { io, env, config }: Context): Promise<SigningKeys> {
  const { vapidPubkey, vapidPvtkey, vapidSubject } = options;
  const ring = await keyRingOf({ env, config });
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
  return { current: pair, pairs: [pair, ...ring.pairs], tenures: [], newestAt: ring.newestAt, subject };
}

async function confirmMany(
  { known, rest, expected }: Recipients,
  options: SendOptions,
  { prompt }: Context,
): Promise<void> {
  if ((known.length <= manyRecipients && rest === undefined) || options.yes || !prompt.available) return;
  const about = expected();
  const more = about === undefined ? `more than ${counted(known.length)}` : `about ${counted(about)}`;
  const whom = rest === undefined ? counted(known.length) : more;
  if (!(await prompt.confirm(`send to ${whom}?`, true))) {
    throw new UserError("declined", "nothing was sent", { kind: "failed" });
  }
}
