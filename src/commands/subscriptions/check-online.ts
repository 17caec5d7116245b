/**
 * `webpush subscriptions check --online`: asks push services by a push that nobody sees.
 *
 * What is stored of the answers is what they say about the subscription: gone, wrong key, an
 * endpoint that is none. The rest is about the moment, and an accepted probe proves too little
 * to take a mark away or to stand as the last result of a message.
 */
import { inBatches } from "../../base/batches.ts";
import { UserError } from "../../base/errors.ts";
import { diagnosisOf, type Delivery } from "../../protocol/delivery.ts";
import type { SigningKeys } from "../../protocol/preflight.ts";
import { probeMessage, withLostKeys } from "../../protocol/probe.ts";
import { createScalar } from "../../protocol/vapid.ts";
import { streamFrom } from "../../store/selector.ts";
import { mostOfDatabase } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { openDelivery, type Result } from "../send/deliver.ts";
import { FailureGroups } from "../send/failure-groups.ts";
import type { ReadyRecipient } from "../send/plan.ts";
import { Memory } from "../send/remember.ts";
import { longestTable, resultsTable, summaryLine, unrememberedText } from "../send/render.ts";
import { Counter } from "../send/tally.ts";
import type { CheckOptions } from "./command.ts";
import { interruptedOf, planProbe, type ProbePlan, type Unasked } from "./probe-plan.ts";
import { probeJson, probeNotice, unaskedJson, unaskedText } from "./probe-render.ts";

/** Each is asked once: a device that was woken for nothing is not woken again. */
const never = { retries: 0, patience: 0, retryAmbiguous: false } as const;

/**
 * Asks about each; answers what the exit code has to say of it. They are read twice, to say what it costs and to ask
 * them, since there may be more than can be held.
 */
export async function checkOnline(
  keys: SigningKeys,
  options: CheckOptions,
  context: Context,
): Promise<ExitCode> {
  const { io, signal } = context;
  const foreseen = await foresee(keys, options, context);
  if (foreseen.ready > 0) {
    for (const line of probeNotice(foreseen, io)) io.say(line);
    if (!options.yes) await confirm(foreseen.ready, context);
  }
  const account = new ProbeAccount(context);
  const recipients = readyOf(plansOf(keys, options, context), account);
  await ask(recipients, account, options, { ...context, subject: keys.subject });
  for await (const { record } of recipients) account.leaveOut(interruptedOf(record));
  await account.conclude();
  return signal.aborted ? ExitCode.interrupted : account.exitCode();
}

/** How many there are to ask. */
async function foresee(
  keys: SigningKeys,
  options: CheckOptions,
  context: Context,
): Promise<{ readonly ready: number; readonly unproven: number }> {
  planProbe([], { keys, includeUnproven: options.includeUnproven }); // which says when there is no key to ask with
  let [ready, unproven] = [0, 0];
  for await (const plan of plansOf(keys, options, context)) {
    context.signal.throwIfAborted();
    ready += plan.ready.length;
    unproven += plan.unproven;
  }
  return { ready, unproven };
}

async function* plansOf(
  keys: SigningKeys,
  { which, includeUnproven }: CheckOptions,
  { subscriptions }: Context,
): AsyncGenerator<ProbePlan> {
  for await (const records of inBatches(streamFrom(subscriptions, which), mostOfDatabase))
    yield planProbe(records, { keys, includeUnproven });
}

async function* readyOf(
  plans: AsyncIterable<ProbePlan>,
  account: ProbeAccount,
): AsyncGenerator<ReadyRecipient> {
  for await (const { ready, unasked } of plans) {
    account.leaveOut(unasked);
    yield* ready;
  }
}

