/** One subscription as a person hands it over: its JSON, a file that holds it, or stdin. */
import { UserError } from "../base/errors.ts";
import { parseSubscription, type Subscription } from "../protocol/subscription.ts";
import type { Context } from "./context.ts";
import { readInput } from "./input.ts";

/** No subscription is longer; what is longer is some other file. */
const largestSubscriptionBytes = 64 * 1024;

/**
 * Reads a subscription from what was given: JSON itself, or the name of a file, or `-`.
 *
 * @throws UserError `subscription-malformed`, and those of input.ts and subscription.ts
 */
export async function readSubscription(
  given: string,
  context: Pick<Context, "io" | "cwd">,
): Promise<Subscription> {
  if (given.trimStart().startsWith("{")) return parseSubscriptionText(given);
  return parseSubscriptionText((await readInput(given, context, largestSubscriptionBytes)).toString("utf8"));
}

/**
 * Reads the JSON text of one subscription.
 *
 * @throws UserError `subscription-malformed`, and those of subscription.ts
 */
export function parseSubscriptionText(text: string): Subscription {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  let json: unknown;
  try {
    json = JSON.parse(trimmed);
  } catch (error) {
    throw new UserError("subscription-malformed", notJson(trimmed), {
      hints: [
        "give what JSON.stringify(subscription) prints in the page; several at once: webpush subscriptions import",
      ],
      cause: error,
    });
  }
  return parseSubscription(json);
}

function notJson(text: string): string {
  if (text === "") return "the subscription is empty";
  if (/^https?:/.test(text)) return "an endpoint alone is not enough: the keys p256dh and auth are missing";
  return "the subscription is not JSON";
}
