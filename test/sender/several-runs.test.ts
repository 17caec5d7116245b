/** Several runs through one sender: each by its own rules, over the same connections. */
import { expect, test } from "vitest";
import type { PushResponse } from "../../src/protocol/delivery.ts";
import type { Job } from "../../src/sender/job.ts";
import { createSender } from "../../src/sender/sender.ts";
import {
  accepted,
  causes,
  collect,
  empty,
  heldTransport,
  jobs,
  jobTo,
  means,
  options,
  settle,
  transportOf,
} from "./flow-fixture.ts";
import { MemoryHolds } from "./memory-pace.ts";
import { VirtualTime } from "./virtual-time.ts";

const minute: PushResponse = { status: 429, headers: { "retry-after": "60" }, body: "" };
const lasting = { ...empty, ttlSeconds: 3600 };
const several = (run: string, count: number): Job<string>[] =>
  Array.from({ length: count }, (_, index) =>
    jobTo(`https://push.example.net/${run}/${index}`, `${run}${index}`, lasting),
  );
const runOf = (url: string): string => new URL(url).pathname.split("/")[1] ?? "";

test("each run has its own rate, retries and observer; what it does not say is as the sender was told", async () => {
  const time = new VirtualTime();
  const start = time.now();
  const at: Record<string, number[]> = { a: [], b: [] };
  const transport = transportOf(({ url }) => {
    at[runOf(url)]?.push(time.now() - start);
    return url.endsWith("/0") ? { status: 429, headers: { "retry-after": "5" }, body: "" } : accepted;
  });
  const told: string[] = [];
  const given = { ...means(transport), setTimer: time.setTimer };
  const sender = createSender<string>(given, { ...options({ retries: 0 }), clock: time });
  const observer = { answered: ({ tag }: Job<string>) => void told.push(tag) };
  const [a, b] = await time.until(
    Promise.all([
      collect(sender.send(jobs(...several("a", 3)))),
      collect(sender.send(jobs(...several("b", 2)), { rate: 1, retries: 1, observer })),
    ]),
  );
  expect(causes(a)).toContainEqual(["a0", "http.429", 1]);
  expect(causes(b)).toContainEqual(["b0", "http.429", 2]);
  expect(at["a"]).toEqual([0, 5000, 5000]);
  expect(at["b"]).toHaveLength(3);
  expect((at["b"]?.[2] ?? 0) - (at["b"]?.[1] ?? 0)).toBeGreaterThanOrEqual(1000);
  expect(new Set(told)).toEqual(new Set(["b0", "b1"]));
});

test("the stop of one run leaves the other alone, and the sender open", async () => {
  const { transport, waiting } = heldTransport();
  const sender = createSender<string>(means(transport), options());
  const stop = new AbortController();
  const stopped = collect(sender.send(jobs(...several("a", 6)), { signal: stop.signal }));
  const other = collect(sender.send(jobs(...several("b", 2))));
  await settle();
  stop.abort();
  for (const answer of waiting) answer();
  expect(causes(await stopped).filter(([, outcome]) => outcome === "unsent")).toHaveLength(2);
  expect(causes(await other)).toEqual([
    ["b0", "ok", 1],
    ["b1", "ok", 1],
  ]);
  const again = collect(sender.send(jobs(...several("c", 1))));
  await settle();
  waiting.at(-1)?.();
  expect(causes(await again)).toEqual([["c0", "ok", 1]]);
});

test("runs share what the connections to an origin bear, and one that is alone has it all", async () => {
  const inFlight: Record<string, number> = { a: 0, b: 0 };
  const seen: { a: number; b: number }[] = [];
  const transport = {
    ...transportOf(async ({ url }) => {
      const run = runOf(url);
      inFlight[run] = (inFlight[run] ?? 0) + 1;
      seen.push({ a: inFlight["a"] ?? 0, b: inFlight["b"] ?? 0 });
      await settle();
      inFlight[run] -= 1;
      return accepted;
    }),
    capacityOf: () => 8,
  };
  const sender = createSender<string>(means(transport), options({ concurrency: 100 }));
  const results = await Promise.all([
    collect(sender.send(jobs(...several("a", 100)))),
    collect(sender.send(jobs(...several("b", 300)))),
  ]);
  expect(results.flat()).toHaveLength(400);
  // While both had something to send, after the first moment in which the one was alone.
  const both = seen.slice(20, 150);
  expect(Math.max(...both.map(({ a, b }) => a + b))).toBeLessThanOrEqual(8);
  expect(Math.max(...both.map(({ a }) => a))).toBe(4);
  expect(Math.max(...seen.slice(-50).map(({ b }) => b))).toBe(8);
});

test("the state of an origin is that of all runs together", async () => {
  const time = new VirtualTime();
  const { transport } = heldTransport();
  const stop = new AbortController();
  const given = { ...means(transport), setTimer: time.setTimer };
  const sender = createSender<string>(given, {
    ...options({ concurrency: 2, signal: stop.signal, drainMs: 0 }),
    clock: time,
  });
  const pace = new MemoryHolds(time);
  pace.held({ origin: "https://push.example.net", forMs: 60_000, why: { cause: "http.429" } });
  const results = [
    sender.send(jobs(...several("a", 3))),
    sender.send(jobs(...several("b", 3)), { pace }),
  ].map((run) => collect(run));
  await settle();
  await settle();
  expect(sender.state().origins).toEqual([
    {
      origin: "https://push.example.net",
      inFlight: 2,
      waiting: 4,
      limit: 4,
      pausedUntil: time.now() + 60_000,
      protocol: undefined,
    },
  ]);
  stop.abort();
  await time.until(Promise.all(results));
  expect(sender.state().origins).toEqual([]);
});

test("a run that hears of a hold leaves the origin alone, whichever run met with it", async () => {
  const time = new VirtualTime();
  const start = time.now();
  const sent: (readonly [run: string, at: number])[] = [];
  const transport = transportOf(({ url }) => {
    sent.push([runOf(url), time.now() - start]);
    return sent.length === 1 ? minute : accepted;
  });
  const given = { ...means(transport), setTimer: time.setTimer };
  const flow = { ...options({ concurrency: 1, pace: new MemoryHolds(time) }), clock: time };
  const sender = createSender<string>(given, flow);
  const first = collect(sender.send(jobs(...several("a", 1))));
  await time.until(time.pass(1000));
  const second = collect(sender.send(jobs(...several("b", 1))));
  await time.until(Promise.all([first, second]));
  expect(sent[0]).toEqual(["a", 0]);
  expect(
    sent
      .slice(1)
      .map(([run]) => run)
      .sort(),
  ).toEqual(["a", "b"]);
  expect(sent.slice(1).every(([, at]) => at === 60_000)).toBe(true);
});
