/**
 * The push that the page's own button asks for: one message, by the rules of `webpush send`.
 */
import { diagnosisOf } from "../../protocol/delivery.ts";
import { createPayload } from "../../protocol/payload.ts";
import type { TestResult } from "../../server/events.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { deliver, once, type Result } from "../send/deliver.ts";
import { planSend } from "../send/plan.ts";
import { remember } from "../send/remember.ts";
import type { Skipped } from "../send/tally.ts";
import type { ServeOptions } from "./command.ts";
import { keyRingOf } from "../key-ring.ts";

/** Whoever pressed the button is looking now; an hour later it would only puzzle. */
const ttlSeconds = 60;

/** Sends the test push to a stored subscription, and stores what became of it. */
export async function sendTestPush(
  record: SubscriptionRecord,
  options: Pick<ServeOptions, "timeout" | "proxy" | "ca" | "allowHost" | "allowRemote">,
  context: Context,
): Promise<TestResult> {
  const keys = await keyRingOf(context);
  const { id, name, subscription } = record;
  const payload = createPayload({
    title: "Test push",
    body: "Sent by webpush serve, shown by your service worker.",
  });
  const plan = planSend([{ id, name, subscription, record, isNamed: true }], {
    message: { payload, ttlSeconds, urgency: "high", topic: undefined },
    keys,
    encoding: undefined,
  });
  const results: Result[] = [];
  // Who can ask for a push here is on this machine already, unless others were let in.
  const network = { ...options, ...once, allowPrivate: false, allowLoopback: !options.allowRemote };
  for await (const result of deliver(plan, network, { ...context, subject: keys.subject }))
    results.push(result);
  const { lines, failure } = await remember(results, { prune: true }, context);
  for (const line of lines) context.io.say(line);
  if (failure !== undefined) throw failure;
  const [result] = results;
  if (result !== undefined) return resultOf(result);
  return skippedResult(plan.skipped[0]?.skipped ?? stopped);
}

const stopped: Skipped = {
  outcome: "skipped",
  cause: "interrupted",
  reason: "stopped before it was sent",
  advice: "start the server again",
};

function resultOf({ delivery }: Result): TestResult {
  const { outcome, cause, status, reason } = delivery;
  const { meaning, advice } = diagnosisOf(cause);
  return { outcome, cause, status, reason, meaning, advice: outcome === "accepted" ? undefined : advice };
}

function skippedResult({ outcome, cause, reason, advice }: Skipped): TestResult {
  return { outcome, cause, status: undefined, reason: undefined, meaning: reason, advice };
}
