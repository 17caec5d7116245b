/** How a run ends before its jobs do: stopped, given up, broken; and what each job then says. */
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import type { PushResponse } from "../../src/protocol/delivery.ts";
import type { SealedMessage } from "../../src/protocol/encryption.ts";
import { noContent } from "../../src/protocol/push-request.ts";
import type { Encryptor } from "../../src/sender/encryptor.ts";
import type { FlowOptions } from "../../src/sender/flow-options.ts";
import type { Job, SendResult } from "../../src/sender/job.ts";
import { sendThrough } from "../../src/sender/sender.ts";
import {
  accepted,
  causes,
  collect,
  empty,
  heldTransport,
  job,
  jobs,
  jobTo,
  means,
  options,
  settle,
  transportOf,
  type Answer,
} from "./flow-fixture.ts";
import { VirtualTime } from "./virtual-time.ts";

const minute: PushResponse = { status: 429, headers: { "retry-after": "60" }, body: "" };
const lasting = (tag: string): Job<string> =>
  jobTo(`https://push.example.net/${tag}`, tag, { ...empty, ttlSeconds: 3600 });

/** A run whose results are kept also when it throws. */
function watch(results: AsyncIterable<SendResult<string>>) {
  const yielded: SendResult<string>[] = [];
  const end = (async () => {
    for await (const result of results) yielded.push(result);
  })();
  return { yielded, end };
}

describe("a stop", () => {
  test("leaves those that waited for another attempt with their last answer, and ends at once", async () => {
    const time = new VirtualTime();
    const stop = new AbortController();
    const transport = transportOf(() => minute);
    const flow = { ...options({ concurrency: 1, signal: stop.signal }), clock: time };
    const given = { ...means(transport), setTimer: time.setTimer };
    const all = collect(sendThrough(given, jobs(lasting("a"), lasting("b")), flow));
    const start = time.now();
    await time.until(time.pass(1000));
    stop.abort();
    expect(causes(await time.until(all))).toEqual([
      ["a", "http.429", 1],
      ["b", "unsent", 0],
    ]);
    expect(time.now()).toBe(start + 1000);
  });

  test("reaches every one of more origins than are kept in mind when they have nothing to do", async () => {
    const time = new VirtualTime();
    const stop = new AbortController();
    const flow = { ...options({ concurrency: 2000, signal: stop.signal }), clock: time };
    const given = { ...means(transportOf(() => minute)), setTimer: time.setTimer };
    const many = Array.from({ length: 1100 }, (_, index) => ({
      ...lasting(String(index)),
      subscription: jobTo(`https://push${index}.example.net/`).subscription,
    }));
    const all = collect(sendThrough(given, jobs(...many), flow));
    await time.until(time.pass(1000));
    stop.abort();
    const results = causes(await all);
    expect(new Set(results.map(([tag]) => tag)).size).toBe(1100);
    expect(results.filter(([, cause]) => cause === "http.429")).toHaveLength(1100);
  });

  test("tries nothing again of what is in flight", async () => {
    const stop = new AbortController();
    let asked = 0;
    let answer: (given: Answer) => void = () => undefined;
    const transport = transportOf(() => {
      asked += 1;
      return new Promise<Answer>((resolve) => {
        answer = resolve;
      });
    });
    const all = collect(sendThrough(means(transport), jobs(lasting("a")), options({ signal: stop.signal })));
    await settle();
    stop.abort();
    answer({ kind: "refused-stream", message: "" });
    expect(causes(await all)).toEqual([["a", "h2.refused", 1]]);
    expect(asked).toBe(1);
  });

  test("gives up what is in flight when it has not ended in time", async () => {
    const time = new VirtualTime();
    const stop = new AbortController();
    const { transport } = heldTransport();
    const flow = { ...options({ signal: stop.signal, drainMs: 7000 }), clock: time };
    const all = collect(
      sendThrough({ ...means(transport), setTimer: time.setTimer }, jobs(lasting("a")), flow),
    );
    await settle();
    const start = time.now();
    stop.abort();
    expect(causes(await time.until(all))).toEqual([["a", "net.ambiguous", 1]]);
    expect(time.now()).toBe(start + 7000);
  });

  test("also counts the job that the source was just handing over", async () => {
    const stop = new AbortController();
    const { transport, waiting } = heldTransport();
    let handOver: () => void = () => undefined;
    async function* source(): AsyncGenerator<Job<string>> {
      yield lasting("a");
      await new Promise<void>((resolve) => {
        handOver = resolve;
      });
      yield lasting("b");
    }
    const all = collect(sendThrough(means(transport), source(), options({ signal: stop.signal })));
    await settle();
    stop.abort();
    handOver();
    await settle();
    for (const answer of waiting) answer();
    expect(causes(await all)).toEqual([
      ["b", "unsent", 0],
      ["a", "ok", 1],
    ]);
  });

  test("reaches those that are being encrypted: they are not sent", async () => {
    const stop = new AbortController();
    let finish: () => void = () => undefined;
    const seal = () =>
      new Promise<SealedMessage>((resolve) => {
        finish = () => {
          resolve(noContent);
        };
      });
    const sealing = { ...lasting("a"), message: { ...empty, payload: Buffer.from("x") } };
    const given = means(
      transportOf(() => accepted),
      seal,
    );
    const all = collect(sendThrough(given, jobs(sealing), options({ signal: stop.signal })));
    await settle();
    stop.abort();
    finish();
    expect(causes(await all)).toEqual([["a", "unsent", 0]]);
  });
});

