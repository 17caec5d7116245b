/**
 * Which chunk is whose turn: jobs of pg-boss, in a schema of its own in the same database.
 *
 * pg-boss hands a job to one worker at a time, and to another when its lease has passed. It knows nothing of
 * messages: what a chunk is and how far it came stands in our own tables, and a job that was lost or comes twice is
 * noticed there (turns.ts). So only its documented functions are used, never its tables.
 */
import PgBoss from "pg-boss";
import { UserError } from "../base/errors.ts";
import type { Database, Queries } from "../store/postgres/database.ts";
import { queueSchema } from "../store/postgres/migrations.ts";

const queueName = "chunks";
/** A chunk whose workers die this often is left to `mend`, which gives it another job. */
const retryLimit = 20;
/** pg-boss's own bound is a day. */
const longestLeaseSeconds = 86_400 - 1;
/** How often jobs whose lease has passed are looked for. */
const usualMaintenanceSeconds = 10;

/** A chunk to be given out. */
export interface NewJob {
  readonly campaign: string;
  readonly chunk: number;
  /** For how long it is not to be given out yet. */
  readonly afterMs: number;
  readonly leaseMs: number;
}

/** A chunk given to us. */
export interface ChunkJob {
  readonly id: string;
  readonly campaign: string;
  readonly chunk: number;
  readonly leaseMs: number;
}

export interface ChunkQueue extends AsyncDisposable {
  /** Adds jobs as part of a transaction. A chunk that has a job nobody took yet gets no second one. */
  add(queries: Queries, jobs: readonly NewJob[]): Promise<void>;
  /** Up to `most` jobs whose time has come, the oldest first. */
  take(most: number): Promise<readonly ChunkJob[]>;
  /** Ends jobs, as part of a transaction. */
  end(queries: Queries, ids: readonly string[]): Promise<void>;
}

export interface QueueOptions {
  /** Whether jobs whose lease has passed are looked for: by workers. */
  readonly maintains: boolean;
  readonly maintenanceSeconds?: number;
}

/** Brings pg-boss's schema to the version this needs, and makes the queue. */
export async function installQueue(database: Database): Promise<void> {
  const boss = bossOf(database, { migrate: true, supervise: false });
  await boss.start();
  // One job for a chunk waits at a time, by its singleton key.
  await boss.createQueue(queueName, { name: queueName, policy: "short", retryLimit });
  await boss.stop({ graceful: false, close: false });
}

/** Whether the queue's schema is there and as new as this needs it. */
export async function isQueueInstalled(database: Database): Promise<boolean> {
  const boss = bossOf(database, { migrate: false, supervise: false });
  if (!(await boss.isInstalled()).valueOf()) return false;
  return Number(await boss.schemaVersion()) >= queueSchemaVersion();
}

/** The version that pg-boss itself writes down when it installs its schema. */
function queueSchemaVersion(): number {
  return Number(
    /\.version\(version\) VALUES \('?(\d+)/i.exec(PgBoss.getConstructionPlans(queueSchema))?.[1] ?? 0,
  );
}

/** What `installQueue` runs on a database without it, for whoever runs it by hand. */
export function queueScript(): string {
  const options = JSON.stringify({ policy: "short", retryLimit });
  return `${PgBoss.getConstructionPlans(queueSchema)}\nselect ${queueSchema}.create_queue('${queueName}', '${options}');\n`;
}

/**
 * Opens the queue.
 *
 * @throws UserError `store-not-migrated`
 */
export async function openQueue(database: Database, options: QueueOptions): Promise<ChunkQueue> {
  const { maintains, maintenanceSeconds = usualMaintenanceSeconds } = options;
  const boss = bossOf(database, {
    migrate: false,
    supervise: maintains,
    maintenanceIntervalSeconds: maintenanceSeconds,
  });
  // What maintenance meets with, such as a database that is away; it tries again by itself.
  boss.on("error", () => undefined);
  await boss.start().catch((error: unknown) => {
    throw notInstalled(error, database);
  });
  return {
    async add(queries, jobs) {
      if (jobs.length > 0) await boss.insert(jobs.map(jobOf), { db: throughQueries(queries) });
    },
    take: (most) => take(boss, database, most),
    async end(queries, ids) {
      // Deleted, not completed: what is kept for half a day would be in the way of whoever looks for the next.
      for (const id of ids) await boss.deleteJob(queueName, id, { db: throughQueries(queries) });
    },
    [Symbol.asyncDispose]: () => boss.stop({ graceful: false, close: false, wait: false }),
  };
}

interface JobData {
  readonly campaign: string;
  readonly chunk: number;
}

function jobOf({ campaign, chunk, afterMs, leaseMs }: NewJob): PgBoss.JobInsert<JobData> {
  return {
    name: queueName,
    data: { campaign, chunk },
    singletonKey: `${campaign}/${chunk}`,
    // As text it is an interval from the database's now on.
    startAfter: String(afterMs / 1000),
    expireInSeconds: Math.min(longestLeaseSeconds, Math.max(1, Math.round(leaseMs / 1000))),
  };
}

async function take(boss: PgBoss, database: Database, most: number): Promise<readonly ChunkJob[]> {
  // pg-boss answers no jobs where the database failed; the difference matters here.
  let failure: { readonly error: unknown } | undefined;
  const db = throughQueries(database);
  const jobs = await boss.fetch<JobData>(queueName, {
    batchSize: most,
    db: {
      executeSql: (text, values: unknown[]) =>
        db.executeSql(text, values).catch((error: unknown) => {
          failure = { error };
          throw error;
        }),
    },
  });
  if (failure !== undefined) throw failure.error;
  return jobs.map(({ id, data, expireInSeconds }) => ({
    id,
    ...data,
    leaseMs: secondsOf(expireInSeconds) * 1000,
  }));
}

/** pg-boss promises a number and hands on what the database says: the text of a numeric. */
function secondsOf(expireInSeconds: number | string): number {
  return Number(expireInSeconds);
}

function bossOf(database: Database, options: PgBoss.ConstructorOptions): PgBoss {
  const db = {
    executeSql: async (text: string, values?: unknown[]) => ({
      rows: [
        ...(values === undefined ? await database.script(text) : await database.query({ text, values })),
      ] as unknown[],
    }),
  };
  return new PgBoss({ ...options, db, schema: queueSchema, schedule: false });
}

function throughQueries(queries: Queries): PgBoss.Db {
  return {
    executeSql: async (text, values: unknown[]) => ({ rows: [...(await queries.query({ text, values }))] }),
  };
}

function notInstalled(error: unknown, { shown }: Database): unknown {
  if (error instanceof UserError) return error;
  return new UserError("store-not-migrated", `${shown} has no queue for campaigns yet`, {
    kind: "failed",
    hints: ["run `webpush store migrate` with a role that may create schemas"],
    cause: error,
  });
}
