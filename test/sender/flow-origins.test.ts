/** Many origins side by side: whose turn it is, what each one bears, who gives way. */
import { describe, expect, test } from "vitest";
import type { PushResponse } from "../../src/protocol/delivery.ts";
import type { SealedMessage } from "../../src/protocol/encryption.ts";
import { UserError } from "../../src/base/errors.ts";
import { noContent } from "../../src/protocol/push-request.ts";
import type { Encryptor } from "../../src/sender/encryptor.ts";
import type { Job } from "../../src/sender/job.ts";
import { createSender, sendThrough } from "../../src/sender/sender.ts";
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
import { VirtualTime } from "./virtual-time.ts";

const lasting = { ...empty, ttlSeconds: 86_400 };
const to = (origin: string, number: number): Job<string> =>
  jobTo(`https://${origin}.example/${number}`, `${origin}${number}`, lasting);
const several = (origin: string, count: number) =>
  Array.from({ length: count }, (_, index) => to(origin, index));
const hostOf = (url: string) => new URL(url).hostname.split(".")[0] ?? "";

describe("turns", () => {
  test("are taken by all origins that have jobs, whatever the order in which they came", async () => {
    const order: string[] = [];
    const transport = transportOf(({ url }) => {
      order.push(hostOf(url));
      return accepted;
    });
    const list = [...several("a", 4), ...several("b", 2), ...several("c", 1)];
    // Nothing leaves before all have come.
    const started = list.map((job) => ({ ...job, message: { ...lasting, payload: Buffer.from("x") } }));
    let open: () => void = () => undefined;
    const gate = new Promise<SealedMessage>((resolve) => {
      open = () => {
        resolve(noContent);
      };
    });
    const results = collect(
      sendThrough(
        means(transport, () => gate),
        jobs(...started),
        options({ concurrency: 1 }),
      ),
    );
    await settle();
    open();
    await results;
    expect(order).toEqual(["a", "b", "c", "a", "b", "a", "a"]);
  });
});

describe("how many are in flight at one origin", () => {
  /** Answers after a second; `most` is the largest number that was in flight within each window. */
  async function run(count: number, concurrency: number, answer: (number: number) => PushResponse) {
    const time = new VirtualTime();
    let inFlight = 0;
    let number = 0;
    const inFlightAt: number[] = [];
    const transport = transportOf(async () => {
      inFlightAt.push((inFlight += 1));
      const own = (number += 1);
      await time.pass(1000);
      inFlight -= 1;
      return answer(own);
    });
    const flow = { ...options({ concurrency, retries: 0 }), clock: time };
    const given = { ...means(transport), setTimer: time.setTimer };
    await time.until(collect(sendThrough(given, jobs(...several("a", count)), flow)));
    return inFlightAt;
  }

  test("is ten at first and grows by one with each window that went well", async () => {
    const windows = [10, 11, 12, 13, 14, 15];
    const inFlightAt = await run(
      windows.reduce((sum, window) => sum + window),
      100,
      () => accepted,
    );
    expect(Math.max(...inFlightAt.slice(0, 10))).toBe(10);
    // An answer adds its part of one, so a window comes to a little less than one more.
    expect([14, 15]).toContain(Math.max(...inFlightAt));
  });

  test("is never more than are to be in flight in all", async () => {
    expect(Math.max(...(await run(300, 12, () => accepted)))).toBe(12);
  });

  test("is halved once for a window in which all were throttled", async () => {
    const throttled: PushResponse = { status: 429, headers: {}, body: "" };
    const inFlightAt = await run(10 + 5, 100, (number) => (number <= 10 ? throttled : accepted));
    expect(Math.max(...inFlightAt.slice(10))).toBe(5);
    const twice = await run(10 + 5 + 4, 100, (number) => (number <= 15 ? throttled : accepted));
    expect(Math.max(...twice.slice(15))).toBe(2);
  });

  test("is what its connections bear, if that is less", async () => {
    let inFlight = 0;
    let most = 0;
    const transport = {
      ...transportOf(async () => {
        most = Math.max(most, (inFlight += 1));
        await settle();
        inFlight -= 1;
        return accepted;
      }),
      capacityOf: () => 3,
    };
    await collect(sendThrough(means(transport), jobs(...several("a", 50)), options({ concurrency: 100 })));
    expect(most).toBe(3);
  });

  test("is one at least, also while no connection stands", async () => {
    const transport = { ...transportOf(() => accepted), capacityOf: () => 0 };
    const results = await collect(sendThrough(means(transport), jobs(...several("a", 3)), options()));
    expect(results).toHaveLength(3);
  });
});

