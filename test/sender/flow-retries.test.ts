/** What a run does with answers that allow another attempt; hours pass in virtual time. */
import { describe, expect, test } from "vitest";
import type { PushResponse } from "../../src/protocol/delivery.ts";
import type { PushRequest } from "../../src/protocol/message.ts";
import type { TokenCache } from "../../src/sender/token-cache.ts";
import type { FlowOptions, Means } from "../../src/sender/flow-options.ts";
import type { Job } from "../../src/sender/job.ts";
import { createSender, sendThrough } from "../../src/sender/sender.ts";
import {
  accepted,
  causes,
  collect,
  empty,
  job,
  jobs,
  jobTo,
  means,
  options,
  transportOf,
  type Answer,
} from "./flow-fixture.ts";
import { VirtualTime } from "./virtual-time.ts";

const answer = (status: number, headers = {}, body = ""): PushResponse => ({ status, headers, body });
const minute = answer(429, { "retry-after": "60" });
const broken: Answer = { kind: "ambiguous", message: "the connection broke" };
const refused: Answer = { kind: "connect", message: "connection refused" };

/** What is not the flow's own: tokens, and how long the service takes to answer. */
interface Setting {
  readonly tokens?: TokenCache;
  readonly latencyMs?: number;
}

/** Runs jobs against answers by tag and attempt; `log` has what was sent when, in seconds from the start. */
async function run(
  list: readonly Job<string>[],
  answers: (tag: string, attempt: number, request: PushRequest) => Answer,
  changes: Partial<FlowOptions<string>> & Setting = {},
) {
  const time = new VirtualTime();
  const start = time.now();
  const attempts = new Map<string, number>();
  const log: [tag: string, seconds: number, ttl: string | undefined][] = [];
  const requests: PushRequest[] = [];
  const transport = transportOf(async (request) => {
    const tag = request.url.split("/").at(-1) ?? "";
    const attempt = (attempts.get(tag) ?? 0) + 1;
    attempts.set(tag, attempt);
    log.push([tag, (time.now() - start) / 1000, request.headers["ttl"]]);
    requests.push(request);
    await time.pass(changes.latencyMs ?? 0);
    return answers(tag, attempt, request);
  });
  const given: Means = { ...means(transport), setTimer: time.setTimer };
  const flow = { ...options({ concurrency: 1, ...changes }), clock: time };
  const withTokens = changes.tokens === undefined ? given : { ...given, tokens: changes.tokens };
  const results = await time.until(collect(sendThrough(withTokens, jobs(...list), flow)));
  return { results, log, requests, seconds: (time.now() - start) / 1000 };
}

const times = (log: readonly (readonly [tag: string, seconds: number, ttl: string | undefined])[]) =>
  log.map(([tag, seconds]) => [tag, seconds]);
const lasting = (ttlSeconds: number, tag = "a") =>
  jobTo(`https://push.example.net/${tag}`, tag, { ...empty, ttlSeconds });

describe("another attempt", () => {
  test("follows a fault, and its answer counts", async () => {
    const { results, log } = await run([job("a")], (_tag, attempt) => (attempt < 3 ? answer(500) : accepted));
    expect(causes(results)).toEqual([["a", "ok", 3]]);
    expect(results[0]?.durationMs).toBe(((log[2]?.[1] ?? 0) - (log[0]?.[1] ?? 0)) * 1000);
    expect(log[2]?.[1]).toBeGreaterThan(0);
  });

  test("is the fifth at most, and then the last answer stands", async () => {
    const { results, log } = await run([job("a")], (_tag, attempt) => answer(attempt === 5 ? 502 : 500));
    expect(causes(results)).toEqual([["a", "http.5xx", 5]]);
    expect(results[0]).toMatchObject({ delivery: { status: 502 } });
    expect(log).toHaveLength(5);
  });

  test("is made as often as was asked", async () => {
    expect((await run([job("a")], () => answer(500), { retries: 1 })).log).toHaveLength(2);
    expect((await run([job("a")], () => answer(500), { retries: 0 })).log).toHaveLength(1);
  });

  test("carries the same encrypted message", async () => {
    const { requests } = await run([job("a")], (_tag, attempt) => (attempt === 1 ? answer(500) : accepted));
    expect(requests[1]?.body).toBe(requests[0]?.body);
  });

  test("of a message that may have arrived is not made when it is to be sent once at most", async () => {
    const once = await run([job("a")], () => broken, { retryAmbiguous: false });
    expect(causes(once.results)).toEqual([["a", "net.ambiguous", 1]]);
    const twice = await run([job("a")], (_tag, attempt) => (attempt === 1 ? broken : accepted));
    expect(causes(twice.results)).toEqual([["a", "ok", 2]]);
  });
});

