/**
 * Accounting, whatever happens: random answers, random origins, a stop at a random moment.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Delivery } from "../../src/protocol/delivery.ts";
import { sendThrough } from "../../src/sender/sender.ts";
import type { Job, SendResult } from "../../src/sender/job.ts";
import { accepted, empty, jobTo, means, options, transportOf, type Answer } from "./flow-fixture.ts";
import { VirtualTime } from "./virtual-time.ts";

const answer = (status: number, headers = {}, body = ""): Answer => ({ status, headers, body });

const answers: readonly Answer[] = [
  accepted,
  accepted,
  accepted,
  answer(410),
  answer(400),
  answer(429),
  answer(429, { "retry-after": "7" }),
  answer(429, { "retry-after": "3600" }),
  answer(429, { "retry-after": "30" }, '{"reason":"TooManyRequests"}'),
  answer(500),
  answer(503, { "retry-after": "120" }),
  answer(410, { "x-wns-error-description": "Domain Blocked" }),
  answer(401, {}, '{"errno":109,"message":"VAPID expired"}'),
  { kind: "connect", message: "connection refused" },
  { kind: "ambiguous", message: "reset" },
  { kind: "refused-stream", message: "" },
  { kind: "calm", message: "" },
  { kind: "blocked", message: "private" },
];

interface Scenario {
  /** One job for each: its origin, its TTL, and the answers to its attempts, the last one again and again. */
  readonly jobs: readonly {
    readonly origin: number;
    readonly ttlSeconds: number;
    readonly script: readonly number[];
    readonly latencyMs: number;
  }[];
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly retries: number;
  readonly retryAmbiguous: boolean;
  readonly rate: number | undefined;
  readonly end: "none" | "signal" | "force" | "source" | "observer" | "transport";
  /** After how many attempts that comes. */
  readonly endAfter: number;
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  jobs: fc.array(
    fc.record({
      origin: fc.nat(4),
      ttlSeconds: fc.constantFrom(0, 5, 60, 86_400),
      script: fc.array(fc.nat(answers.length - 1), { minLength: 1, maxLength: 6 }),
      latencyMs: fc.constantFrom(0, 10, 2000),
    }),
    { maxLength: 60 },
  ),
  concurrency: fc.integer({ min: 1, max: 20 }),
  maxWaiting: fc.integer({ min: 1, max: 40 }),
  retries: fc.nat(5),
  retryAmbiguous: fc.boolean(),
  rate: fc.option(fc.constantFrom(3, 50), { nil: undefined }),
  end: fc.constantFrom("none", "signal", "force", "source", "observer", "transport"),
  endAfter: fc.nat(60),
});

/** Plays a scenario and notes all that can be seen from outside. */
async function play({ jobs, end, endAfter, rate, ...setting }: Scenario) {
  const time = new VirtualTime();
  const [stop, force] = [new AbortController(), new AbortController()];
  const sent: { readonly tag: string; readonly origin: string; readonly at: number; readonly ttl: number }[] =
    [];
  const told: Delivery[] = [];
  const results: SendResult<string>[] = [];
  const pulled: string[] = [];
  let inFlight = 0;
  let mostInFlight = 0;

  const transport = transportOf(async ({ url, headers }, signal) => {
    const tag = url.split("/").at(-1) ?? "";
    const { script, latencyMs } = jobs[Number(tag)] ?? { script: [0], latencyMs: 0 };
    const attempt = sent.filter((one) => one.tag === tag).length;
    sent.push({ tag, origin: new URL(url).origin, at: time.now(), ttl: Number(headers["ttl"]) });
    mostInFlight = Math.max(mostInFlight, (inFlight += 1));
    if (sent.length > endAfter) {
      if (end === "signal") stop.abort();
      if (end === "force") force.abort();
    }
    const aborted = new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
    });
    await (signal.aborted ? undefined : Promise.race([time.pass(latencyMs), aborted]));
    inFlight -= 1;
    if (end === "transport" && sent.length > endAfter) throw new TypeError("a bug");
    if (signal.aborted) return { kind: "ambiguous", message: "stopped" };
    return answers[script[Math.min(attempt, script.length - 1)] ?? 0] ?? accepted;
  });

  async function* source(): AsyncGenerator<Job<string>> {
    for (const [index, { origin, ttlSeconds }] of jobs.entries()) {
      await Promise.resolve();
      if (end === "source" && index >= endAfter) throw new Error("the source broke");
      const tag = String(index);
      pulled.push(tag);
      yield jobTo(`https://push${origin}.example.net/${tag}`, tag, { ...empty, ttlSeconds });
    }
  }

  const flow = {
    ...options({ ...setting, signal: stop.signal }),
    ...(rate === undefined ? {} : { rate }),
    forceSignal: force.signal,
    clock: time,
    observer: {
      sending: () => {
        if (end === "observer" && sent.length >= endAfter) throw new Error("the journal is full");
      },
      answered: (_job: Job<string>, delivery: Delivery) => void told.push(delivery),
    },
  };
  const run = (async () => {
    for await (const result of sendThrough({ ...means(transport), setTimer: time.setTimer }, source(), flow))
      results.push(result);
  })();
  const error = await time.until(
    run.then(
      () => undefined,
      (thrown: unknown) => thrown,
    ),
  );
  return { sent, told, results, pulled, error, mostInFlight };
}

