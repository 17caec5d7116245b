/**
 * What became of everyone, as it comes: counted, printed, grouped by cause, remembered.
 *
 * Every recipient comes here exactly once, so the counts add up to the input. Memory holds
 * no more than a short table, a group for each cause, and what remember.ts has to keep of stored subscriptions.
 */
import type { UserError } from "../../base/errors.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";
import type { SendOptions } from "./command.ts";
import type { Result } from "./deliver.ts";
import { FailureGroups } from "./failure-groups.ts";
import type { SkippedRecipient } from "./plan.ts";
import { Memory } from "./remember.ts";
import {
  longestTable,
  resultJson,
  resultsTable,
  skippedJson,
  summaryLine,
  unrememberedText,
} from "./render.ts";
import { Counter, exitCodeFor, type Tally } from "./tally.ts";

type Needs = Pick<Context, "io" | "json" | "subscriptions" | "clock" | "signal">;

export class Account {
  readonly #context: Needs;
  readonly #counter = new Counter();
  readonly #groups = new FailureGroups();
  readonly #memory: Memory;
  /** For the table; one more than it takes shows that there are too many. */
  readonly #results: Result[] = [];
  readonly #skipped: SkippedRecipient[] = [];

  constructor(context: Needs) {
    this.#context = context;
    this.#memory = new Memory(context);
  }

  /** A message was sent, or could not be; waits where it is stored as it comes. */
  async add(result: Result): Promise<void> {
    const { io, json } = this.#context;
    this.#counter.count(result.delivery);
    this.#groups.add(result);
    if (json) io.out(resultJson(result));
    else if (this.#results.length <= longestTable) this.#results.push(result);
    await this.#memory.add(result);
  }

  /** No request was made. */
  skip(one: SkippedRecipient): void {
    const { io, json } = this.#context;
    this.#counter.count(one.skipped);
    this.#groups.addSkipped(one);
    if (one.skipped.cause === "journal.accepted" && "subscription" in one.recipient)
      this.#memory.accountFor(one.recipient);
    if (json) io.out(skippedJson(one));
    else if (this.#skipped.length <= longestTable) this.#skipped.push(one);
  }

  tally(): Tally {
    return this.#counter.tally();
  }

  /** What is left to do when all is sent: the table, the failures, the store, the sum, the exit code. */
  async conclude(
    { prune }: Pick<SendOptions, "prune">,
    { isBroadcast }: { readonly isBroadcast: boolean },
  ): Promise<ExitCode> {
    const { io, json, signal } = this.#context;
    if (!json) for (const line of resultsTable(this.#results, this.#skipped, io)) io.out(line);
    for (const line of this.#groups.lines(io)) io.err(line);
    const { lines, kept, failure } = await this.#memory.store({ prune });
    for (const line of lines) io.say(line);
    if (failure !== undefined) this.#sayUnremembered(failure);
    const tally = this.tally();
    io.say(summaryLine(tally, io));
    const excused = isBroadcast && prune ? tally.failures.gone - kept : 0;
    return exitCodeFor(tally, { excused, stopped: signal.aborted });
  }

  #sayUnremembered(failure: UserError): void {
    const { io } = this.#context;
    for (const line of unrememberedText(failure, io)) io.err(line);
  }
}
