/**
 * One message to everyone of a plan, and to those who are still being read.
 *
 * Recipients are pulled as fast as they can be sent to and forgotten when they are
 * accounted for, so the list may be millions long. A stop, a full disk or a list that
 * breaks off ends the run early, but never without its sum.
 */
import { UserError } from "../../base/errors.ts";
import type { SenderState } from "../../sender/sender.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";
import { Account } from "./account.ts";
import type { SendOptions } from "./command.ts";
import { openDelivery, type OpenDelivery } from "./deliver.ts";
import { openSendJournal, type SendJournal } from "./send-journal.ts";
import {
  createCautions,
  planLateEntry,
  refused,
  type Plan,
  type PlanRules,
  type ReadyRecipient,
  type SkippedRecipient,
} from "./plan.ts";
import { settledOf, type OriginState, type Snapshot } from "./progress.ts";
import { startProgress } from "./progress-report.ts";
import type { Recipients } from "./recipients.ts";
import { resumeWords } from "./resume.ts";

/** Everything that is decided before the first request. */
export interface Run extends Recipients {
  readonly plan: Plan;
  readonly rules: PlanRules;
}

export function note({ io }: Pick<Context, "io">, text: string): void {
  io.say(`${io.paint.err.caution("note:")} ${text}`);
}

/** A run under way, and who writes it down. */
interface Session {
  readonly run: Run;
  readonly account: Account;
  readonly journal: SendJournal | undefined;
  readonly options: SendOptions;
  readonly context: Context;
}

/** Sends, and answers the exit code that says what became of it. */
export async function broadcast(run: Run, options: SendOptions, context: Context): Promise<ExitCode> {
  const { io, signal } = context;
  await using journal = await openSendJournal(run, options, context);
  if (journal?.greeting !== undefined) io.say(journal.greeting);
  signal.addEventListener("abort", () => {
    io.say("stopping as soon as what is in flight has ended; Ctrl-C again gives it up");
  });
  const account = new Account(context);
  const failure = await sendAll({ run, account, journal, options, context });
  const exitCode = await account.conclude(options, run);
  for (const line of resumeWords(account.tally(), options, context)) io.say(line);
  if (failure !== undefined && !isInterruption(failure.error)) throw failure.error;
  return exitCode;
}

/** A list that ends because the person stopped it is no failure of its own. */
function isInterruption(error: unknown): boolean {
  return error instanceof UserError && error.kind === "interrupted";
}

/** Sends to all; what ended it early is answered and not thrown, because the sum comes first. */
async function sendAll(session: Session): Promise<{ readonly error: unknown } | undefined> {
  const { account, context, journal, options } = session;
  const { plan, rules } = session.run;
  const queue = new Queue(session);
  const { subject } = rules.keys;
  using delivery = openDelivery(plan.message, options, { ...context, subject, recorder: journal });
  using progress = startProgress(context.io, snapshotter(session, delivery));
  try {
    for await (const one of delivery.to(queue.recipients())) {
      if ("delivery" in one) await account.add(one);
      else account.skip("error" in one ? refused(one) : interrupted(one.recipient));
      await context.io.drained();
    }
    return undefined;
  } catch (error) {
    return { error };
  } finally {
    progress.end();
    for (const one of queue.notTaken()) account.skip(one);
  }
}

/** What progress is told of. */
function snapshotter(
  { run, account, context: { clock } }: Session,
  delivery: Pick<OpenDelivery, "state">,
): () => Snapshot {
  const startedAtMs = clock.now();
  return () => ({
    total: run.rest === undefined ? run.known.length : run.expected(),
    settled: settledOf(account.tally()),
    origins: delivery.state().origins.map(originState),
    startedAtMs,
    nowMs: clock.now(),
  });
}

function originState({ origin, pausedUntil, ...state }: SenderState["origins"][number]): OriginState {
  return { ...state, host: new URL(origin).host, pausedUntilMs: pausedUntil };
}

/** Those who wait for their turn: first those who are known, then those who are read. */
class Queue {
  readonly #session: Session;
  #skipped = 0;
  #taken = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Everyone who is to be sent to; the others are accounted for on the way. */
  async *recipients(): AsyncGenerator<ReadyRecipient> {
    const { plan, rest, rules } = this.#session.run;
    for (const one of plan.skipped) {
      this.#skipped += 1;
      await this.#skip(one);
    }
    for (const recipient of plan.ready) {
      this.#taken += 1;
      if (await this.#isDue(recipient)) yield recipient;
    }
    if (rest === undefined) return;
    const cautionsFor = createCautions(rules.message);
    for (const recipient of plan.ready) cautionsFor(recipient);
    for await (const entry of rest) {
      const planned = planLateEntry(entry, rules);
      if ("skipped" in planned) {
        await this.#skip(planned);
        continue;
      }
      for (const caution of cautionsFor(planned)) note(this.#session.context, caution);
      if (await this.#isDue(planned)) yield planned;
    }
  }

  /** Those of the plan whose turn never came. */
  notTaken(): readonly SkippedRecipient[] {
    const { ready, skipped } = this.#session.run.plan;
    return [...skipped.slice(this.#skipped), ...ready.slice(this.#taken).map(interrupted)];
  }

  /** Whether somebody is still to be sent to, as far as the journal knows. */
  async #isDue(recipient: ReadyRecipient): Promise<boolean> {
    const settled = this.#session.journal?.settledOf(recipient);
    if (settled === undefined) return true;
    await this.#skip({ recipient, skipped: settled });
    return false;
  }

  async #skip(one: SkippedRecipient): Promise<void> {
    this.#session.account.skip(one);
    await this.#session.context.io.drained();
  }
}

function interrupted(recipient: ReadyRecipient): SkippedRecipient {
  return {
    recipient,
    skipped: {
      outcome: "skipped",
      cause: "interrupted",
      reason: "stopped before it was sent",
      advice: "run it again",
    },
  };
}
