/**
 * `webpush subscriptions prune`: forgets for good those that are not coming back, each for a reason.
 *
 * They are read twice, to tell of them and to forget them, since there may be more than can be held. The store looks
 * at each again when it forgets it: meanwhile a page may have come back, or a push arrived.
 */
import { inBatches } from "../../base/batches.ts";
import { UserError } from "../../base/errors.ts";
import { keyRingOf } from "../key-ring.ts";
import { reasonToForget, type ForgetCause, type ForgetRules } from "../../store/forget.ts";
import { streamFrom } from "../../store/selector.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { PruneOptions } from "./command.ts";
import { counted } from "./render.ts";
import { forgetCounts, forgetText, prunedJson, type Doomed } from "./prune-render.ts";

type Needs = Pick<
  Context,
  "io" | "prompt" | "subscriptions" | "config" | "env" | "clock" | "json" | "signal"
>;

export async function run(options: PruneOptions, context: Needs): Promise<ExitCode> {
  const { io, clock } = context;
  const { pairs } = await keyRingOf(context);
  const rules = { causes: causesOf(options), olderThanMs: options.olderThan, pairs, now: clock.now() };
  const { doomed, of } = await tell(rules, options, context);
  for (const line of forgetCounts(doomed, of)) io.say(line);
  const count = [...doomed.values()].reduce((sum, one) => sum + one, 0);
  if (count === 0 || options.dryRun) return ExitCode.ok;
  if (!options.yes) await confirm(count, context);
  return forgetAll(count, rules, options, context);
}

/** Shows each that may be forgotten; answers how many for each cause, and among how many. */
async function tell(
  rules: ForgetRules,
  { which, dryRun }: PruneOptions,
  { io, subscriptions, json, signal }: Needs,
): Promise<{ readonly doomed: ReadonlyMap<ForgetCause, number>; readonly of: number }> {
  const doomed = new Map<ForgetCause, number>();
  let of = 0;
  for await (const record of streamFrom(subscriptions, which)) {
    signal.throwIfAborted();
    of += 1;
    for (const one of doomedOf(record, rules)) {
      doomed.set(one.reason.cause, (doomed.get(one.reason.cause) ?? 0) + 1);
      if (!json) for (const line of forgetText(one, rules.now, io)) io.out(line);
      else if (dryRun) io.out(prunedJson(one, { removed: false }));
      await io.drained();
    }
  }
  return { doomed, of };
}

async function forgetAll(
  expected: number,
  rules: ForgetRules,
  { which }: PruneOptions,
  { io, subscriptions, json, signal }: Needs,
): Promise<ExitCode> {
  const isDoomed = (record: SubscriptionRecord): boolean => doomedOf(record, rules).length > 0;
  const doomed = async function* (): AsyncGenerator<SubscriptionRecord> {
    for await (const record of streamFrom(subscriptions, which)) if (isDoomed(record)) yield record;
  };
  let forgotten = 0;
  for await (const batch of inBatches(doomed(), subscriptions.mostAtOnce)) {
    if (signal.aborted) break;
    const endpoints = batch.map(({ subscription }) => subscription.endpoint);
    const removed = await subscriptions.remove(endpoints, isDoomed);
    forgotten += removed.length;
    for (const record of json ? removed : [])
      for (const one of doomedOf(record, rules)) io.out(prunedJson(one, { removed: true }));
    await io.drained();
  }
  io.say(`forgot ${counted(forgotten)}`);
  if (signal.aborted) return ExitCode.interrupted;
  const stayed = expected - forgotten;
  if (stayed > 0) io.say(`kept ${counted(stayed)}: changed or removed by somebody else just now`);
  return ExitCode.ok;
}

function doomedOf(record: SubscriptionRecord, rules: ForgetRules): readonly Doomed[] {
  const reason = reasonToForget(record, rules);
  return reason === undefined ? [] : [{ record, reason }];
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
