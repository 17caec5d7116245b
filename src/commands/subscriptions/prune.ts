/** `webpush subscriptions prune`: forgets for good those that are not coming back, each for a reason. */
import { UserError } from "../../base/errors.ts";
import { createKeyRing, readEnvironmentKeys } from "../../settings/vapid.ts";
import { reasonToForget, type ForgetCause, type ForgetRules } from "../../store/forget.ts";
import { selectRecords } from "../../store/selector.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { PruneOptions } from "./command.ts";
import { counted } from "./render.ts";
import { forgetCounts, forgetText, prunedJson, type Doomed } from "./prune-render.ts";

type Needs = Pick<Context, "io" | "prompt" | "subscriptions" | "config" | "env" | "clock" | "json">;

export async function run(options: PruneOptions, context: Needs): Promise<ExitCode> {
  const { io, subscriptions, config, env, clock, json } = context;
  const all = await subscriptions.list();
  const chosen = options.which.length === 0 ? all : selectRecords(all, options.which);
  const { pairs } = createKeyRing(readEnvironmentKeys(env), await config.read());
  const rules = { causes: causesOf(options), olderThanMs: options.olderThan, pairs, now: clock.now() };
  const doomed = chosen.flatMap((record): Doomed[] => {
    const reason = reasonToForget(record, rules);
    return reason === undefined ? [] : [{ record, reason }];
  });
  if (!json) for (const one of doomed) for (const line of forgetText(one, rules.now, io)) io.out(line);
  for (const line of forgetCounts(doomed, chosen.length)) io.say(line);
  if (doomed.length === 0) return ExitCode.ok;
  if (!options.dryRun) return forgetAll(doomed, rules, options, context);
  if (json) for (const one of doomed) io.out(prunedJson(one, { removed: false }));
  return ExitCode.ok;
}

async function forgetAll(
  doomed: readonly Doomed[],
  rules: ForgetRules,
  { yes }: PruneOptions,
  context: Needs,
): Promise<ExitCode> {
  const { io, json } = context;
  if (!yes) await confirm(doomed.length, context);
  const forgotten = await forget(doomed, rules, context);
  if (json) for (const one of forgotten) io.out(prunedJson(one, { removed: true }));
  io.say(`forgot ${counted(forgotten.length)}`);
  const stayed = doomed.length - forgotten.length;
  if (stayed > 0) io.say(`kept ${counted(stayed)}: changed or removed by somebody else just now`);
  return ExitCode.ok;
}

function causesOf({ expired, deadHosts, wrongKey, calledGone }: PruneOptions): ReadonlySet<ForgetCause> {
  return new Set<ForgetCause>([
    "gone",
    ...(deadHosts ? (["dead-host"] as const) : []),
    ...(expired ? (["expired"] as const) : []),
    ...(calledGone ? (["called-gone"] as const) : []),
    ...(wrongKey ? (["wrong-key"] as const) : []),
  ]);
}

/** Removes those whose reason still holds: since they were listed a page may have come back, or a push arrived. */
async function forget(
  doomed: readonly Doomed[],
  rules: ForgetRules,
  { subscriptions }: Needs,
): Promise<readonly Doomed[]> {
  const seen = new Map(
    doomed.map(({ record, reason }) => [record.subscription.endpoint, { record, reason }]),
  );
  const isDoomed = (record: SubscriptionRecord): boolean => {
    const before = seen.get(record.subscription.endpoint);
    return (
      before?.record.registeredAt === record.registeredAt &&
      reasonToForget(record, rules)?.cause === before.reason.cause
    );
  };
  const removed = await subscriptions.remove([...seen.keys()], isDoomed);
  return removed.flatMap(({ subscription }) => seen.get(subscription.endpoint) ?? []);
}

async function confirm(count: number, { prompt }: Needs): Promise<void> {
  if (!prompt.available) {
    throw new UserError("unconfirmed", `would forget ${counted(count)}`, {
      hints: ["add --yes if that is what you want, or --dry-run to only look"],
    });
  }
  if (!(await prompt.confirm(`forget ${counted(count)} for good?`, false))) {
    throw new UserError("declined", "nothing was changed", { kind: "failed" });
  }
}
