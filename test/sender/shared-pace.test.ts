/** Flows that keep to one pace: the rate is theirs together, and what one learns of an origin holds for all. */
import { describe, expect, test } from "vitest";
import type { PushRequest } from "../../src/protocol/message.ts";
import type { PushResponse } from "../../src/protocol/delivery.ts";
import type { FlowOptions } from "../../src/sender/flow-options.ts";
import type { Job, SendResult } from "../../src/sender/job.ts";
import { sendThrough } from "../../src/sender/sender.ts";
import type { SharedPace } from "../../src/sender/shared-pace.ts";
import {
  accepted,
  causes,
  collect,
  empty,
  jobs,
  jobTo,
  means,
  options,
  settle,
  transportOf,
  type Answer,
} from "./flow-fixture.ts";
import { MemoryHolds, MemoryPace } from "./memory-pace.ts";
import { VirtualTime } from "./virtual-time.ts";

const minute: PushResponse = { status: 429, headers: { "retry-after": "60" }, body: "" };
const lasting = { ...empty, ttlSeconds: 86_400 };
const to = (origin: string, number: number | string): Job<string> =>
  jobTo(`https://${origin}.example/${number}`, `${origin}${number}`, lasting);
const several = (origin: string, count: number) =>
  Array.from({ length: count }, (_, index) => to(origin, index));

/** Workers with a sender and a flow each; what they send is noted with the time. */
function workers(pace: SharedPace, time: VirtualTime) {
  const sent: { readonly at: number; readonly tag: string }[] = [];
  const start = time.now();
  const run = (
    list: Iterable<Job<string>>,
    answer: (request: PushRequest) => Answer | Promise<Answer> = () => accepted,
    changes: Partial<FlowOptions<string>> = {},
  ): Promise<SendResult<string>[]> => {
    const transport = transportOf((request) => {
      const { hostname, pathname } = new URL(request.url);
      sent.push({ at: time.now() - start, tag: hostname.replace(".example", "") + pathname.slice(1) });
      return answer(request);
    });
    const flow = { ...options({ concurrency: 100, pace, ...changes }), clock: time };
    return collect(sendThrough({ ...means(transport), setTimer: time.setTimer }, jobs(...list), flow));
  };
  return { sent, run };
}

/** The most that were sent within one second. */
function mostInASecond(sent: readonly { readonly at: number }[]): number {
  return Math.max(...sent.map(({ at }) => sent.filter((one) => one.at >= at && one.at < at + 1000).length));
}

const finals = (results: readonly SendResult<string>[]) =>
  results.map((result) => (result.kind === "delivery" ? result.isFinal : result.kind));

