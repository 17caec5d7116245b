/**
 * `webpush subscriptions add`: one subscription, from wherever it is at hand.
 */
import { UserError } from "../../base/errors.ts";
import { parseSubscription, type Subscription } from "../../protocol/subscription.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { parseSubscriptionText, readSubscription } from "../subscription-text.ts";
import type { AddOptions } from "./command.ts";
import { parseLabel } from "./labels.ts";
import { addedText, otherKeyWarning, recordJson } from "./render.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "prompt" | "config" | "subscriptions" | "clock" | "cwd" | "json">;

export async function run(options: AddOptions, context: Needs): Promise<ExitCode> {
  const { io, config, subscriptions, clock, json } = context;
  const name = options.name === undefined ? undefined : parseLabel("name", options.name);
  const tags = options.tag.map((tag) => parseLabel("tag", tag));
  const subscription = await subscriptionOf(options, context);
  const [added] = await subscriptions.add([{ subscription, name, tags }], clock.now());
  if (added === undefined) throw new Error("the store answered nothing for what was added");
  if (json) io.out(jsonLine({ outcome: added.outcome, ...recordJson(added.record) }));
  else for (const line of addedText(added, subscriptions.path)) io.say(line);
  const made = subscription.applicationServerKey;
  const { pairs } = await config.read();
  if (made !== undefined && pairs.length > 0 && !pairs.some(({ pair }) => pair.publicKey === made)) {
    for (const line of otherKeyWarning(io)) io.err(line);
  }
  return ExitCode.ok;
}

async function subscriptionOf(options: AddOptions, context: Needs): Promise<Subscription> {
  const { source, endpoint, p256dh, auth } = options;
  if (endpoint !== undefined || p256dh !== undefined || auth !== undefined) {
    if (source !== undefined) throw tooManySources();
    return parseSubscription({ endpoint, keys: { p256dh, auth } });
  }
  if (source !== undefined) return readSubscription(source, context);
  if (!context.io.terminal.in) return readSubscription("-", context);
  if (context.prompt.available) {
    return context.prompt.input("Paste the subscription as JSON", parseSubscriptionText);
  }
  throw new UserError("subscription-missing", "no subscription was given", {
    hints: ["give its JSON, a file, or - to read stdin"],
  });
}

function tooManySources(): UserError {
  return new UserError("subscription-twice", "the subscription is given twice: as an argument and by flags", {
    hints: ["leave out one of them"],
  });
}
