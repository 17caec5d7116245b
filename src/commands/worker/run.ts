/**
 * `webpush worker`: sends queued campaigns until it is told to stop, which is how it is meant to end: exit code 0.
 */
import { hostname } from "node:os";
import { openWorkersPace } from "../../campaigns/shared-pace.ts";
import { openTurns } from "../../campaigns/turns.ts";
import { startWorkerHealth, type WorkerHealth } from "../../server/worker-health.ts";
import { openDatabase } from "../../store/postgres/database.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { openNetwork } from "../send/deliver.ts";
import { requireStoreAddress } from "../store-address.ts";
import type { WorkerOptions } from "./command.ts";
import { DatabaseWatch } from "./database-watch.ts";
import type { Tell } from "./events.ts";
import { KeyWatch } from "./key-watch.ts";
import { WorkerLoop } from "./loop.ts";
import { createMetrics, type WorkerMetrics } from "./metrics.ts";
import { eventJson, eventText } from "./render.ts";

/** A chunk writes while the next one is taken, and there is the look at what all share. */
const spareConnections = 3;
/** A loop that is silent for so long has got stuck. */
const silentMs = 60_000;

export async function run(options: WorkerOptions, context: Context): Promise<ExitCode> {
  const { clock, signal } = context;
  const name = options.name ?? `${hostname()}-${Buffer.from(context.random.bytes(3)).toString("hex")}`;
  await using database = openDatabase(requireStoreAddress(context), {
    connections: options.chunks + spareConnections,
    applicationName: "webpush worker",
  });
  const tell: Tell = (event) => {
    metrics.heard(event);
    log(event, context);
  };
  await using turns = await openTurns(database, {
    worker: name,
    version: context.version,
    onDamaged: (campaign, { message: reason }) => {
      tell({ type: "campaign.damaged", campaign, reason });
    },
  });
  const keyWatch = await KeyWatch.open(context, tell);
  // What is not allowed or not there is said now, and not in the middle of the night.
  await turns.tend();
  const now = (): number => performance.now();
  const watch = new DatabaseWatch({ tell, now });
  const pace = openWorkersPace(database, { originPerSecond: options.originRate, now });
  // Who wants to be left alone is known before the first chunk is taken.
  await pace.refresh();
  using sender = openNetwork(options, { ...context, subject: keyWatch.current.subject });
  const inFlight = (): number => sender.state().origins.reduce((sum, origin) => sum + origin.inFlight, 0);
  const metrics: WorkerMetrics = createMetrics({
    inFlight,
    turns: () => loop.turnsUnderWay,
    databaseFailures: () => watch.failures,
  });
  const concurrency = Math.max(1, Math.floor(options.concurrency / options.chunks));
  const shared = { turns, pace, watch, keyWatch, sender, clock, signal, now, tell, concurrency };
  const loop = new WorkerLoop({ ...shared, ...options, concurrency, observer: metrics.observer });
  await using health = await openHealth(options, { loop, watch, keyWatch, metrics });
  const { chunks } = options;
  const about = { name, version: context.version, store: database.shown, chunks };
  tell({ type: "worker.started", ...about, concurrency: options.concurrency, health: health?.origin });
  const startedAt = now();
  const counts = await loop.run();
  tell({ type: "worker.stopped", counts, durationMs: now() - startedAt });
  return ExitCode.ok;
}

interface Watched {
  readonly loop: WorkerLoop;
  readonly watch: DatabaseWatch;
  readonly keyWatch: KeyWatch;
  readonly metrics: WorkerMetrics;
}

async function openHealth(
  { health }: WorkerOptions,
  { loop, watch, keyWatch, metrics }: Watched,
): Promise<WorkerHealth | undefined> {
  if (health === undefined) return undefined;
  return startWorkerHealth({
    ...health,
    whyDead: () => (loop.silentMs < silentMs ? undefined : "the worker has got stuck"),
    whyNotReady: () => {
      if (!watch.isReachable) return "the database is away";
      return keyWatch.current.pairs.length > 0 ? undefined : "there are no keys to sign with";
    },
    metrics: () => metrics.text(),
  });
}

/** Records are data; what a person reads is talk. That a chunk was taken is worth a line to whoever looks for details. */
function log(event: Parameters<Tell>[0], { io, json, clock }: Context): void {
  if (json) io.out(eventJson(event, clock.now()));
  else if (isTrouble(event)) io.err(eventText(event, clock.now(), io));
  else if (event.type === "chunk.taken") io.detail(eventText(event, clock.now(), io));
  else io.say(eventText(event, clock.now(), io));
}

/** What somebody has to look at, also where little is said. */
function isTrouble({ type }: Parameters<Tell>[0]): boolean {
  return type === "database.lost" || type === "chunk.lost" || type === "campaign.damaged";
}