describe("the rate", () => {
  test("holds over two flows together, and is used", async () => {
    const time = new VirtualTime();
    const pace = new MemoryPace(time, { overall: 40 });
    const { run, sent } = workers(pace, time);
    await time.until(Promise.all([run(several("a", 200)), run(several("a", 200))]));
    expect(sent).toHaveLength(400);
    // 400 at 40 a second; some 250 ms of them may leave at once.
    const last = sent.at(-1)?.at ?? 0;
    expect(last).toBeGreaterThan(9000);
    expect(last).toBeLessThan(11_500);
    expect(mostInASecond(sent)).toBeLessThanOrEqual(40 + 20);
  });

  test("is asked for in few lots, each enough for some 250 ms", async () => {
    const time = new VirtualTime();
    const pace = new MemoryPace(time, { overall: 400 });
    await time.until(workers(pace, time).run(several("a", 4000)));
    expect(Math.max(...pace.asked)).toBeLessThanOrEqual(110);
    expect(pace.asked.length).toBeLessThan(60);
  });

  test("of each origin is its own, and that over all origins holds besides", async () => {
    const time = new VirtualTime();
    const pace = new MemoryPace(time, { overall: 100, perOrigin: 10 });
    const { run, sent } = workers(pace, time);
    await time.until(run([...several("a", 50), ...several("b", 50)]));
    for (const origin of ["a", "b"]) {
      const there = sent.filter(({ tag }) => tag.startsWith(origin));
      expect(there.at(-1)?.at).toBeGreaterThan(3500);
      expect(mostInASecond(there)).toBeLessThanOrEqual(10 + 8);
    }
  });

  test("stands in place of the run's own", async () => {
    const time = new VirtualTime();
    const { run, sent } = workers(new MemoryPace(time, {}), time);
    await time.until(run(several("a", 50), () => accepted, { rate: 1 }));
    expect(sent.at(-1)?.at).toBe(0);
  });

  test("is the run's own where the pace limits nothing", async () => {
    const time = new VirtualTime();
    const { run, sent } = workers(new MemoryHolds(time), time);
    await time.until(run(several("a", 5), () => accepted, { rate: 1 }));
    expect(sent.at(-1)?.at).toBe(4000);
  });

  test("does not keep one origin's flow when the answer for another is late", async () => {
    const time = new VirtualTime();
    class SlowForA extends MemoryPace {
      override async reserve(origin: string, wanted: number) {
        if (origin === "https://a.example") await time.pass(10_000);
        return super.reserve(origin, wanted);
      }
    }
    const { run, sent } = workers(new SlowForA(time, {}), time);
    await time.until(run([to("a", 1), ...several("b", 20)]));
    expect(sent.filter(({ at }) => at === 0)).toHaveLength(20);
    expect(sent.at(-1)).toEqual({ at: 10_000, tag: "a1" });
  });

  test("is asked for again, not in a circle, while there is nothing", async () => {
    const time = new VirtualTime();
    let asked = 0;
    class Away extends MemoryPace {
      override async reserve(origin: string, wanted: number) {
        await settle();
        asked += 1;
        return asked <= 20 ? { count: 0, inMs: 0 } : super.reserve(origin, wanted);
      }
    }
    const { run, sent } = workers(new Away(time, {}), time);
    expect(await time.until(run([to("a", 1)]))).toHaveLength(1);
    expect(asked).toBe(21);
    expect(sent[0]?.at).toBe(2000);
  });

  test("that was not used in time lapses: a flow that was held up sends no burst", async () => {
    const time = new VirtualTime();
    const { run, sent } = workers(new MemoryPace(time, { overall: 10 }), time);
    // Nothing is answered for a minute, and so nothing more is in flight than these.
    const answer = async (): Promise<PushResponse> => {
      await time.pass(sent.length <= 4 ? 60_000 : 1);
      return accepted;
    };
    await time.until(run(several("a", 60), answer, { concurrency: 4 }));
    const late = sent.filter(({ at }) => at >= 60_000);
    expect(late.length).toBeGreaterThan(50);
    expect(mostInASecond(late)).toBeLessThanOrEqual(10 + 8);
  });

  test("that lapsed while another origin took all the room is asked for again", async () => {
    const time = new VirtualTime();
    const pace = new MemoryPace(time, {});
    const { run, sent } = workers(pace, time);
    const answer = async ({ url }: PushRequest): Promise<PushResponse> => {
      if (new URL(url).hostname === "a.example") await time.pass(60_000);
      return accepted;
    };
    await time.until(run([to("a", 1), to("b", 1)], answer, { concurrency: 1 }));
    expect(sent).toEqual([
      { at: 0, tag: "a1" },
      { at: 60_000, tag: "b1" },
    ]);
    expect(pace.asked).toEqual([1, 1, 1]);
  });

  test("that has not come yet keeps no flow from ending at once", async () => {
    const time = new VirtualTime();
    const stop = new AbortController();
    const never = new MemoryPace(time, {}, () => new Promise(() => undefined));
    const { run, sent } = workers(never, time);
    const results = run(several("a", 3), () => accepted, { signal: stop.signal });
    await settle();
    await settle();
    expect(never.asked).toEqual([1]);
    stop.abort();
    expect(causes(await results)).toEqual([
      ["a0", "unsent", 0],
      ["a1", "unsent", 0],
      ["a2", "unsent", 0],
    ]);
    expect(sent).toEqual([]);
  });

  test("that comes after the end is no surprise", async () => {
    const time = new VirtualTime();
    const stop = new AbortController();
    let answer: () => void = () => undefined;
    const late = new MemoryPace(time, {}, () => new Promise((resolve) => (answer = resolve)));
    const { run, sent } = workers(late, time);
    const results = run([to("a", 1)], () => accepted, { signal: stop.signal });
    await settle();
    await settle();
    stop.abort();
    expect(causes(await results)).toEqual([["a1", "unsent", 0]]);
    answer();
    await settle();
    expect(sent).toEqual([]);
  });

  test("that fails ends the run: what is in flight is finished, the rest unsent, then it is thrown", async () => {
    const time = new VirtualTime();
    class Broken extends MemoryPace {
      override reserve(): Promise<never> {
        return Promise.reject(new TypeError("a bug"));
      }
    }
    await expect(time.until(workers(new Broken(time, {}), time).run([to("a", 1)]))).rejects.toThrow("a bug");
  });
});

