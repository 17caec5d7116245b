/** `webpush subscriptions show`: everything about one of them but its secrets. */
import { UserError } from "../../base/errors.ts";
import { selectFrom } from "../../store/selector.ts";
import type { SubscriptionReader, SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { ShowOptions } from "./command.ts";
import { detailText, recordJson } from "./render.ts";
import { jsonLine } from "../../terminal/json-line.ts";

type Needs = Pick<Context, "io" | "subscriptions" | "json">;

export async function run({ which }: ShowOptions, { io, subscriptions, json }: Needs): Promise<ExitCode> {
  const record = await selectOne(which, subscriptions);
  if (json) io.out(jsonLine({ ...recordJson(record), endpoint: record.subscription.endpoint }));
  else for (const line of detailText(record)) io.out(line);
  return ExitCode.ok;
}

/**
 * The one record that `which` names.
 *
 * @throws UserError `subscription-ambiguous`, `subscription-unknown`
 */
export async function selectOne(which: string, store: SubscriptionReader): Promise<SubscriptionRecord> {
  const [record, ...others] = await selectFrom(store, [which]);
  if (record !== undefined && others.length === 0) return record;
  throw new UserError("subscription-ambiguous", `${which} names ${others.length + 1} subscriptions`, {
    hints: ["give one id or name"],
  });
}
