/** `webpush doctor --ask`: an accepted message that nobody sees, tracked down by questions at a terminal. */
import { UserError } from "../../base/errors.ts";
import { serviceOf, type ServiceId } from "../../protocol/services.ts";
import { findVerdict, questions, type Records } from "../../doctor/questions.ts";
import { verdicts } from "../../doctor/nothing-appears/verdicts.ts";
import { settings as table } from "../../settings/table.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import { jsonLine } from "../../terminal/json-line.ts";
import type { Context } from "../context.ts";
import { knownText, questionJson, verdictJson, verdictText } from "./ask-render.ts";

type Needs = Pick<Context, "io" | "json" | "prompt" | "settings" | "subscriptions">;

/**
 * Asks until it knows, and says what to do. With `--json` prints the questions instead, for others to ask.
 *
 * @throws UserError `doctor-ask` where nobody can answer
 */
export async function ask({ io, json, prompt, settings, subscriptions }: Needs): Promise<void> {
  if (json) {
    for (const question of questions) io.out(jsonLine(questionJson(question)));
    for (const verdict of verdicts) io.out(jsonLine(verdictJson(verdict)));
    return;
  }
  if (!prompt.available) {
    throw new UserError("doctor-ask", "--ask wants somebody at a terminal to answer", {
      hints: [
        "read the same as a list: docs/nothing-appears.md",
        "or print the questions for a program: webpush doctor --ask --json",
      ],
    });
  }
  const records = await recordsOf(subscriptions.stream(), settings.read());
  for (const line of knownText(records, io)) io.err(line);
  const verdict = await findVerdict(records, ({ asks }, answers) =>
    prompt.select(
      asks,
      answers.map((answer) => ({ name: answer.says, value: answer })),
    ),
  );
  for (const line of verdictText(verdict, io)) io.out(line);
}

/** Nothing was found, messages are accepted: whether the person wants to be asked what is left. */
export async function isWorthAsking({ prompt, settings, subscriptions }: Needs): Promise<boolean> {
  if (!prompt.available) return false;
  const { accepted } = await recordsOf(subscriptions.stream(), settings.read());
  return accepted > 0 && (await prompt.confirm("Is a message accepted and does not appear?", false));
}

/**
 * What the stored subscriptions and the project's defaults tell, so that it need not be asked.
 *
 * @internal
 */
export async function recordsOf(
  records: AsyncIterable<SubscriptionRecord> | Iterable<SubscriptionRecord>,
  kept: Readonly<Record<string, string>>,
): Promise<Records> {
  const services = new Set<ServiceId>();
  let [stored, sent, accepted] = [0, 0, 0];
  for await (const { gone, lastResult, subscription } of records) {
    if (gone !== undefined) continue;
    stored += 1;
    if (lastResult === undefined) continue;
    sent += 1;
    if (lastResult.outcome !== "accepted") continue;
    accepted += 1;
    services.add(serviceOf(subscription.endpoint).id);
  }
  return {
    stored,
    accepted,
    refused: sent - accepted,
    services: [...services],
    ttlSeconds: readSetting(kept["ttl"], table.ttl.parse),
    urgency: readSetting(kept["urgency"], table.urgency.parse),
  };
}

/** A default of the project; one that does not read has a check of its own. */
function readSetting<Value>(text: string | undefined, parse: (text: string) => Value): Value | undefined {
  try {
    return text === undefined ? undefined : parse(text);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
