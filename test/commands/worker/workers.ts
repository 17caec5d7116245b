/** What the tests of `webpush worker` share: a campaign in a real database, and workers whose events can be waited for. */
import { expect, onTestFinished, vi } from "vitest";
import type { Campaign, CampaignPlan, CampaignProgress } from "../../../src/campaigns/campaign.ts";
import { openCampaigns, type Campaigns } from "../../../src/campaigns/campaigns.ts";
import type { WorkerOptions } from "../../../src/commands/worker/command.ts";
import { run } from "../../../src/commands/worker/run.ts";
import type { VapidKeyPair } from "../../../src/protocol/vapid.ts";
import type { Database } from "../../../src/store/postgres/database.ts";
import type { AcceptingPushService } from "../../support/accepting-push-service.ts";
import { openTestDatabase } from "../../support/postgres.ts";
import type { PostgresServer } from "../../support/postgres-server.mjs";
import { samplePair } from "../../support/samples.ts";
import { samplePlan } from "../../support/sample-plan.ts";
import { storeReaders, type Readers } from "../../support/stored-readers.ts";
import { testContext, type TestContext } from "../../support/test-context.ts";

export const ours = samplePair("ours");
export const limit = { timeout: 60_000, interval: 20 };

export interface Stage {
  readonly url: string;
  readonly database: Database;
  readonly campaigns: Campaigns;
  readonly campaign: Campaign;
  progress(): Promise<CampaignProgress>;
}

export interface StageOptions extends Partial<Readers> {
  readonly service: AcceptingPushService;
  readonly plan?: Partial<CampaignPlan>;
  readonly leaseMs?: number;
  readonly server?: Pick<PostgresServer, "url">;
  /** What paths of endpoints begin with. */
  readonly path?: string;
}

/** A database with readers at a push service, and a campaign to all of them, `news`. */
export async function openStage({
  service,
  count = 10,
  plan = {},
  leaseMs = 60_000,
  server,
  path = "/",
  ...readers
}: StageOptions): Promise<Stage> {
  const { url, database } = await openTestDatabase(server === undefined ? {} : { server });
  await storeReaders(database, {
    count,
    endpoint: (reader) => service.endpoint(`${path}reader-${reader}`),
    ...readers,
  });
  const campaigns = await openCampaigns(database);
  onTestFinished(() => campaigns[Symbol.asyncDispose]());
  const campaign = await campaigns.create(
    samplePlan({
      message: { payload: Buffer.from("Hello"), ttlSeconds: 86_400, urgency: undefined, topic: undefined },
      retries: 0,
      ...plan,
    }),
    { id: "news", dueInMs: 0, leaseMs },
  );
  return { url, database, campaigns, campaign, progress: () => campaigns.find("news") };
}

/** One event of a worker's log. */
export type LoggedEvent = Readonly<Record<string, unknown>> & { readonly type: string };

export interface StartedWorker {
  readonly context: TestContext;
  /** Its events so far. */
  readonly events: () => readonly LoggedEvent[];
  /** Waits for an event. */
  saw(type: string, matching?: Readonly<Record<string, unknown>>): Promise<LoggedEvent>;
  /** As SIGTERM would, and waits for the end. */
  stop(): Promise<number>;
  readonly ended: Promise<number>;
}

const usual: WorkerOptions = {
  chunks: 2,
  concurrency: 100,
  originRate: undefined,
  timeout: 30_000,
  proxy: undefined,
  ca: undefined,
  allowHost: ["127.0.0.1"],
  allowPrivate: false,
  health: undefined,
  untilIdle: false,
  name: undefined,
};

/** Starts a worker in this process; it is stopped with the test. */
export async function startWorker(
  url: string,
  {
    pairs = [ours],
    env = {},
    ...options
  }: Partial<WorkerOptions> & {
    readonly pairs?: readonly VapidKeyPair[];
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<StartedWorker> {
  const context: TestContext = {
    ...(await testContext({
      pairs,
      subject: "mailto:ops@harbour.shop",
      json: true,
      env: { ...env, WEBPUSH_STORE: url },
    })),
    clock: { nowMs: 0, now: () => Date.now() },
  };
  const ended = run({ ...usual, ...options }, context);
  ended.catch(() => undefined); // a test that looks at it sees it
  const events = () => context.stdout.map((line) => JSON.parse(line) as LoggedEvent);
  const stop = (): Promise<number> => {
    context.interrupts.stop();
    return ended;
  };
  onTestFinished(async () => {
    await stop().catch(() => undefined);
  });
  return {
    context,
    events,
    saw: (type, matching = {}) =>
      vi.waitUntil(
        () =>
          events().find(
            (event) =>
              event.type === type && Object.entries(matching).every(([name, value]) => event[name] === value),
          ),
        limit,
      ),
    stop,
    ended,
  };
}

/** How often each path was posted to: the least and the most. */
export function timesOf({ paths }: Pick<AcceptingPushService, "paths">): {
  readonly readers: number;
  readonly twice: number;
} {
  const times = new Map<string, number>();
  for (const path of paths) times.set(path, (times.get(path) ?? 0) + 1);
  return { readers: times.size, twice: [...times.values()].filter((count) => count > 1).length };
}

/** Waits until the campaign is over. */
export async function untilDone(stage: Pick<Stage, "progress">): Promise<CampaignProgress> {
  const done = await vi.waitUntil(async () => {
    const progress = await stage.progress();
    return progress.state === "running" ? undefined : progress;
  }, limit);
  expect(done.state).toBe("done");
  return done;
}