describe("what is final, and what would have been tried again", () => {
  /** How the only job's way ended. */
  async function ending(
    answer: Answer,
    changes: Partial<FlowOptions<string>> = {},
    { ttlSeconds = 3600, stopAt = Number.POSITIVE_INFINITY } = {},
  ) {
    const time = new VirtualTime();
    const stop = new AbortController();
    if (stopAt !== Number.POSITIVE_INFINITY)
      time.setTimer(() => {
        stop.abort();
      }, stopAt);
    const flow = { ...options({ retries: 2, signal: stop.signal, ...changes }), clock: time };
    const given = { ...means(transportOf(() => answer)), setTimer: time.setTimer };
    const list = jobs({ ...lasting("a"), message: { ...empty, ttlSeconds } });
    const [result] = await time.until(collect(sendThrough(given, list, flow)));
    if (result?.kind !== "delivery") return result?.kind;
    return `${result.delivery.cause} after ${result.attempts}, ${result.isFinal ? "final" : "open"}`;
  }
  const answered = (status: number): PushResponse => ({ status, headers: {}, body: "" });

  test("accepted, gone and refused are final", async () => {
    expect(await ending(accepted)).toBe("ok after 1, final");
    expect(await ending(answered(410))).toBe("http.410 after 1, final");
    expect(await ending(answered(400))).toBe("http.400 after 1, final");
  });

  test("the turn is over while it waits: open, with what its last attempt came to", async () => {
    expect(await ending(minute, {}, { stopAt: 90_000 })).toBe("http.429 after 2, open");
  });

  test("the turn is over while it is in flight: open if it would have been tried again", async () => {
    const stop = new AbortController();
    const answers = [answered(503), answered(410), accepted];
    const transport = transportOf(async ({ url }) => {
      await settle();
      stop.abort();
      return answers[Number(url.at(-1))] ?? accepted;
    });
    const list = [0, 1, 2].map((number) => lasting(String(number)));
    const results = await collect(
      sendThrough(
        means(transport),
        jobs(...list, lasting("unbegun")),
        options({ concurrency: 3, signal: stop.signal }),
      ),
    );
    const told = results.map((result) => [
      result.job.tag,
      result.kind === "delivery" ? result.isFinal : result.kind,
    ]);
    expect(Object.fromEntries(told)).toEqual({ 0: false, 1: true, 2: true, unbegun: "unsent" });
  });

  test("the service asks to wait beyond the patience: open", async () => {
    expect(await ending(minute, { patienceMs: 10_000 })).toBe("http.429 after 1, open");
  });

  test("its retries are used up: final", async () => {
    expect(await ending(answered(503))).toBe("http.5xx after 3, final");
    expect(await ending(minute, { retries: 0, patienceMs: 10_000 })).toBe("http.429 after 1, final");
  });

  test("it would be out of date by then: final", async () => {
    expect(await ending(minute, {}, { ttlSeconds: 30 })).toBe("http.429 after 1, final");
    expect(await ending(minute, { patienceMs: 10_000 }, { ttlSeconds: 30 })).toBe("http.429 after 1, final");
  });

  test("given up in flight when the turn ends: open, unless it must not be sent twice", async () => {
    async function givenUp(retryAmbiguous: boolean) {
      const time = new VirtualTime();
      const stop = new AbortController();
      const flow = { ...options({ signal: stop.signal, drainMs: 1000, retryAmbiguous }), clock: time };
      const given = { ...means(heldTransport().transport), setTimer: time.setTimer };
      const results = collect(sendThrough(given, jobs(lasting("a")), flow));
      await settle();
      stop.abort();
      return time.until(results);
    }
    expect(await givenUp(true)).toMatchObject([{ delivery: { cause: "net.ambiguous" }, isFinal: false }]);
    expect(await givenUp(false)).toMatchObject([{ delivery: { cause: "net.ambiguous" }, isFinal: true }]);
  });

  test("withheld because another was asked to wait too long: open", async () => {
    const time = new VirtualTime();
    const flow = { ...options({ concurrency: 1, patienceMs: 10_000 }), clock: time };
    const given = { ...means(transportOf(() => minute)), setTimer: time.setTimer };
    const results = await time.until(collect(sendThrough(given, jobs(lasting("a"), lasting("b")), flow)));
    expect(results).toMatchObject([
      { job: { tag: "a" }, attempts: 1, isFinal: false },
      { job: { tag: "b" }, attempts: 0, isFinal: false },
    ]);
  });
});