/** Sends probes until all are asked or somebody stops it; who was not taken is left in `recipients`. */
async function ask(
  recipients: AsyncGenerator<ReadyRecipient>,
  account: ProbeAccount,
  options: CheckOptions,
  context: Context & Pick<SigningKeys, "subject">,
): Promise<void> {
  const { io, signal } = context;
  const end = { done: true, value: undefined } as const;
  const next = async (): Promise<IteratorResult<ReadyRecipient>> => {
    const one = signal.aborted ? end : await recipients.next();
    return one.done === true ? end : { done: false, value: withoutReader(one.value, context) };
  };
  using delivery = openDelivery(probeMessage, { ...options, ...never }, context);
  for await (const one of delivery.to({ [Symbol.asyncIterator]: () => ({ next }) })) {
    if ("error" in one) throw one.error;
    if ("delivery" in one) await account.add(one);
    else account.leaveOut(interruptedOf(one.recipient.record));
    await io.drained();
  }
}

/** The same recipient, but nobody has the keys it is encrypted to. */
function withoutReader(recipient: ReadyRecipient, { random }: Pick<Context, "random">): ReadyRecipient {
  const keys = { privateKey: createScalar(random), auth: random.bytes(16) };
  return { ...recipient, subscription: withLostKeys(recipient.subscription, keys) };
}

async function confirm(count: number, { prompt }: Pick<Context, "prompt">): Promise<void> {
  const what = `${count} push${count === 1 ? "" : "es"}`;
  if (!prompt.available) {
    throw new UserError("unconfirmed", `would send ${what} that nobody sees`, {
      hints: ["add --yes if that is what you want"],
    });
  }
  if (!(await prompt.confirm(`send ${what} that nobody sees?`, false))) {
    throw new UserError("declined", "nothing was sent", { kind: "failed" });
  }
}

/** The answers as they come: printed, counted, grouped by cause, remembered. */
class ProbeAccount {
  readonly #context: Context;
  /** As many as a table shows. */
  readonly #results: Result[] = [];
  readonly #counter = new Counter();
  readonly #groups = new FailureGroups();
  readonly #memory: Memory;
  readonly #unasked = new Map<Unasked["cause"], number>();

  constructor(context: Context) {
    this.#context = context;
    this.#memory = new Memory(context, isAboutSubscription);
  }

  async add(result: Result): Promise<void> {
    const { io, json } = this.#context;
    if (this.#results.length <= longestTable) this.#results.push(result);
    this.#counter.count(result.delivery);
    this.#groups.add(result);
    if (json) io.out(probeJson(result));
    await this.#memory.add(result);
  }

  leaveOut(unasked: readonly Unasked[]): void {
    const { io, json } = this.#context;
    for (const one of unasked) {
      this.#unasked.set(one.cause, (this.#unasked.get(one.cause) ?? 0) + 1);
      if (json) io.out(unaskedJson(one));
    }
  }

  async conclude(): Promise<void> {
    const { io, json } = this.#context;
    if (this.#results.length === 0) io.say("nobody was asked");
    else {
      if (!json) for (const line of resultsTable(this.#results, [], io)) io.out(line);
      for (const line of this.#groups.lines(io)) io.err(line);
      const { lines, failure } = await this.#memory.store({ prune: true });
      for (const line of lines) io.say(line);
      if (failure !== undefined) for (const line of unrememberedText(failure, io)) io.err(line);
      io.say(summaryLine(this.#counter.tally(), io));
    }
    for (const line of unaskedText(this.#unasked, io)) io.say(line);
  }

  /** Something wrong with a subscription or with us counts more than a bad moment. */
  exitCode(): ExitCode {
    const { total, accepted, failures } = this.#counter.tally();
    const failed = total - accepted;
    if (failed === 0) return ExitCode.ok;
    return failed === failures.later + failures.inDoubt ? ExitCode.later : ExitCode.failed;
  }
}

/** Whether an answer says something about the subscription that will still be true tomorrow. */
function isAboutSubscription({ outcome, cause }: Delivery): boolean {
  return (
    outcome === "gone" ||
    outcome === "wrong-key" ||
    (outcome === "rejected" && diagnosisOf(cause).about === "endpoint")
  );
}
