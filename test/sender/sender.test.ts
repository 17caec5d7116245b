import { expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import type { SealedMessage } from "../../src/protocol/encryption.ts";
import { noContent } from "../../src/protocol/push-request.ts";
import type { Encryptor } from "../../src/sender/encryptor.ts";
import type { Job } from "../../src/sender/job.ts";
import { send, sendThrough } from "../../src/sender/sender.ts";
import { ScriptedPushService } from "../support/scripted-push-service.ts";
import { seededRandom } from "../support/test-context.ts";
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

test("every job yields one delivery", async () => {
  const transport = transportOf(({ url }) =>
    url.endsWith("2") ? { status: 410, headers: {}, body: "" } : accepted,
  );
  const results = await collect(sendThrough(means(transport), jobs(job(1), job(2), job(3)), options()));
  expect(causes(results)).toEqual([
    ["1", "ok", 1],
    ["2", "http.410", 1],
    ["3", "ok", 1],
  ]);
});

test("no jobs, no results", async () => {
  expect(await collect(sendThrough(means(transportOf(() => accepted)), jobs(), options()))).toEqual([]);
});

test("the time each exchange took is told", async () => {
  let now = 1000;
  const transport = transportOf(() => {
    now += 25;
    return accepted;
  });
  const results = await collect(
    sendThrough(means(transport), jobs(job(1)), options({ clock: { now: () => now } })),
  );
  expect(results[0]?.durationMs).toBe(25);
});

test("results come as they are ready, not in the order of the jobs", async () => {
  const { transport, waiting } = heldTransport();
  const results = sendThrough(means(transport), jobs(job("slow"), job("fast")), options());
  const first = results.next();
  await settle();
  waiting[1]?.();
  expect((await first).value).toMatchObject({ job: { tag: "fast" } });
  waiting[0]?.();
  expect((await results.next()).value).toMatchObject({ job: { tag: "slow" } });
  expect((await results.next()).done).toBe(true);
});

test("never more in flight than asked for, and as many whenever there are enough", async () => {
  let inFlight = 0;
  let most = 0;
  const transport = transportOf(async () => {
    most = Math.max(most, (inFlight += 1));
    await settle();
    inFlight -= 1;
    return accepted;
  });
  const hundred = Array.from({ length: 100 }, (_, index) => job(index));
  const results = await collect(sendThrough(means(transport), jobs(...hundred), options({ concurrency: 7 })));
  expect(results).toHaveLength(100);
  expect(most).toBe(7);
});

test("a source without end is pulled no further than what waits and what is in flight", async () => {
  let pulled = 0;
  async function* endless(): AsyncGenerator<Job<string>> {
    for (;;) yield await Promise.resolve(job((pulled += 1)));
  }
  // In flight, finished and not yet taken: five each; and two that wait.
  const flow = options({ concurrency: 5, maxWaiting: 2 });
  const results = sendThrough(means(transportOf(() => accepted)), endless(), flow);
  for (let taken = 1; taken <= 1000; taken += 1) {
    await results.next();
    expect(pulled).toBeLessThanOrEqual(taken + 12);
  }
  await settle();
  expect(pulled).toBeLessThanOrEqual(1012);
  await results.return();
  await settle();
  expect(pulled).toBeLessThanOrEqual(1012);
});

test("a message is encrypted only when its turn has come", async () => {
  const { transport, waiting } = heldTransport();
  const sealed: string[] = [];
  const seal = (payload: Uint8Array): SealedMessage => {
    sealed.push(Buffer.from(payload).toString());
    return noContent;
  };
  const late = ["a", "b", "c"].map((tag) =>
    jobTo(`https://push.example.net/${tag}`, tag, { ...empty, payload: Buffer.from(tag) }),
  );
  const results = sendThrough(means(transport, seal), jobs(...late), options({ concurrency: 2 }));
  const first = results.next();
  await settle();
  expect(sealed).toEqual(["a", "b"]);
  waiting[0]?.();
  await first;
  await settle();
  expect(sealed).toEqual(["a", "b", "c"]);
  for (const answer of waiting) answer();
  expect(await collect(results)).toHaveLength(2);
});

test("a reader that stops stops the sending, however many wait", async () => {
  const { transport, waiting } = heldTransport();
  const many = Array.from({ length: 200 }, (_, index) => job(index));
  const results = sendThrough(means(transport), jobs(...many), options({ concurrency: 5 }));
  const first = results.next();
  for (let turn = 0; turn < 10; turn += 1) await settle(); // all have been taken and wait
  let sent = 0;
  for (let turn = 0; turn < 50; turn += 1) {
    const answers = waiting.splice(0);
    sent += answers.length;
    for (const answer of answers) answer();
    await settle();
  }
  await first;
  expect(sent).toBeLessThanOrEqual(1 + 5 + 5);
  await results.return();
});

test("results are given out while the source still waits for its next job", async () => {
  async function* waiting(): AsyncGenerator<Job<string>> {
    yield job(1);
    await new Promise(() => undefined);
  }
  const results = sendThrough(means(transportOf(() => accepted)), waiting(), options());
  expect((await results.next()).value).toMatchObject({ job: { tag: "1" } });
});

test("a stop finishes what is in flight and starts nothing more", async () => {
  const { transport, waiting } = heldTransport();
  const stop = new AbortController();
  const results = sendThrough(
    means(transport),
    jobs(job(1), job(2), job(3), job(4)),
    options({ concurrency: 2, signal: stop.signal }),
  );
  const all = collect(results);
  await settle();
  stop.abort();
  for (const answer of waiting) answer();
  expect(causes(await all)).toEqual([
    ["3", "unsent", 0],
    ["4", "unsent", 0],
    ["1", "ok", 1],
    ["2", "ok", 1],
  ]);
  expect(waiting).toHaveLength(2);
});

test("a stop does not wait for a source that is silent", async () => {
  const stop = new AbortController();
  async function* silent(): AsyncGenerator<Job<string>> {
    yield job(1);
    await new Promise(() => undefined);
  }
  const all = collect(
    sendThrough(means(transportOf(() => accepted)), silent(), options({ signal: stop.signal })),
  );
  await settle();
  stop.abort();
  expect(causes(await all)).toEqual([["1", "ok", 1]]);
});

test("a second signal gives up what is in flight, and says so for each", async () => {
  const { transport } = heldTransport();
  const stop = new AbortController();
  const force = new AbortController();
  const all = collect(
    sendThrough(means(transport), jobs(job(1), job(2), job(3)), {
      ...options({ concurrency: 2, signal: stop.signal }),
      forceSignal: force.signal,
    }),
  );
  await settle();
  stop.abort();
  await settle();
  force.abort();
  expect(causes(await all)).toEqual([
    ["3", "unsent", 0],
    ["1", "net.ambiguous", 1],
    ["2", "net.ambiguous", 1],
  ]);
});

test("with a signal that was given before, nothing is sent", async () => {
  const transport = transportOf(() => accepted);
  expect(
    await collect(sendThrough(means(transport), jobs(job(1)), options({ signal: AbortSignal.abort() }))),
  ).toEqual([]);
});

test("a reader that leaves early stops everything and closes the source", async () => {
  let closed = false;
  let stopped = 0;
  async function* source(): AsyncGenerator<Job<string>> {
    try {
      for (let tag = 1; ; tag += 1) yield await Promise.resolve(job(tag));
    } finally {
      closed = true;
    }
  }
  const transport = transportOf(({ url }, signal) => {
    if (url.endsWith("/1")) return accepted;
    return new Promise<Answer>((resolve) => {
      signal.addEventListener("abort", () => {
        stopped += 1;
        resolve({ kind: "ambiguous", message: "stopped" });
      });
    });
  });
  for await (const result of sendThrough(means(transport), source(), options({ concurrency: 3 }))) {
    expect(result.job.tag).toBe("1");
    await settle();
    break;
  }
  await settle();
  expect(closed).toBe(true);
  expect(stopped).toBe(3);
});

test("an origin that has banned the sender gets nothing more in this run", async () => {
  const asked: string[] = [];
  const transport = transportOf(({ url }) => {
    asked.push(url);
    return url.includes("notify.windows.com")
      ? { status: 410, headers: { "x-wns-error-description": "Domain Blocked", "ms-cv": "abc" }, body: "" }
      : accepted;
  });
  const banned = "https://wns2-am3p.notify.windows.com/w/?token=";
  const list = [jobTo(`${banned}1`, "1"), jobTo(`${banned}2`, "2"), job("other"), jobTo(`${banned}3`, "3")];
  const results = await collect(sendThrough(means(transport), jobs(...list), options({ concurrency: 1 })));
  expect(causes(results)).toEqual([
    ["1", "wns.domain-blocked", 1],
    ["2", "wns.domain-blocked", 0],
    ["other", "ok", 1],
    ["3", "wns.domain-blocked", 0],
  ]);
  expect(results[1]).toMatchObject({
    delivery: { outcome: "rejected", cause: "wns.domain-blocked", reason: "Domain Blocked" },
  });
  expect(asked).toEqual([`${banned}1`, "https://push.example.net/other"]);
});

test("where nothing listens any more, nothing is sent", async () => {
  const transport = transportOf(() => Promise.reject(new Error("was asked")));
  const list = [
    jobTo("https://permanently-removed.invalid/x", "a"),
    jobTo("https://android.googleapis.com/x", "b"),
  ];
  const results = await collect(sendThrough(means(transport), jobs(...list), options({ concurrency: 1 })));
  expect(causes(results)).toEqual([
    ["a", "endpoint.removed-host", 0],
    ["b", "endpoint.gcm", 0],
  ]);
});

const withPayload = (tag: string) =>
  jobTo(`https://push.example.net/${tag}`, tag, { ...empty, payload: Buffer.from(tag) });

function failing(error: Error): Encryptor["seal"] {
  return () => {
    throw error;
  };
}

test("a job whose request cannot be made says why, and the others go on", async () => {
  const seal = failing(new UserError("payload-too-large", "the payload has 5000 bytes"));
  const results = await collect(
    sendThrough(
      means(
        transportOf(() => accepted),
        seal,
      ),
      jobs(job(1), withPayload("bad"), job(2)),
      options({ concurrency: 1 }),
    ),
  );
  expect(causes(results)).toEqual([
    ["1", "ok", 1],
    ["bad", "payload-too-large", 0],
    ["2", "ok", 1],
  ]);
});

test("a source that fails ends the run after what is in flight", async () => {
  const { transport, waiting } = heldTransport();
  async function* broken(): AsyncGenerator<Job<string>> {
    yield job(1);
    yield await Promise.resolve(job(2));
    throw new UserError("ndjson", "line 3 is not JSON");
  }
  const tags: string[] = [];
  const run = (async () => {
    for await (const result of sendThrough(means(transport), broken(), options())) tags.push(result.job.tag);
  })();
  await settle();
  for (const answer of waiting) answer();
  await expect(run).rejects.toThrow("line 3 is not JSON");
  expect(tags).toEqual(["1", "2"]);
});

test("a bug in building a request is thrown, after what is in flight", async () => {
  const tags: string[] = [];
  const run = (async () => {
    const results = sendThrough(
      means(
        transportOf(() => accepted),
        failing(new TypeError("undefined is not a function")),
      ),
      jobs(job(1), withPayload("bug"), job(2)),
      options(),
    );
    for await (const result of results) tags.push(result.job.tag);
  })();
  await expect(run).rejects.toThrow(TypeError);
  expect(tags).toContain("1");
});

test("many in flight cause no warning about listeners", async () => {
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", note);
  const { transport, waiting } = heldTransport();
  // One origin would begin with fewer.
  const spread = Array.from({ length: 100 }, (_, index) => jobTo(`https://push${index}.example.net/`));
  const all = collect(sendThrough(means(transport), jobs(...spread), options({ concurrency: 100 })));
  while (waiting.length < 100) await settle();
  for (const answer of waiting) answer();
  await all;
  process.off("warning", note);
  expect(warnings).toEqual([]);
});

const network = {
  subject: undefined,
  random: seededRandom("sender"),
  timeoutMs: 5000,
  proxy: { url: undefined, environment: {} },
  ca: undefined,
  allow: { private: false, hosts: [] },
};

test("over the network: accepted, gone and unreachable side by side", async () => {
  const stopped = await ScriptedPushService.start();
  const unreachable = stopped.endpoint("/3");
  await stopped[Symbol.asyncDispose]();
  await using service = await ScriptedPushService.start({ status: 201 }, { status: 410 });
  const list = [service.endpoint("/1"), service.endpoint("/2"), unreachable].map((url) => jobTo(url));
  const results = send(jobs(...list), {
    ...options({ concurrency: 1, retries: 0 }),
    ...network,
  });
  expect(causes(await collect(results))).toEqual([
    [list[0]?.tag, "ok", 1],
    [list[2]?.tag, "net.connect", 1], // origins take turns
    [list[1]?.tag, "http.410", 1],
  ]);
});

test("over the network: a stranger's endpoint that leads inside is blocked and never sent", async () => {
  await using service = await ScriptedPushService.startTls();
  const endpoint = `https://127.0.0.1.nip.example:${service.port}/p`;
  const results = await collect(
    send(jobs(jobTo(endpoint, "x")), {
      ...options(),
      ...network,
    }),
  );
  expect(causes(results)).toEqual([["x", "endpoint.blocked", 0]]);
  expect(service.connections).toBe(0);
});