describe("a surprise", () => {
  const many = Array.from({ length: 20 }, (_, index) => job(index));

  test("of who is told before a request leaves: it does not, what is in flight ends, the rest is unsent", async () => {
    const { transport, waiting } = heldTransport();
    let left = 0;
    const observer: FlowOptions<string>["observer"] = {
      sending: () => {
        if ((left += 1) > 3) throw new UserError("journal-full", "the disk is full");
      },
    };
    const { yielded, end } = watch(
      sendThrough(means(transport), jobs(...many), options({ concurrency: 5, observer })),
    );
    const outcome = expect(end).rejects.toThrow("the disk is full");
    await settle();
    expect(waiting).toHaveLength(3);
    for (const answer of waiting) answer();
    await outcome;
    const sent = causes(yielded).filter(([, , attempts]) => attempts === 1);
    expect(sent).toEqual([
      ["0", "ok", 1],
      ["1", "ok", 1],
      ["2", "ok", 1],
    ]);
    expect(causes(yielded)).toContainEqual(["3", "unsent", 0]);
  });

  test("of who is told of answers does not lose the answer", async () => {
    const observer: FlowOptions<string>["observer"] = {
      answered: () => {
        throw new TypeError("a bug");
      },
    };
    const { yielded, end } = watch(
      sendThrough(means(transportOf(() => accepted)), jobs(job("a")), options({ observer })),
    );
    await expect(end).rejects.toThrow("a bug");
    expect(causes(yielded)).toEqual([["a", "ok", 1]]);
  });

  test("of the transport: nobody knows whether that message left", async () => {
    const transport = transportOf(() => Promise.reject(new TypeError("a bug")));
    const { yielded, end } = watch(sendThrough(means(transport), jobs(job("a")), options()));
    await expect(end).rejects.toThrow("a bug");
    expect(causes(yielded)).toEqual([["a", "net.ambiguous", 1]]);
  });

  test("of a job that is none ends the run, and is no unhandled rejection", async () => {
    const { yielded, end } = watch(
      sendThrough(
        means(transportOf(() => accepted)),
        jobs(job("a"), { ...job("b"), subscription: { endpoint: "no url" } } as unknown as Job<string>),
        options(),
      ),
    );
    await expect(end).rejects.toThrow(TypeError);
    expect(causes(yielded)).toEqual([["a", "ok", 1]]);
  });

  describe("in the very moment in which the reader asks for more", () => {
    /** Two jobs; the rate allows the second one before its alarm has rung. */
    function start(changes: Partial<FlowOptions<string>>, seal?: Encryptor["seal"]) {
      let now = 1000;
      const clock = { now: () => now };
      const setTimer = () => ({ [Symbol.dispose]: () => undefined });
      const given = {
        ...means(
          transportOf(() => accepted),
          seal,
        ),
        setTimer,
      };
      const list = ["a", "b"].map((tag) => ({
        ...job(tag),
        message: { ...empty, payload: Buffer.from(tag) },
      }));
      const results = sendThrough(given, jobs(...list), options({ rate: 10, clock, ...changes }));
      return { results, makeDue: () => (now += 100) };
    }

    test("of the observer: the job has its result all the same", async () => {
      const sending = (told: Job<string>): void => {
        if (told.tag === "b") throw new UserError("journal-full", "the disk is full");
      };
      const { results, makeDue } = start({ observer: { sending } });
      expect((await results.next()).value).toMatchObject({ job: { tag: "a" }, attempts: 1 });
      await settle();
      makeDue();
      expect((await results.next()).value).toMatchObject({ job: { tag: "b" }, kind: "unsent" });
      await expect(results.next()).rejects.toThrow("the disk is full");
    });

    test("that is none, but a message which cannot be encrypted: it is told at once", async () => {
      const { results, makeDue } = start({}, (payload) => {
        if (Buffer.from(payload).toString() === "b") throw new UserError("payload-too-large", "too large");
        return noContent;
      });
      expect((await results.next()).value).toMatchObject({ job: { tag: "a" }, attempts: 1 });
      await settle();
      makeDue();
      expect((await results.next()).value).toMatchObject({ job: { tag: "b" }, kind: "refused" });
      expect((await results.next()).done).toBe(true);
    });
  });
});
