/** A worker's figures in Prometheus' text format. No label holds anything of a person: no endpoint, id or text. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { outcomeOfKey } from "../../campaigns/counts.ts";
import { serviceOf } from "../../protocol/services.ts";
import type { Observer } from "../../sender/job.ts";
import type { ReadyRecipient } from "../send/plan.ts";
import type { WorkerEvent } from "./events.ts";

/** What is asked in the moment somebody looks. */
export interface Gauges {
  readonly inFlight: () => number;
  readonly turns: () => number;
  readonly databaseFailures: () => number;
}

export interface WorkerMetrics {
  readonly observer: Observer<ReadyRecipient>;
  heard(event: WorkerEvent): void;
  text(): Promise<{ readonly contentType: string; readonly text: string }>;
}

const chunkEvents = ["taken", "finished", "returned", "lost"] as const;
/** From a push service next door to one that is about to be given up on, in seconds. */
const buckets = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

export function createMetrics(gauges: Gauges): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: "webpush_requests_total",
    help: "Answers of push services, retries included, by what they meant.",
    labelNames: ["outcome", "cause", "service"],
    registers,
  });
  const duration = new Histogram({
    name: "webpush_delivery_seconds",
    help: "From a request to its answer.",
    labelNames: ["service"],
    buckets,
    registers,
  });
  const messages = new Counter({
    name: "webpush_messages_total",
    help: "Recipients settled and recorded, by what became of them.",
    labelNames: ["outcome", "cause"],
    registers,
  });
  const chunks = new Counter({
    name: "webpush_chunks_total",
    help: "Chunks taken, and how their turns ended.",
    labelNames: ["event"],
    registers,
  });
  for (const event of chunkEvents) chunks.inc({ event }, 0);
  const recorded = new Gauge({
    name: "webpush_last_record_timestamp_seconds",
    help: "When a turn was last recorded to its end; 0 before the first.",
    registers,
  });
  addGauges(gauges, registers);
  return {
    observer: {
      answered({ subscription: { endpoint } }, { outcome, cause }, durationMs) {
        const service = serviceOf(endpoint).id;
        requests.inc({ outcome, cause, service });
        duration.observe({ service }, durationMs / 1000);
      },
    },
    heard(event) {
      const ended = chunkEvents.find((one) => event.type === `chunk.${one}`);
      if (ended !== undefined) chunks.inc({ event: ended });
      if (!("turn" in event && "counts" in event)) return;
      for (const [key, count] of Object.entries(event.counts)) {
        const { outcome, cause } = outcomeOfKey(key);
        messages.inc({ outcome, cause }, count);
      }
      if (event.type !== "chunk.lost") recorded.setToCurrentTime();
    },
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function addGauges({ inFlight, turns, databaseFailures }: Gauges, registers: Registry[]): void {
  new Gauge({
    name: "webpush_in_flight",
    help: "Requests under way.",
    registers,
    collect() {
      this.set(inFlight());
    },
  });
  new Gauge({
    name: "webpush_turns",
    help: "Chunks being worked on.",
    registers,
    collect() {
      this.set(turns());
    },
  });
  new Counter({
    name: "webpush_database_errors_total",
    help: "How often the database failed to do what it was asked for.",
    registers,
    collect() {
      this.reset();
      this.inc(databaseFailures());
    },
  });
}
