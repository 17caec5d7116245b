/**
 * Campaigns for whoever makes and watches them. What is sent is up to workers (turns.ts).
 */
import { UserError } from "../base/errors.ts";
import { isTagSelector, tagOf } from "../store/selector.ts";
import type { Database, Transaction } from "../store/postgres/database.ts";
import { copyLine } from "../store/postgres/copy.ts";
import { endpointFingerprint, keyBytes, msOf, timeOf } from "../store/postgres/rows.ts";
import type { SubscriptionRecord } from "../store/subscriptions.ts";
import type { Campaign, CampaignPlan, CampaignProgress, CampaignState } from "./campaign.ts";
import { campaignOf, type CampaignRow } from "./campaign-rows.ts";
import {
  changeState,
  chunksOf,
  countSelected,
  insertCampaign,
  noteChunks,
  planChunks,
  selectNamed,
  selectProgress,
  selectWorkers,
} from "./campaign-sql.ts";
import { sumOf, type Counts } from "./counts.ts";
import { readHolds } from "./pace.ts";
import { openQueue, type ChunkQueue } from "./queue.ts";
import { mend } from "./turns.ts";

/** How many chunks of a campaign have jobs at a time: enough for a hundred workers, few enough to be found at once. */
const windowChunks = 256;
const usualLeaseMs = 120_000;
const usualListLength = 20;

export interface CampaignOptions {
  /** A fresh name. */
  readonly id: string;
  /** When sending begins; 0 for at once. */
  readonly dueInMs: number;
  /** For how long a worker that died keeps its chunk; two minutes unless given. */
  readonly leaseMs?: number;
  /** Those of a query, copied into the campaign; otherwise the stored ones that the plan selects. */
  readonly recipients?: AsyncIterable<SubscriptionRecord>;
}

/** A worker that was seen within the last minute. */
export interface WorkerSeen {
  readonly name: string;
  readonly version: string;
  readonly seenAgoMs: number;
}

/** How large a campaign is. */
export type Extent = Pick<Campaign, "recipients" | "chunks">;

type OnDamaged = (error: UserError) => void;

export interface Campaigns extends AsyncDisposable {
  /**
   * Writes a campaign, its chunks and its first jobs, all or nothing.
   *
   * @throws UserError `recipients-missing`, `subscription-unknown`, `subscription-ambiguous`, `store-not-migrated`
   */
  create(plan: CampaignPlan, options: CampaignOptions): Promise<Campaign>;
  /**
   * How many of the subscriptions that are kept a selection goes to, and in how many chunks; writes nothing.
   *
   * @throws UserError `subscription-unknown`, `subscription-ambiguous`
   */
  measure(selection: readonly string[]): Promise<Extent>;
  /** Newest first; 20 unless `limit` says otherwise. One that cannot be read is left out, and told to `onDamaged`. */
  list(filter?: {
    readonly limit?: number;
    readonly state?: CampaignState;
    readonly onDamaged?: OnDamaged;
  }): Promise<readonly CampaignProgress[]>;
  /**
   * By id, or an unambiguous beginning of one.
   *
   * @throws UserError `campaign-unknown`, `campaign-ambiguous`, `campaign-damaged`
   */
  find(id: string): Promise<CampaignProgress>;
  /**
   * Sends nothing more until it is resumed; what is in flight is finished.
   *
   * @throws UserError `campaign-unknown`, `campaign-ambiguous`, `campaign-ended`
   */
  pause(id: string): Promise<Campaign>;
  /** @throws UserError as `pause` */
  resume(id: string): Promise<Campaign>;
  /** Sends nothing more, for good. @throws UserError as `pause` */
  cancel(id: string): Promise<Campaign>;
  workers(): Promise<readonly WorkerSeen[]>;
}

/**
 * Opens the campaigns of a database.
 *
 * @throws UserError `store-not-migrated`, `store-unreachable`
 */