test("a refusal that allows one more attempt has no third", async () => {
  const apple = jobTo("https://web.push.apple.com/a", "a");
  const { results } = await run([apple], () => answer(400, {}, '{"reason":"BadUrgency"}'));
  expect(causes(results)).toEqual([["a", "apple.urgency", 2]]);
});

describe("a message's time to live", () => {
  test("is what is left of it on the next attempt", async () => {
    const { log } = await run([lasting(100)], (_tag, attempt) => (attempt === 1 ? minute : accepted));
    expect(log).toEqual([
      ["a", 0, "100"],
      ["a", 60, "40"],
    ]);
  });

  test("ends the attempts: no wait goes beyond it", async () => {
    const { results, seconds } = await run([lasting(60)], () => minute);
    expect(causes(results)).toEqual([["a", "http.429", 1]]);
    expect(seconds).toBe(0);
  });

  test("ends the attempts also when another one was due, and had to wait for its turn", async () => {
    const { results, log } = await run([lasting(5)], () => answer(500), { rate: 0.1 });
    expect(causes(results)).toEqual([["a", "http.5xx", 1]]);
    expect(log).toHaveLength(1);
  });

  test("ends at once when its origin is held for longer because of another", async () => {
    const list = [lasting(30, "a"), lasting(30, "b")];
    const { results, seconds } = await run(list, (tag) => (tag === "a" ? minute : answer(500)), {
      concurrency: 2,
      latencyMs: 10,
    });
    expect(causes(results)).toEqual([
      ["a", "http.429", 1],
      ["b", "http.5xx", 1],
    ]);
    expect(seconds).toBe(0.01);
  });

  test("has lost what its origin was held for on later attempts as well", async () => {
    const half = answer(429, { "retry-after": "30" });
    const answers = (tag: string, attempt: number) => (attempt > 1 ? accepted : tag === "a" ? minute : half);
    const { log } = await run([lasting(600, "a"), lasting(100, "b")], answers);
    expect(log.filter(([tag]) => tag === "b")).toEqual([
      ["b", 60, "40"],
      ["b", 90, "10"],
    ]);
  });

  test("of 0 allows no second attempt", async () => {
    const { results, log } = await run([lasting(0)], () => ({ kind: "refused-stream", message: "" }));
    expect(causes(results)).toEqual([["a", "h2.refused", 1]]);
    expect(log).toEqual([["a", 0, "0"]]);
  });

  test("does not run while a message waits for its turn", async () => {
    const list = [lasting(2, "a"), lasting(2, "b"), lasting(2, "c")];
    const { log } = await run(list, () => accepted, { rate: 0.1 });
    expect(log.map(([tag, , ttl]) => [tag, ttl])).toEqual([
      ["a", "2"],
      ["b", "2"],
      ["c", "2"],
    ]);
  });

  test("runs while the service has its origin held", async () => {
    const list = [lasting(600, "a"), lasting(100, "long"), lasting(60, "short")];
    const { results, log } = await run(list, (_tag, attempt) => (attempt === 1 ? minute : accepted), {
      retries: 1,
    });
    expect(log).toContainEqual(["a", 60, "540"]);
    expect(log).toContainEqual(["long", 60, "40"]);
    expect(causes(results)).toContainEqual(["short", "http.429", 0]);
  });

  test("ends at once for those who wait, and for those who come, while the origin is held for longer", async () => {
    const list = Array.from({ length: 6 }, (_, index) => lasting(30, String(index)));
    const { results, seconds } = await run(list, () => minute, { maxWaiting: 2, latencyMs: 10 });
    expect(causes(results).map(([, cause]) => cause)).toEqual(Array.from({ length: 6 }, () => "http.429"));
    expect(results.filter(({ attempts }) => attempts === 0)).toHaveLength(5);
    expect(seconds).toBe(0.01);
  });

  test("of 0 has its turn late rather than not at all, but not minutes later", async () => {
    const list = [lasting(600, "a"), lasting(0, "now")];
    const firstAnswers = (first: PushResponse) => (tag: string, attempt: number) =>
      tag === "a" && attempt === 1 ? first : accepted;
    const short = await run(list, firstAnswers(answer(429, { "retry-after": "5" })));
    expect(short.log).toContainEqual(["now", 5, "0"]);
    const long = await run(list, firstAnswers(minute));
    expect(causes(long.results)).toContainEqual(["now", "http.429", 0]);
  });
});

