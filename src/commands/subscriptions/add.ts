/**
 * `webpush subscriptions add`: one subscription, from wherever it is at hand.
 */
import { UserError } from "../../base/errors.ts";
import { parseSubscription, type Subscription } from "../../protocol/subscription.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { readInput } from "../input.ts";
import type { AddOptions } from "./command.ts";
import { parseLabel } from "./labels.ts";
import { addedText, otherKeyWarning, recordJson } from "./render.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "prompt" | "config" | "subscriptions" | "clock" | "cwd" | "json">;

const largestInputBytes = 64 * 1024;

export async function run(options: AddOptions, context: Needs): Promise<ExitCode> {
  const { io, config, subscriptions, clock, json } = context;
  const name = options.name === undefined ? undefined : parseLabel("name", options.name);
  const tags = options.tag.map((tag) => parseLabel("tag", tag));
  const subscription = await readSubscription(options, context);
  const [added] = await subscriptions.add([{ subscription, name, tags }], clock.now());
  if (added === undefined) throw new Error("the store answered nothing for what was added");
  if (json) io.out(jsonLine({ outcome: added.outcome, ...recordJson(added.record) }));
  else for (const line of addedText(added, subscriptions.path)) io.say(line);
  const made = subscription.applicationServerKey;
  const { pairs } = config.read();
  if (made !== undefined && pairs.length > 0 && !pairs.some(({ pair }) => pair.publicKey === made)) {
    for (const line of otherKeyWarning(io)) io.err(line);
  }
  return ExitCode.ok;
}

async function readSubscription(options: AddOptions, context: Needs): Promise<Subscription> {
  const { source, endpoint, p256dh, auth } = options;
  if (endpoint !== undefined || p256dh !== undefined || auth !== undefined) {
    if (source !== undefined) throw tooManySources();
    return parseSubscription({ endpoint, keys: { p256dh, auth } });
  }
  return parseSubscription(parseJson(await readText(source, context)));
}

async function readText(source: string | undefined, context: Needs): Promise<string> {
  if (source?.trimStart().startsWith("{") === true) return source;
  if (source !== undefined) return (await readInput(source, context, largestInputBytes)).toString("utf8");
  if (!context.io.terminal.in) return (await readInput("-", context, largestInputBytes)).toString("utf8");
  if (context.prompt.available) {
    return context.prompt.input("Paste the subscription as JSON", (text) => {
      parseSubscription(parseJson(text));
      return text;
    });
  }
  throw new UserError("subscription-missing", "no subscription was given", {
    hints: ["give its JSON, a file, or - to read stdin"],
  });
}

function parseJson(text: string): unknown {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  try {
    return JSON.parse(trimmed);
  } catch (error) {
    throw new UserError("subscription-malformed", notJson(trimmed), {
      hints: [
        "give what JSON.stringify(subscription) prints in the page; several at once: webpush subscriptions import",
      ],
      cause: error,
    });
  }
}

function notJson(text: string): string {
  if (text === "") return "the subscription is empty";
  if (/^https?:/.test(text)) return "an endpoint alone is not enough: the keys p256dh and auth are missing";
  return "the subscription is not JSON";
}

function tooManySources(): UserError {
  return new UserError("subscription-twice", "the subscription is given twice: as an argument and by flags", {
    hints: ["leave out one of them"],
  });
}