test("every job that was taken has one result, and nothing goes beyond what is allowed", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { sent, results, pulled, error, mostInFlight } = await play(given);

      // One result for each job that was taken; without an end, that is every job.
      const tags = results.map(({ job }) => job.tag);
      expect(new Set(tags).size).toBe(tags.length);
      // A job that the source was just handing over when the run ended was never taken.
      expect(pulled.length - tags.length).toBeLessThanOrEqual(given.end === "none" ? 0 : 1);
      if (given.end === "none") expect(tags).toHaveLength(given.jobs.length);
      if (given.end === "none" || given.end === "signal" || given.end === "force")
        expect(error).toBeUndefined();

      // Attempts are told as they were, and are no more than allowed.
      for (const result of results) {
        const own = sent.filter(({ tag }) => tag === result.job.tag);
        const blocked = result.kind === "delivery" && result.delivery.outcome === "blocked" ? 1 : 0;
        expect(result.attempts).toBe(own.length - blocked);
        expect(own.length).toBeLessThanOrEqual(given.retries + 1);
        if (result.kind === "unsent") expect(own).toHaveLength(0);
        // The TTL counts from the first attempt, and what is sent is what is left of it.
        const { ttlSeconds } = result.job.message;
        for (const { at, ttl } of own) {
          const lostMs = at - (own[0]?.at ?? 0);
          expect(lostMs === 0 || lostMs < ttlSeconds * 1000).toBe(true);
          expect(ttl).toBeLessThanOrEqual(Math.max(0, ttlSeconds - Math.floor(lostMs / 1000)));
        }
      }
      expect(mostInFlight).toBeLessThanOrEqual(given.concurrency);
      if (given.end === "none") expect(results.some(({ kind }) => kind === "unsent")).toBe(false);
    }),
    { numRuns: 300 },
  );
}, 120_000);

test("retries that nobody asked for stay within the budget of each origin", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      // Faults only, so that each second attempt is one that costs.
      const faults = [9, 14, 15];
      const jobs = given.jobs.map((job) => ({
        ...job,
        ttlSeconds: 86_400,
        script: job.script.map((index) => faults[index % faults.length] ?? 9),
      }));
      const { sent } = await play({ ...given, jobs, retries: 5, end: "none" });
      for (const origin of new Set(sent.map((one) => one.origin))) {
        const own = sent.filter((one) => one.origin === origin);
        const messages = new Set(own.map(({ tag }) => tag)).size;
        expect(own.length - messages).toBeLessThanOrEqual(10 + messages / 5);
      }
    }),
    { numRuns: 100 },
  );
}, 120_000);

test("while an origin is held, the others go on", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      // Origin 0 asks for an hour, all others accept.
      const jobs = given.jobs.map((job) => ({
        ...job,
        ttlSeconds: 86_400,
        latencyMs: 0,
        script: [job.origin === 0 ? 7 : 0],
      }));
      const { sent } = await play({ ...given, rate: undefined, jobs, maxWaiting: 1000, end: "none" });
      const start = Math.min(...sent.map(({ at }) => at));
      for (const { origin, at } of sent) if (origin !== "https://push0.example.net") expect(at).toBe(start);
    }),
    { numRuns: 100 },
  );
}, 120_000);