describe("Retry-After", () => {
  const held = [lasting(600, "a"), lasting(600, "b"), jobTo("https://push.example.org/c", "c")];

  test("holds everything for that origin, and nothing for another", async () => {
    const { log } = await run(held, (tag, attempt) => (tag === "a" && attempt === 1 ? minute : accepted));
    expect(times(log)).toEqual([
      ["a", 0],
      ["c", 0],
      ["a", 60],
      ["b", 60],
    ]);
  });

  test("holds also when the message that met with it is given up", async () => {
    const { log } = await run(held, (tag) => (tag === "a" ? minute : accepted), { retries: 0 });
    expect(times(log)).toEqual([
      ["a", 0],
      ["c", 0],
      ["b", 60],
    ]);
  });

  test.each([
    ["429", answer(429)],
    ["503", answer(503)],
    ["ENHANCE_YOUR_CALM", { kind: "calm", message: "" } as const],
  ])(
    "that a %s comes without holds the origin all the same, for as long as we think",
    async (_what, tooMuch) => {
      const { log } = await run(held, (tag, attempt) => (tag === "a" && attempt === 1 ? tooMuch : accepted));
      expect(log.map(([tag]) => tag)).toEqual(["a", "c", "a", "b"]);
      expect(log[1]?.[1]).toBe(0);
      expect(log[2]?.[1]).toBeGreaterThan(0);
    },
  );

  test("about one device holds that message alone", async () => {
    const list = ["a", "b"].map((tag) => jobTo(`https://web.push.apple.com/${tag}`, tag));
    const tooMany = answer(429, { "retry-after": "60" }, '{"reason":"TooManyRequests"}');
    const long = list.map((one) => ({ ...one, message: { ...empty, ttlSeconds: 600 } }));
    const { log } = await run(long, (tag, attempt) => (tag === "a" && attempt === 1 ? tooMany : accepted));
    expect(times(log)).toEqual([
      ["a", 0],
      ["b", 0],
      ["a", 60],
    ]);
  });

  test("of the same length again and again holds as long as there are attempts", async () => {
    const { log, results } = await run([lasting(3600)], () => minute);
    expect(times(log)).toEqual([0, 60, 120, 180, 240].map((seconds) => ["a", seconds]));
    expect(causes(results)).toEqual([["a", "http.429", 5]]);
  });
});

describe("an origin that cannot be reached", () => {
  const many = Array.from({ length: 1000 }, (_, index) => lasting(86_400, String(index)));

  test("is tried now and then, not once for each message", async () => {
    const { results, log } = await run(many, () => refused, { concurrency: 100 });
    expect(results).toHaveLength(1000);
    expect(new Set(causes(results).map(([, cause]) => cause))).toEqual(new Set(["net.connect"]));
    expect(log.length).toBeLessThan(200);
  });

  test("is given up after a minute, and those that were never sent say so", async () => {
    const { results, seconds } = await run(many, () => refused, { concurrency: 100 });
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(80);
    const unsent = results.filter(({ attempts }) => attempts === 0);
    expect(unsent.length).toBeGreaterThan(900);
    expect(unsent[0]).toMatchObject({ delivery: { outcome: "unreachable", reason: "connection refused" } });
  });

  test("and answered in between has its minute anew", async () => {
    const list = [lasting(86_400, "a"), lasting(86_400, "b")];
    // An attempt every two minutes.
    const { results } = await run(list, (_tag, attempt) => (attempt === 1 ? refused : accepted), {
      rate: 1 / 120,
    });
    expect(causes(results)).toEqual([
      ["a", "ok", 2],
      ["b", "ok", 2],
    ]);
  });

  test("and comes back within the minute loses next to nobody", async () => {
    let isUp = false;
    const { results } = await run(
      many,
      (_tag, attempt) => {
        isUp ||= attempt === 4;
        return isUp ? accepted : refused;
      },
      { concurrency: 100 },
    );
    expect(causes(results).filter(([, cause]) => cause === "ok")).toHaveLength(1000);
  });
});

