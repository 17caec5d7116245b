/** The flow over real connections; only its waits are cut short. */
import { expect, test } from "vitest";
import { createEncryptor } from "../../src/sender/encryptor.ts";
import type { SetTimer } from "../../src/sender/alarm.ts";
import { sendThrough } from "../../src/sender/sender.ts";
import { createTokenCache } from "../../src/sender/token-cache.ts";
import { openTransport } from "../../src/sender/transport.ts";
import { ScriptedPushService, type Reply } from "../support/scripted-push-service.ts";
import { seededRandom } from "../support/test-context.ts";
import { causes, collect, empty, jobs, jobTo, options } from "./flow-fixture.ts";

const random = seededRandom("network");
/** A timer that has gone off has come, whatever the clock says: so nothing is really waited for. */
const atOnce: SetTimer = (ring) => setTimeout(ring, 0);

async function sendTo(service: ScriptedPushService, count: number, ttlSeconds = 100) {
  using transport = openTransport({
    timeoutMs: 5000,
    proxy: { url: undefined, environment: {} },
    ca: undefined,
    allow: { private: false, hosts: [] },
  });
  using encryptor = createEncryptor(random);
  const clock = { now: () => Date.now() };
  const tokens = createTokenCache({ subject: undefined, clock });
  const message = { ...empty, payload: Buffer.from("hello"), ttlSeconds };
  const list = Array.from({ length: count }, (_, index) =>
    jobTo(service.endpoint(`/${index}`), String(index), message),
  );
  const means = { transport, encryptor, tokens, random, setTimer: atOnce };
  return await collect(sendThrough(means, jobs(...list), { ...options({ concurrency: 1 }), clock }));
}

const run = async (...replies: Reply[]) => {
  await using service = await ScriptedPushService.start(...replies);
  const results = await sendTo(service, 1);
  return { results: causes(results), requests: service.requests };
};

test("a request that is sent again is the same but for what is left of its TTL", async () => {
  const { results, requests } = await run({ status: 429, headers: { "retry-after": "60" } }, { status: 201 });
  expect(results).toEqual([["0", "ok", 2]]);
  const [first, second] = requests;
  expect([first?.headers["ttl"], second?.headers["ttl"]]).toEqual(["100", "40"]);
  expect(second?.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true);
  expect(second?.headers["authorization"]).toBe(first?.headers["authorization"]);
});

test("a token refused for its time is replaced by another", async () => {
  const { results, requests } = await run(
    { status: 401, body: '{"errno":109,"message":"VAPID expired"}' },
    { status: 201 },
  );
  expect(results).toEqual([["0", "ok", 2]]);
  expect(requests[1]?.headers["authorization"]).not.toBe(requests[0]?.headers["authorization"]);
});

test.each<[what: string, Reply, cause: string]>([
  ["a fault", { status: 500 }, "ok"],
  ["a gateway's", { status: 502 }, "ok"],
  ["a reset before the answer", { fault: "reset-before-headers" }, "ok"],
  ["an answer that is no HTTP", { raw: "no such protocol\r\n\r\n" }, "ok"],
])("%s is followed by another attempt", async (_what, reply, cause) => {
  expect((await run(reply, { status: 201 })).results).toEqual([["0", cause, 2]]);
});

test.each<[what: string, Reply, cause: string]>([
  ["a redirect", { status: 302, headers: { location: "https://example.net/" } }, "http.redirect"],
  ["a refusal", { status: 400 }, "http.400"],
  ["a subscription gone", { status: 410 }, "http.410"],
  ["an acceptance whose body breaks", { status: 201, fault: "reset-after-headers" }, "ok"],
])("%s is not", async (_what, reply, cause) => {
  expect((await run(reply)).results).toEqual([["0", cause, 1]]);
});

test("hundreds over few connections: one result each", async () => {
  const replies = Array.from({ length: 300 }, (_, index) => ({ status: index % 7 === 3 ? 410 : 201 }));
  await using service = await ScriptedPushService.start(...replies);
  const results = await sendTo(service, 300);
  expect(new Set(results.map(({ job }) => job.tag)).size).toBe(300);
  expect(causes(results).filter(([, cause]) => cause === "http.410")).toHaveLength(43);
});