describe("a hold", () => {
  test("that one flow met with holds the other, for as long", async () => {
    const time = new VirtualTime();
    const pace = new MemoryPace(time, { overall: 10 });
    const { run, sent } = workers(pace, time);
    const first = (request: PushRequest): PushResponse =>
      request.url.endsWith("/3") && time.now() < 1_060_000 ? minute : accepted;
    const results = await time.until(Promise.all([run(several("a", 20), first), run(several("a", 20))]));
    const metAt = sent.find(({ tag }) => tag === "a3")?.at ?? 0;
    const inBetween = sent.filter(({ at }) => at > metAt && at < metAt + 60_000);
    expect(inBetween).toEqual([]);
    expect(pace.told).toMatchObject([
      { origin: "https://a.example", forMs: 60_000, why: { cause: "http.429" } },
    ]);
    expect(results.flat().every((result) => result.kind === "delivery" && result.isFinal)).toBe(true);
    expect(results.flat()).toHaveLength(40);
  });

  test("leaves other origins alone", async () => {
    const time = new VirtualTime();
    const pace = new MemoryHolds(time);
    const { run, sent } = workers(pace, time);
    pace.held({ origin: "https://a.example", forMs: 60_000, why: { cause: "http.429" } });
    await time.until(run([to("a", 1), to("b", 1)]));
    expect(sent).toEqual([
      { at: 0, tag: "b1" },
      { at: 60_000, tag: "a1" },
    ]);
  });

  test("longer than the patience ends those that wait as withheld, and open", async () => {
    const time = new VirtualTime();
    const pace = new MemoryHolds(time);
    const { run, sent } = workers(pace, time);
    let answer: (given: Answer) => void = () => undefined;
    const slow = () => new Promise<Answer>((resolve) => (answer = resolve));
    const results = run(several("a", 2), slow, { concurrency: 1, patienceMs: 30_000 });
    await time.until(time.pass(1000));
    pace.held({ origin: "https://a.example", forMs: 60_000, why: { cause: "http.429", reason: "too many" } });
    answer(accepted);
    const list = await time.until(results);
    expect(causes(list)).toEqual([
      ["a1", "http.429", 0],
      ["a0", "ok", 1],
    ]);
    expect(list[0]).toMatchObject({ delivery: { outcome: "throttled", reason: "too many" }, isFinal: false });
    expect(sent).toHaveLength(1);
  });

  test("that stands already is met by a flow that begins later", async () => {
    const time = new VirtualTime();
    const pace = new MemoryHolds(time);
    const { run, sent } = workers(pace, time);
    pace.held({ origin: "https://a.example", forMs: 90_000, why: { cause: "http.429" } });
    await time.until(time.pass(30_000));
    await time.until(run([to("a", 1)]));
    expect(sent).toEqual([{ at: 90_000, tag: "a1" }]);
    expect(pace.told).toHaveLength(1); // and is not told back
  });

  test("is told once by a whole window that is refused", async () => {
    const time = new VirtualTime();
    const pace = new MemoryHolds(time);
    const { run, sent } = workers(pace, time);
    const answer = async (): Promise<PushResponse> => {
      const isFirst = sent.length <= 10;
      await time.pass(10 * sent.length);
      return isFirst ? minute : accepted;
    };
    await time.until(run(several("a", 10), answer));
    expect(pace.told).toHaveLength(1);
  });

  test("of nobody who can be reached is not told: it may be our own network", async () => {
    const time = new VirtualTime();
    const pace = new MemoryHolds(time);
    const away = (): Answer => ({ kind: "connect", message: "refused" });
    const { run } = workers(pace, time);
    const jobs = [...several("a", 3), ...several("b", 3)];
    const results = await time.until(run(jobs, away, { retries: 50 }));
    expect(pace.told).toEqual([]);
    expect(finals(results)).toEqual(Array.from({ length: 6 }, () => false));
    // Whoever has a way out is not held up.
    expect(causes(await time.until(run([to("a", 7)])))).toEqual([["a7", "ok", 1]]);
  });

  test("of an origin that nobody can reach, while another answers, is told after a minute, not at the first failure", async () => {
    const time = new VirtualTime();
    const pace = new MemoryHolds(time);
    const away: Answer = { kind: "connect", message: "refused" };
    const answer = async (request: PushRequest): Promise<Answer> => {
      if (request.url.startsWith("https://a.")) return away;
      await time.pass(40_000 * Number(request.url.at(-1)));
      return accepted;
    };
    const { run } = workers(pace, time);
    let told = Number.NaN;
    let other: ReturnType<typeof run> | undefined;
    pace.subscribe(() => {
      told = time.now();
      other ??= run([to("a", 7)]);
    });
    const beside = await time.until(run([...several("a", 3), ...several("b", 5)], answer, { retries: 50 }));
    const results = beside.filter(
      (result) => result.kind !== "delivery" || result.delivery.outcome !== "accepted",
    );
    expect(pace.told).toMatchObject([{ forMs: 60_000, why: { cause: "net.connect" } }]);
    expect(told).toBeGreaterThanOrEqual(1_060_000);
    expect(finals(results)).toEqual([false, false, false]);
    // And gives up those of another flow at once, who would find nobody there either.
    const others = (await other) ?? [];
    expect(causes(others)).toEqual([["a7", "net.connect", 0]]);
    expect(finals(others)).toEqual([false]);
  });

  test("by a ban is final for all, and others look again after an hour", async () => {
    const time = new VirtualTime();
    const pace = new MemoryHolds(time);
    const banned: PushResponse = {
      status: 410,
      headers: { "x-wns-error-description": "Domain Blocked" },
      body: "",
    };
    const wns = (id: string) => jobTo(`https://wns2-am3p.notify.windows.com/w/?token=${id}`, id, lasting);
    const { run } = workers(pace, time);
    const results = await time.until(run([wns("a"), wns("b")], () => banned, { concurrency: 1 }));
    expect(pace.told.map(({ forMs }) => forMs)).toEqual([3_600_000]);
    expect(finals(results)).toEqual([true, true]);
    const others = await time.until(run([wns("c")]));
    expect(causes(others)).toEqual([["c", "wns.domain-blocked", 0]]);
    expect(finals(others)).toEqual([true]);
    await time.until(time.pass(3_600_000));
    expect(causes(await time.until(run([wns("d")])))).toEqual([["d", "ok", 1]]);
  });

  test("is heard no more when the run has ended", async () => {
    const time = new VirtualTime();
    const pace = new MemoryHolds(time);
    const results = workers(pace, time).run([to("a", 1)]);
    expect(pace.listeners).toBe(1);
    await time.until(results);
    expect(pace.listeners).toBe(0);
  });

  test("of less than a second is nobody else's business", async () => {
    const time = new VirtualTime();
    const pace = new MemoryHolds(time);
    const { run, sent } = workers(pace, time);
    const overloaded = (): Answer => (sent.length === 1 ? { status: 503, headers: {}, body: "" } : accepted);
    expect(await time.until(run([to("a", 1)], overloaded))).toMatchObject([{ attempts: 2 }]);
    expect(pace.told).toEqual([]);
  });

  test("that cannot be told ends the run, without losing the answer", async () => {
    const time = new VirtualTime();
    class Broken extends MemoryHolds {
      override held(): void {
        throw new TypeError("a bug");
      }
    }
    const { run } = workers(new Broken(time), time);
    await expect(time.until(run([to("a", 1)], () => minute))).rejects.toThrow("a bug");
  });
});