describe("an origin that asks to wait for long", () => {
  const hour: PushResponse = { status: 429, headers: { "retry-after": "3600" }, body: "" };

  async function run(list: readonly Job<string>[], maxWaiting: number, patienceMs = 3_600_000) {
    const time = new VirtualTime();
    const start = time.now();
    const answeredAt = new Map<string, number>();
    const transport = transportOf(({ url }) => {
      if (hostOf(url) === "slow" && time.now() === start) return hour;
      answeredAt.set(url, (time.now() - start) / 1000);
      return accepted;
    });
    const flow = { ...options({ concurrency: 4, maxWaiting, patienceMs }), clock: time };
    const given = { ...means(transport), setTimer: time.setTimer };
    const results = await time.until(collect(sendThrough(given, jobs(...list), flow)));
    return { results, answeredAt, seconds: (time.now() - start) / 1000 };
  }

  test("is waited for while there is room, and others go on at once", async () => {
    const { results, answeredAt, seconds } = await run([...several("slow", 50), ...several("fast", 50)], 100);
    expect(causes(results).filter(([, cause]) => cause === "ok")).toHaveLength(100);
    expect(answeredAt.get("https://fast.example/49")).toBe(0);
    expect(seconds).toBe(3600);
  });

  test("is not waited for beyond what the sender has patience for, and who comes later is not sent to either", async () => {
    const late = Array.from({ length: 30 }, (_, index) => to("slow", 100 + index));
    const list = [...several("slow", 50), ...several("fast", 50), ...late];
    const { results, answeredAt, seconds } = await run(list, 100, 300_000);
    expect(answeredAt.size).toBe(50);
    expect(seconds).toBe(0);
    const slow = causes(results).filter(([tag]) => String(tag).startsWith("slow"));
    expect(slow).toHaveLength(80);
    expect(slow.every(([, cause, attempts]) => cause === "http.429" && Number(attempts) <= 1)).toBe(true);
  });

  test("gives way when the room to wait is all its own, and says why for each", async () => {
    const { results, answeredAt } = await run([...several("slow", 150), ...several("fast", 50)], 100);
    expect(results).toHaveLength(200);
    const given = causes(results).filter(([, cause]) => cause === "http.429");
    expect(given).toHaveLength(100);
    expect(new Set(given.map(([, , attempts]) => attempts))).toEqual(new Set([0, 1]));
    expect(answeredAt.get("https://fast.example/49")).toBe(0);
  });

  test("for a minute or less does not", async () => {
    const time = new VirtualTime();
    let asked = 0;
    const transport = transportOf(() =>
      (asked += 1) === 1 ? { status: 429, headers: { "retry-after": "60" }, body: "" } : accepted,
    );
    const flow = { ...options({ concurrency: 1, maxWaiting: 2 }), clock: time };
    const given = { ...means(transport), setTimer: time.setTimer };
    const results = await time.until(collect(sendThrough(given, jobs(...several("a", 20)), flow)));
    expect(causes(results).filter(([, cause]) => cause === "ok")).toHaveLength(20);
  });
});

describe("an origin that asks to wait, in a list much longer than there is room to wait", () => {
  /** Of each pair of jobs one is for an origin that asks for some seconds, the other for one that answers at once. */
  async function run(waitSeconds: number, list: readonly Job<string>[]) {
    const time = new VirtualTime();
    const start = time.now();
    const until = start + waitSeconds * 1000;
    let lastFastAt = start;
    let mostWaiting = 0;
    const wait: PushResponse = { status: 429, headers: { "retry-after": String(waitSeconds) }, body: "" };
    const transport = transportOf(async ({ url }) => {
      const isFast = hostOf(url) === "fast";
      await time.pass(isFast ? 10 : 5);
      if (isFast) lastFastAt = time.now();
      mostWaiting = Math.max(mostWaiting, ...sender.state().origins.map(({ waiting }) => waiting));
      return isFast || time.now() >= until ? accepted : wait;
    });
    const flow = { ...options({ concurrency: 4, maxWaiting: 1000 }), clock: time };
    const sender = createSender<string>({ ...means(transport), setTimer: time.setTimer }, flow);
    const results = causes(await time.until(collect(sender.send(jobs(...list)))));
    const withheld = results.filter(([, cause, attempts]) => cause === "http.429" && attempts === 0).length;
    const delivered = results.filter(([, cause]) => cause === "ok").length;
    return { delivered, withheld, mostWaiting, fastSeconds: (lastFastAt - start) / 1000 };
  }
  const pairs = Array.from({ length: 1500 }, (_, index) => [to("slow", index), to("fast", index)]).flat();

  test("does not hold up the other: what is too much for half the room is not waited for", async () => {
    const { delivered, withheld, mostWaiting, fastSeconds } = await run(50, pairs);
    expect(fastSeconds).toBeLessThan(45);
    expect(withheld).toBeGreaterThan(0);
    expect(delivered + withheld).toBe(3000);
    expect(delivered).toBeGreaterThanOrEqual(1500 + 500);
    expect(mostWaiting).toBeLessThan(1000);
  });

  test("holds it up rather than losing anybody when that is for a moment", async () => {
    expect(await run(20, pairs)).toMatchObject({ delivered: 3000, withheld: 0 });
  });

  test("loses nobody when there is no other", async () => {
    expect(await run(50, several("slow", 3000))).toMatchObject({ delivered: 3000, withheld: 0 });
  });
});