describe("an origin that could not be reached earlier in a long run", () => {
  /** Each group of jobs comes at its second; the origin is up from another one on. */
  async function over(
    groups: readonly (readonly [second: number, list: readonly Job<string>[]])[],
    upFrom: number,
  ) {
    const time = new VirtualTime();
    const start = time.now();
    const seconds = () => (time.now() - start) / 1000;
    const log: [tag: string, seconds: number][] = [];
    const transport = transportOf(({ url }) => {
      log.push([url.split("/").at(-1) ?? "", seconds()]);
      return seconds() < upFrom ? refused : accepted;
    });
    async function* source(): AsyncGenerator<Job<string>> {
      for (const [second, list] of groups) {
        await time.pass((second - seconds()) * 1000);
        yield* list;
      }
    }
    const flow = { ...options({ concurrency: 1 }), clock: time };
    const given = { ...means(transport), setTimer: time.setTimer };
    const results = await time.until(collect(sendThrough(given, source(), flow)));
    return {
      outcomes: new Map(causes(results).map(([tag, cause, attempts]) => [tag, `${cause} ${attempts}`])),
      log,
    };
  }
  const group = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => lasting(86_400, `${name}${index}`));

  test("is found again when it is up", async () => {
    const { outcomes } = await over(
      [
        [0, group("early", 200)],
        [100, group("between", 3)],
        [300, group("late", 3)],
      ],
      200,
    );
    expect(outcomes.get("early199")).toBe("net.connect 0");
    // Given up at some time after 60 s, it is given up for another minute.
    expect(outcomes.get("between2")).toBe("net.connect 0");
    for (const tag of ["late0", "late1", "late2"]) expect(outcomes.get(tag)).toBe("ok 1");
  });

  test("and is still down costs one attempt, not a minute", async () => {
    const { outcomes, log } = await over(
      [
        [0, group("early", 200)],
        [300, group("late", 50)],
      ],
      1000,
    );
    expect(outcomes.get("late0")).toBe("net.connect 1");
    expect(outcomes.get("late49")).toBe("net.connect 0");
    expect(log.filter(([tag]) => tag.startsWith("late"))).toEqual([["late0", 300]]);
  });

  test("and was not tried since has its minute anew", async () => {
    const { outcomes } = await over(
      [
        [0, [lasting(0, "never")]],
        [300, group("late", 1)],
      ],
      300.001,
    );
    expect(outcomes.get("never")).toBe("net.connect 1");
    expect(outcomes.get("late0")).toBe("ok 2");
  });
});

describe("the retry budget", () => {
  test("is not for those that hold everything up: everybody gets through in the end", async () => {
    const many = Array.from({ length: 100 }, (_, index) => lasting(86_400, String(index)));
    const { results } = await run(many, (_tag, attempt) => (attempt === 1 ? answer(429) : accepted));
    expect(causes(results).filter(([, cause]) => cause === "ok")).toHaveLength(100);
  });

  test("keeps retries to a fifth of the messages and a few more", async () => {
    const many = Array.from({ length: 500 }, (_, index) => job(index));
    const { results, log } = await run(many, () => answer(500), { concurrency: 50 });
    expect(results).toHaveLength(500);
    expect(log.length - 500).toBeLessThanOrEqual(10 + 500 / 5);
    expect(log.length - 500).toBeGreaterThan(500 / 5 - 1);
    expect(new Set(causes(results).map(([, cause]) => cause))).toEqual(new Set(["http.5xx"]));
  });
});

