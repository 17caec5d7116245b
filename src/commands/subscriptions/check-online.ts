/**
 * `webpush subscriptions check --online`: asks push services by a push that nobody sees.
 *
 * What is stored of the answers is what they say about the subscription: gone, wrong key, an
 * endpoint that is none. The rest is about the moment, and an accepted probe proves too little
 * to take a mark away or to stand as the last result of a message.
 */
import { UserError } from "../../base/errors.ts";
import { diagnosisOf, type Delivery } from "../../protocol/delivery.ts";
import type { SigningKeys } from "../../protocol/preflight.ts";
import { probeMessage, withLostKeys } from "../../protocol/probe.ts";
import { createScalar } from "../../protocol/vapid.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { deliver, type Result } from "../send/deliver.ts";
import { FailureGroups } from "../send/failure-groups.ts";
import type { ReadyRecipient } from "../send/plan.ts";
import { Memory } from "../send/remember.ts";
import { resultsTable, summaryLine, unrememberedText } from "../send/render.ts";
import { Counter } from "../send/tally.ts";
import type { CheckOptions } from "./command.ts";
import { interruptedOf, planProbe } from "./probe-plan.ts";
import { probeJson, probeNotice, unaskedJson, unaskedText } from "./probe-render.ts";

/** Each is asked once: a device that was woken for nothing is not woken again. */
const never = { retries: 0, patience: 0, retryAmbiguous: false } as const;

/** Asks about each record; answers what the exit code has to say of it. */
export async function checkOnline(
  records: readonly SubscriptionRecord[],
  keys: SigningKeys,
  options: CheckOptions,
  context: Context,
): Promise<ExitCode> {
  const { io, json, signal } = context;
  const plan = planProbe(records, { keys, includeUnproven: options.includeUnproven });
  if (plan.ready.length > 0) {
    for (const line of probeNotice(plan, io)) io.say(line);
    if (!options.yes) await confirm(plan.ready.length, context);
  }
  const ready = plan.ready.map((recipient) => withoutReader(recipient, context));
  const account = new ProbeAccount(context);
  const network = { ...options, ...never };
  for await (const result of deliver({ message: probeMessage, ready }, network, {
    ...context,
    subject: keys.subject,
  })) {
    await account.add(result);
    await io.drained();
  }
  const unasked = [...plan.unasked, ...interruptedOf(plan.ready, account.asked())];
  if (json) for (const one of unasked) io.out(unaskedJson(one));
  await account.conclude();
  for (const line of unaskedText(unasked, io)) io.say(line);
  return signal.aborted ? ExitCode.interrupted : account.exitCode();
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
  readonly #results: Result[] = [];
  readonly #counter = new Counter();
  readonly #groups = new FailureGroups();
  readonly #memory: Memory;

  constructor(context: Context) {
    this.#context = context;
    this.#memory = new Memory(context, isAboutSubscription);
  }

  async add(result: Result): Promise<void> {
    const { io, json } = this.#context;
    this.#results.push(result);
    this.#counter.count(result.delivery);
    this.#groups.add(result);
    if (json) io.out(probeJson(result));
    await this.#memory.add(result);
  }

  /** The ids of those who were. */
  asked(): ReadonlySet<string> {
    return new Set(this.#results.map(({ recipient }) => recipient.id));
  }

  async conclude(): Promise<void> {
    const { io, json } = this.#context;
    if (this.#results.length === 0) {
      io.say("nobody was asked");
      return;
    }
    if (!json) for (const line of resultsTable(this.#results, [], io)) io.out(line);
    for (const line of this.#groups.lines(io)) io.err(line);
    const { lines, failure } = await this.#memory.store({ prune: true });
    for (const line of lines) io.say(line);
    if (failure !== undefined) for (const line of unrememberedText(failure, io)) io.err(line);
    io.say(summaryLine(this.#counter.tally(), io));
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
