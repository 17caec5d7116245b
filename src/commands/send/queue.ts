/**
 * `webpush send --queue`: the message becomes a campaign in the database, and workers send it.
 *
 * Imported when it is asked for, since a database's client comes with it.
 */
import { UserError } from "../../base/errors.ts";
import { groupDigits } from "../../base/figures.ts";
import { newCampaignId } from "../../campaigns/campaign-id.ts";
import type { CampaignPlan } from "../../campaigns/campaign.ts";
import { extentOf, openCampaigns, type Extent } from "../../campaigns/campaigns.ts";
import { openDatabase } from "../../store/postgres/database.ts";
import type { SubscriptionRecord } from "../../store/subscriptions.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { requireStoreAddress } from "../store-address.ts";
import { note, type Run } from "./broadcast.ts";
import type { SendOptions } from "./command.ts";
import { FailureGroups } from "./failure-groups.ts";
import { measuredJson, measuredText, queuedJson, queuedText } from "./queue-render.ts";
import { delayUntil } from "./start-time.ts";

type Needs = Pick<Context, "io" | "json" | "random" | "clock" | "storeAddress" | "storeQuery" | "signal">;

/** Makes the campaign and prints its id. */
export async function enqueue(run: Run, options: SendOptions, context: Needs): Promise<ExitCode> {
  const { io, json, random } = context;
  tellSkipped(run, context);
  await using database = openDatabase(requireStoreAddress(context));
  await using campaigns = await openCampaigns(database);
  const recipients = context.storeQuery() === undefined ? {} : { recipients: told(run, "copied", context) };
  try {
    const campaign = await campaigns.create(planOf(run, options), {
      id: newCampaignId(random),
      dueInMs: dueInMs(options, context),
      ...(options.lease === undefined ? {} : { leaseMs: options.lease }),
      ...recipients,
    });
    const queued = { campaign, workers: (await campaigns.workers()).length };
    io.out(json ? queuedJson(queued) : campaign.id);
    for (const line of queuedText(queued, io)) io.say(line);
    return ExitCode.ok;
  } finally {
    io.status.clear();
  }
}

/** `--dry-run`: how many it would go to. Nothing is written. */
export async function measure(run: Run, options: SendOptions, context: Needs): Promise<ExitCode> {
  const { io, json, clock } = context;
  tellSkipped(run, context);
  await using database = openDatabase(requireStoreAddress(context));
  const extent = await extentIn(database, run, options, context);
  const dueAt = clock.now() + dueInMs(options, context);
  if (json) io.out(measuredJson({ ...extent, dueAt }));
  else for (const line of measuredText(extent)) io.say(line);
  return ExitCode.ok;
}

async function extentIn(
  database: ReturnType<typeof openDatabase>,
  run: Run,
  options: SendOptions,
  context: Needs,
): Promise<Extent> {
  if (context.storeQuery() === undefined) {
    await using campaigns = await openCampaigns(database);
    return await campaigns.measure(selectionOf(options));
  }
  let count = 0;
  const records = told(run, "counted", context);
  while ((await records.next()).done !== true) count += 1;
  context.io.status.clear();
  return extentOf(count);
}

/** What is sent and how, as far as a campaign says it. */
function planOf({ plan, rules }: Run, options: SendOptions): CampaignPlan {
  const { encoding, rate, retries, prune } = options;
  const pair = rules.keys.current ?? rules.keys.pairs.at(-1);
  if (pair === undefined) throw new Error("a plan without keys is refused before");
  return {
    message: plan.message,
    encoding,
    selection: selectionOf(options),
    publicKey: pair.publicKey,
    rate,
    retries,
    prune,
  };
}

function selectionOf({ to }: Pick<SendOptions, "to">): readonly string[] {
  return to.length === 0 ? ["all"] : [...new Set(to)];
}

function dueInMs({ at }: Pick<SendOptions, "at">, { clock }: Pick<Needs, "clock">): number {
  return at === undefined ? 0 : delayUntil(at, clock.now());
}

/** The recipients of a query as they are read, told of meanwhile. */
async function* told(
  run: Run,
  done: "copied" | "counted",
  { io, signal }: Needs,
): AsyncGenerator<SubscriptionRecord> {
  let count = 0;
  for await (const record of recordsOf(run)) {
    if (signal.aborted) throw interrupted();
    yield record;
    count += 1;
    if (count % 10_000 === 0) io.status.show([`${done} ${groupDigits(count)}`]);
  }
}

async function* recordsOf({ known, rest }: Run): AsyncGenerator<SubscriptionRecord> {
  for (const entry of known) if ("record" in entry && entry.record !== undefined) yield entry.record;
  if (rest === undefined) return;
  for await (const entry of rest) if ("record" in entry && entry.record !== undefined) yield entry.record;
}

function interrupted(): UserError {
  return new UserError("interrupted", "interrupted; nothing was queued", { kind: "interrupted" });
}

/** Those among the first who cannot be sent to, and why: workers will leave them out. */
function tellSkipped({ known, rest, plan }: Run, context: Needs): void {
  if (plan.skipped.length === 0) return;
  const { io } = context;
  const whom = rest === undefined ? "" : ` of the first ${groupDigits(known.length)}`;
  note(context, `${groupDigits(plan.skipped.length)}${whom} will be left out:`);
  const groups = new FailureGroups();
  for (const one of plan.skipped) groups.addSkipped(one);
  for (const line of groups.lines(io)) io.err(line);
}