describe("a token that is refused for its time", () => {
  const expired = answer(403, { date: "Mon, 02 Nov 2026 12:00:00 GMT" }, "token has expired");
  const refusing =
    (token: string) =>
    (_tag: string, _attempt: number, { headers }: PushRequest): Answer =>
      headers["authorization"] === token ? expired : accepted;
  const toFcm = (tag: string) => jobTo(`https://fcm.googleapis.com/wp/${tag}`, tag);

  /** Tokens that say how often they were renewed. */
  function countedTokens() {
    const headers = [{ authorization: "vapid 0" }];
    const renewals: (number | undefined)[] = [];
    const tokens: TokenCache = {
      authorizationFor: () => headers.at(-1) ?? {},
      renew: (_endpoint, _pair, _encoding, { authorization, clockSkewMs }) => {
        if (authorization !== headers.at(-1)) return true;
        if (headers.length > 1) return false;
        renewals.push(clockSkewMs);
        headers.push({ authorization: "vapid 1" });
        return true;
      },
    };
    return { tokens, renewals };
  }

  test("is signed anew once for all that carried it, by the service's clock", async () => {
    const { tokens, renewals } = countedTokens();
    const list = ["a", "b", "c"].map(toFcm);
    const { results, requests } = await run(list, refusing("vapid 0"), {
      tokens,
      latencyMs: 10,
      concurrency: 3,
      retries: 1,
    });
    expect(causes(results).map(([, cause, attempts]) => [cause, attempts])).toEqual(
      Array.from({ length: 3 }, () => ["ok", 2]),
    );
    expect(renewals).toHaveLength(1);
    expect(renewals[0]).toBeLessThan(0);
    expect(requests.slice(3).map(({ headers }) => headers["authorization"])).toEqual(
      Array.from({ length: 3 }, () => "vapid 1"),
    );
  });

  test("is signed anew also when the message that carried it is given up", async () => {
    const { tokens, renewals } = countedTokens();
    const [first, second] = ["a", "b"].map(toFcm) as [Job<string>, Job<string>];
    const nowOrNever = { ...first, message: { ...empty, ttlSeconds: 0 } };
    const { results } = await run([nowOrNever, second], refusing("vapid 0"), { tokens });
    expect(causes(results)).toEqual([
      ["a", "fcm.exp", 1],
      ["b", "ok", 1],
    ]);
    expect(renewals).toHaveLength(1);
  });

  test("is not signed a third time, and the refusal stands", async () => {
    const { tokens } = countedTokens();
    const { results } = await run(["a", "b"].map(toFcm), () => expired, { tokens });
    expect(causes(results)).toEqual([
      ["a", "fcm.exp", 2],
      ["b", "fcm.exp", 1],
    ]);
  });
});

test("what is sent when is told at the moment, and each answer", async () => {
  const told: string[] = [];
  const observer: FlowOptions<string>["observer"] = {
    sending: ({ tag }, { headers }, attempt) => told.push(`${tag} ${attempt} ttl ${headers["ttl"]}`),
    answered: ({ tag }, { cause }) => told.push(`${tag} ${cause}`),
  };
  await run([lasting(100)], (_tag, attempt) => (attempt === 1 ? minute : accepted), { observer });
  expect(told).toEqual(["a 1 ttl 100", "a http.429", "a 2 ttl 40", "a ok"]);
});

test("how each origin fares can be seen while it is sent to", async () => {
  const time = new VirtualTime();
  const states: unknown[] = [];
  const transport = {
    ...transportOf(() => (states.length === 0 ? minute : accepted)),
    protocolOf: () => "h2" as const,
  };
  const flow = { ...options({ concurrency: 1 }), clock: time };
  const list = [lasting(600, "a"), lasting(600, "b")];
  const sender = createSender<string>({ ...means(transport), setTimer: time.setTimer }, flow);
  const results = collect(sender.send(jobs(...list)));
  const start = time.now();
  await time.until(
    (async () => {
      await time.pass(10_000);
      states.push(...sender.state().origins);
    })(),
  );
  expect(states).toEqual([
    {
      origin: "https://push.example.net",
      inFlight: 0,
      waiting: 2,
      limit: 1,
      pausedUntil: start + 60_000,
      protocol: "h2",
    },
  ]);
  expect(await time.until(results)).toHaveLength(2);
  expect(sender.state()).toEqual({ origins: [] });
});