describe("a rate", () => {
  test("is kept over all origins, and what it allows is used", async () => {
    const time = new VirtualTime();
    const start = time.now();
    const sentAt: number[] = [];
    const transport = transportOf(() => {
      sentAt.push(time.now() - start);
      return accepted;
    });
    const list = [...several("a", 50), ...several("b", 50)];
    const flow = { ...options({ concurrency: 100, rate: 10 }), clock: time };
    const given = { ...means(transport), setTimer: time.setTimer };
    await time.until(collect(sendThrough(given, jobs(...list), flow)));
    expect(sentAt).toEqual(Array.from({ length: 100 }, (_, index) => index * 100));
  });
});

describe("encryption by other threads", () => {
  const withPayload = (index: number) =>
    jobTo(`https://a.example/${index}`, String(index), { ...lasting, payload: Buffer.from(String(index)) });
  const hundreds = (count: number) => Array.from({ length: count }, (_, index) => withPayload(index));

  /** An encryptor whose work the test finishes; `begun` has what was handed in. */
  function threads() {
    const begun: string[] = [];
    const finish: (() => void)[] = [];
    const encryptor: Encryptor = {
      worksAhead: true,
      seal: (payload) => {
        begun.push(Buffer.from(payload).toString());
        return new Promise((resolve) => {
          finish.push(() => {
            resolve({ body: payload, headers: {} });
          });
        });
      },
      [Symbol.dispose]: () => undefined,
    };
    return { encryptor, begun, finish };
  }

  test("gets messages before their turn, in their order, but not without bound", async () => {
    const { encryptor, begun } = threads();
    const { transport } = heldTransport();
    const stop = new AbortController();
    const flow = options({ concurrency: 100, signal: stop.signal });
    const results = collect(sendThrough({ ...means(transport), encryptor }, jobs(...hundreds(1000)), flow));
    for (let turn = 0; turn < 20; turn += 1) await settle();
    expect(begun).toEqual(Array.from({ length: 10 + 20 }, (_, index) => String(index)));
    stop.abort();
    void results;
  });

  test("is done once for each message, whichever of its turn and its end comes first", async () => {
    const { encryptor, begun, finish } = threads();
    const sent: string[] = [];
    const transport = transportOf(({ url, body }) => {
      expect(url.endsWith(`/${Buffer.from(body).toString()}`)).toBe(true);
      sent.push(url);
      return accepted;
    });
    const flow = options({ concurrency: 5 });
    const results = collect(sendThrough({ ...means(transport), encryptor }, jobs(...hundreds(300)), flow));
    while (sent.length < 300) {
      for (const done of finish.splice(0).reverse()) done();
      await settle();
    }
    expect(await results).toHaveLength(300);
    expect(begun).toHaveLength(300);
  });

  test("that fails is told of its own job, ahead of its turn or not", async () => {
    const encryptor: Encryptor = {
      worksAhead: true,
      seal: (payload) => {
        const number = Number(Buffer.from(payload).toString());
        const error = new UserError("payload-too-large", "too large");
        if (number % 3 === 0) throw error;
        return number % 3 === 1 ? Promise.reject(error) : Promise.resolve(noContent);
      },
      [Symbol.dispose]: () => undefined,
    };
    const given = { ...means(transportOf(() => accepted)), encryptor };
    const results = causes(await collect(sendThrough(given, jobs(...hundreds(90)), options())));
    for (const [tag, cause] of results)
      expect(cause).toBe(Number(tag) % 3 === 2 ? "ok" : "payload-too-large");
    expect(results).toHaveLength(90);
  });
});