export async function openCampaigns(database: Database): Promise<Campaigns> {
  const queue = await openQueue(database, { maintains: false });
  const find = async (id: string): Promise<CampaignProgress> => findOne(database, id);
  const steer = async (id: string, to: "running" | "paused" | "cancelled"): Promise<Campaign> => {
    const found = await find(id);
    const [row] = await database.query<CampaignRow>(changeState(found.id, to));
    if (row === undefined) throw ended(found);
    return campaignOf(row);
  };
  return {
    create: (plan, options) => create(database, queue, plan, options),
    measure: (selection) => database.transaction((transaction) => measure(transaction, selection)),
    list: async ({ limit = usualListLength, state, onDamaged } = {}) =>
      progressOf(database, { limit, ...(state === undefined ? {} : { state }) }, onDamaged),
    find,
    pause: (id) => steer(id, "paused"),
    cancel: (id) => steer(id, "cancelled"),
    async resume(id) {
      const resumed = await steer(id, "running");
      await mend(database, queue, resumed.id);
      return resumed;
    },
    async workers() {
      const rows = await database.query<{ name: string; version: string; seen_ago_ms: number }>(
        selectWorkers,
      );
      return rows.map(({ name, version, seen_ago_ms: seenAgoMs }) => ({ name, version, seenAgoMs }));
    },
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  };
}

async function create(
  database: Database,
  queue: ChunkQueue,
  plan: CampaignPlan,
  { id, dueInMs, leaseMs = usualLeaseMs, recipients }: CampaignOptions,
): Promise<Campaign> {
  return database.transaction(async (transaction) => {
    const source = recipients === undefined ? "subscriptions" : "query";
    const selected = await select(transaction, plan.selection, source);
    await transaction.change(insertCampaign({ ...plan, ...selected, id, source, dueInMs, leaseMs }));
    if (recipients !== undefined) await copyRecipients(transaction, id, recipients);
    const [planned] = await transaction.query<{ chunks: number; recipients: number }>(
      planChunks({ id, source }),
    );
    if (planned === undefined || planned.recipients === 0) throw nobody();
    const fed = Math.min(planned.chunks, windowChunks);
    const [row] = await transaction.query<CampaignRow>(noteChunks(id, { ...planned, fed }));
    if (row === undefined) throw new Error("the campaign that was just written is not there");
    const jobs = Array.from({ length: fed }, (_, index) => ({
      campaign: id,
      chunk: index + 1,
      afterMs: dueInMs,
      leaseMs,
    }));
    await queue.add(transaction, jobs);
    return campaignOf(row);
  });
}

async function measure(transaction: Transaction, selection: readonly string[]): Promise<Extent> {
  const selected = await select(transaction, selection, "subscriptions");
  const [row] = await transaction.query<{ readonly recipients: number }>(countSelected(selected));
  return extentOf(row?.recipients ?? 0);
}

/** How large a campaign to so many is. */
export function extentOf(recipients: number): Extent {
  return { recipients, chunks: chunksOf(recipients) };
}

/** What a selection means, as far as it must be known now: names and ids become places. */
async function select(
  transaction: Transaction,
  selection: readonly string[],
  source: "subscriptions" | "query",
): Promise<{
  readonly selectsAll: boolean;
  readonly tags: readonly string[];
  readonly named: readonly bigint[];
}> {
  const tags = selection.filter(isTagSelector).map(tagOf);
  const selectsAll = selection.includes("all");
  if (source === "query") return { selectsAll, tags, named: [] };
  const names = selection.filter((selector) => selector !== "all" && !isTagSelector(selector));
  const named: bigint[] = [];
  for (const name of names) named.push(await placeOf(transaction, name));
  return { selectsAll, tags, named };
}

async function placeOf(transaction: Transaction, name: string): Promise<bigint> {
  const rows = await transaction.query<{ readonly seq: string; readonly exact: boolean }>(selectNamed(name));
  const exact = rows.filter((row) => row.exact);
  const [found, another] = exact.length > 0 ? exact : rows;
  if (found === undefined) {
    throw new UserError("subscription-unknown", `no stored subscription is ${JSON.stringify(name)}`, {
      hints: ["run `webpush subscriptions list` to see them"],
    });
  }
  if (another === undefined) return BigInt(found.seq);
  throw new UserError("subscription-ambiguous", `several stored subscriptions are ${JSON.stringify(name)}`, {
    hints: ["give more of the id, or the name"],
  });
}

/** Copies the recipients of a query into the campaign, in the order they come. */
async function copyRecipients(
  transaction: Transaction,
  campaign: string,
  recipients: AsyncIterable<SubscriptionRecord>,
): Promise<void> {
  await transaction.copyIn(
    `copy webpush.recipients (campaign, seq, fingerprint, label, endpoint, p256dh, auth, application_server_key,
  content_encoding, expiration_time, registered_at) from stdin`,
    recipientLines(campaign, recipients),
  );
}

async function* recipientLines(
  campaign: string,
  recipients: AsyncIterable<SubscriptionRecord>,
): AsyncGenerator<string> {
  let seq = 0;
  for await (const { name, subscription, registeredAt } of recipients) {
    const { endpoint, p256dh, auth, applicationServerKey, contentEncoding, expirationTime } = subscription;
    seq += 1;
    yield copyLine([
      campaign,
      seq,
      endpointFingerprint(endpoint),
      name,
      endpoint,
      keyBytes(p256dh),
      keyBytes(auth.reveal()),
      applicationServerKey && keyBytes(applicationServerKey),
      contentEncoding === "aes128gcm" ? undefined : contentEncoding,
      expirationTime === null ? undefined : timeOf(expirationTime),
      timeOf(registeredAt),
    ]);
  }
}

type ProgressRow = CampaignRow & {
  readonly as_of: Date;
  readonly open_counts: Counts;
  readonly workers: readonly string[];
};

async function progressOf(
  database: Database,
  where: Parameters<typeof selectProgress>[0],
  onDamaged: OnDamaged = rethrow,
): Promise<readonly CampaignProgress[]> {
  const rows = await database.query<ProgressRow>(selectProgress(where));
  if (rows.length === 0) return [];
  const holds = await readHolds(database);
  return rows.flatMap((row) => {
    try {
      const about = { asOf: msOf(row.as_of), counts: sumOf(row.counts, row.open_counts) };
      return [{ ...campaignOf(row), ...about, workers: row.workers, holds }];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      onDamaged(error);
      return [];
    }
  });
}

function rethrow(error: UserError): never {
  throw error;
}

async function findOne(database: Database, id: string): Promise<CampaignProgress> {
  const found = /^[\w-]+$/.test(id)
    ? await progressOf(database, { id: id.replaceAll("_", "\\_"), limit: 10 })
    : [];
  const [only, another] = found.some((one) => one.id === id) ? found.filter((one) => one.id === id) : found;
  if (only === undefined) {
    throw new UserError("campaign-unknown", `no campaign is ${JSON.stringify(id.slice(0, 40))}`, {
      hints: ["run `webpush campaigns list` to see them"],
    });
  }
  if (another === undefined) return only;
  throw new UserError("campaign-ambiguous", `${id} is the beginning of ${found.length} campaigns`, {
    hints: [
      `give more of it: ${found
        .slice(0, 3)
        .map((one) => one.id)
        .join(", ")}`,
    ],
  });
}

function ended({ id, state }: Campaign): UserError {
  return new UserError("campaign-ended", `campaign ${id} is over: ${state}`, {
    hints: ["queue it anew with `webpush send --queue`"],
  });
}

function nobody(): UserError {
  return new UserError("recipients-missing", "there is nobody to send to", {
    hints: ["store subscriptions first: webpush subscriptions import FILE"],
  });
}
