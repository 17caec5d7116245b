/** PROTOCOL §7.1, row by row: what may be sent again, and when. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diagnoses } from "../../src/protocol/diagnoses.ts";
import { classifyFailure, classifyResponse, type Delivery } from "../../src/protocol/delivery.ts";
import type { FailureKind } from "../../src/protocol/diagnoses/row.ts";
import { parseEndpoint, type Endpoint } from "../../src/protocol/subscription.ts";
import {
  chanceOf,
  decideRetry,
  type EndedAttempt,
  type RetryDecision,
  type RetryPolicy,
} from "../../src/sender/retry.ts";

const policy: RetryPolicy = { retries: 4, retryAmbiguous: true, patienceMs: 300_000 };
const now = 1_000_000;
const other = parseEndpoint("https://push.example.net/x");
const apple = parseEndpoint("https://web.push.apple.com/x");
const fcm = parseEndpoint("https://fcm.googleapis.com/wp/x");
const mozilla = parseEndpoint("https://updates.push.services.mozilla.com/wpush/v2/x");
const wns = parseEndpoint("https://wns2-am3p.notify.windows.com/w/?token=x");

const failed = (kind: FailureKind): Delivery => classifyFailure(other, { kind, message: "" });

function answered(
  status: number,
  {
    headers = {},
    body = "",
    endpoint = other,
  }: Partial<{
    headers: Readonly<Record<string, string>>;
    body: string;
    endpoint: Endpoint;
  }> = {},
): Delivery {
  return classifyResponse(endpoint, { status, headers, body }, now);
}

function decisionOn(
  delivery: Delivery,
  over: Partial<EndedAttempt> = {},
  allowed: Partial<RetryPolicy> = {},
): RetryDecision {
  const ended = {
    delivery,
    attempts: 1,
    hadItsOnce: false,
    now,
    deadline: now + 3_600_001,
    chance: 0.5,
    ...over,
  };
  return decideRetry(ended, { ...policy, ...allowed });
}

function decide(...about: Parameters<typeof decisionOn>): string {
  const decision = decisionOn(...about);
  if (!decision.again) return "no";
  return `${decision.at - now} ms, ${decision.pauseUntil === undefined ? "job" : "origin"}`;
}

const minute = { headers: { "retry-after": "60" } };
const dated = {
  headers: { date: "Mon, 02 Nov 2026 12:00:00 GMT", "retry-after": "Mon, 02 Nov 2026 12:02:00 GMT" },
};

describe("what may be sent again", () => {
  test.each<[what: string, Delivery, decision: string]>([
    ["a name that does not resolve", failed("dns"), "500 ms, origin"],
    ["no connection", failed("connect"), "500 ms, origin"],
    // A certificate is as wrong the second time (PROTOCOL §4.7 is narrower here than §7.1).
    ["a certificate that cannot be trusted", failed("tls"), "no"],
    ["REFUSED_STREAM, or above the last id of GOAWAY", failed("refused-stream"), "0 ms, job"],
    ["ENHANCE_YOUR_CALM", failed("calm"), "500 ms, origin"],
    ["a reset or time-out after the request left", failed("ambiguous"), "500 ms, job"],
    ["429", answered(429), "500 ms, origin"],
    ["429 with seconds", answered(429, minute), "60000 ms, origin"],
    ["429 with a date, by the service's own clock", answered(429, dated), "120000 ms, origin"],
    ["503", answered(503), "500 ms, origin"],
    ["503 with seconds", answered(503, minute), "60000 ms, origin"],
    ["406 of WNS", answered(406, { endpoint: wns }), "500 ms, origin"],
    ["406 of WNS with seconds", answered(406, { ...minute, endpoint: wns }), "60000 ms, origin"],
    ["500", answered(500), "500 ms, job"],
    ["502", answered(502), "500 ms, job"],
    ["504", answered(504), "500 ms, job"],
    ["accepted", answered(201), "no"],
    [
      "an acceptance that WNS throttled",
      answered(200, { headers: { "x-wns-status": "channelthrottled" }, endpoint: wns }),
      "500 ms, origin",
    ],
    ["400", answered(400), "no"],
    ["401", answered(401), "no"],
    ["403", answered(403), "no"],
    ["404", answered(404), "no"],
    ["410", answered(410), "no"],
    ["413", answered(413), "no"],
    ["a redirect", answered(302), "no"],
    ["our own refusal of the address", failed("blocked"), "no"],
    [
      "too many to one device",
      answered(429, { ...minute, body: '{"reason":"TooManyRequests"}', endpoint: apple }),
      "60000 ms, job",
    ],
    [
      "too many to one device, without a time",
      answered(429, { body: '{"reason":"TooManyRequests"}', endpoint: apple }),
      "500 ms, job",
    ],
    ["a token out of its time", answered(403, { body: "token has expired", endpoint: fcm }), "0 ms, job"],
    [
      "the same of Mozilla",
      answered(401, { body: '{"errno":109,"message":"VAPID expired"}', endpoint: mozilla }),
      "0 ms, job",
    ],
    [
      "an urgency refused by a fault",
      answered(400, { body: '{"reason":"BadUrgency"}', endpoint: apple }),
      "500 ms, job",
    ],
    [
      "a registration unknown for a day",
      answered(403, { body: "invalid push subscription endpoint", endpoint: fcm }),
      "no",
    ],
  ])("%s", (_what, delivery, decision) => {
    expect(decide(delivery)).toBe(decision);
  });

  test("507 of ntfy, which is for hours and one topic", () => {
    const delivery = answered(507, { ...minute, endpoint: parseEndpoint("https://ntfy.sh/upX?up=1") });
    expect(delivery.cause).toBe("ntfy.no-subscriber");
    expect(decisionOn(delivery)).toEqual({
      again: false,
      isFinal: true,
      pauseUntil: undefined,
      freshToken: false,
    });
  });

  test("no row of the table is sent again when it says no, and none that says so is not", () => {
    for (const { id, outcome, retry, pace } of diagnoses) {
      const delivery = { outcome, cause: id, reason: "", status: 0 } as Delivery;
      const expected = retry !== "no" && pace !== "hours";
      expect([id, decide(delivery) !== "no"]).toEqual([id, expected]);
    }
  });
});

describe("a wait without a word from the service", () => {
  test("is a random part of a time that doubles, up to a minute", () => {
    const most = [1, 2, 3, 4, 5, 6, 7, 8, 30].map((attempts) =>
      decide(answered(500), { attempts, chance: 0.75 }, { retries: 100 }),
    );
    expect(most).toEqual(
      [750, 1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000, 45_000].map((ms) => `${ms} ms, job`),
    );
    expect(decide(answered(500), { chance: 0 })).toBe("0 ms, job");
  });

  test("is none for a stream that was refused, but only once", () => {
    expect(decide(failed("refused-stream"), { attempts: 2 })).toBe("1000 ms, job");
  });
});

test("chance is made of the bytes that were drawn, also where they are a part of more", () => {
  const pool = Buffer.from("00000000400000008000000000000000ffffffff", "hex");
  let at = 0;
  const random = { bytes: (length: number) => pool.subarray(at, (at += length)) };
  expect([1, 2, 3, 4].map(() => chanceOf(random))).toEqual([0, 0.25, 0.5, 0]);
  expect(chanceOf(random)).toBeLessThan(1);
});

describe("no more attempts", () => {
  test("than were allowed", () => {
    expect(decide(answered(500), { attempts: 4 })).toBe("4000 ms, job");
    expect(decide(answered(500), { attempts: 5 })).toBe("no");
    expect(decide(answered(500), {}, { retries: 0 })).toBe("no");
  });

  test("than one after a refusal that allows one", () => {
    const refused = answered(403, { body: "token has expired", endpoint: fcm });
    expect(decide(refused, { attempts: 2 })).toBe("0 ms, job");
    expect(decide(refused, { attempts: 2, hadItsOnce: true })).toBe("no");
  });

  test("of a message that may have arrived, when it is to be sent once at most", () => {
    const allowed = { retryAmbiguous: false };
    expect(decide(failed("ambiguous"), {}, allowed)).toBe("no");
    expect(decide(failed("refused-stream"), {}, allowed)).toBe("0 ms, job");
    expect(decide(failed("connect"), {}, allowed)).toBe("500 ms, origin");
    // A gateway may have passed the request on.
    for (const status of [500, 502, 504]) expect(decide(answered(status), {}, allowed)).toBe("no");
    expect(decide(answered(502, minute), {}, allowed)).toBe("no");
    for (const status of [429, 503]) expect(decide(answered(status), {}, allowed)).toBe("500 ms, origin");
  });

  test("once the message is out of date", () => {
    expect(decide(answered(429, minute), { deadline: now + 60_001 })).toBe("60000 ms, origin");
    expect(decide(answered(429, minute), { deadline: now + 60_000 })).toBe("no");
    expect(decide(failed("refused-stream"), { deadline: now })).toBe("no"); // a TTL of 0
  });
});

test("a pause holds for all even when the message it was said about is given up", () => {
  const last = { attempts: 5 };
  const givenUp = (pauseUntil: number | undefined) => ({
    again: false,
    isFinal: true,
    pauseUntil,
    freshToken: false,
  });
  expect(decisionOn(answered(429, minute), last)).toEqual(givenUp(now + 60_000));
  for (const delivery of [failed("connect"), failed("calm"), answered(429), answered(503)])
    expect(decisionOn(delivery, last)).toEqual(givenUp(now + 8000));
  const oneDevice = answered(429, { ...minute, body: '{"reason":"TooManyRequests"}', endpoint: apple });
  for (const delivery of [oneDevice, answered(500), failed("ambiguous")])
    expect(decisionOn(delivery, last)).toEqual(givenUp(undefined));
});

test("a token that was refused is known as such even when the message it came with is given up", () => {
  const expired = answered(403, { body: "token has expired", endpoint: fcm });
  expect(decisionOn(expired, { deadline: now })).toMatchObject({ again: false, freshToken: true });
});

test("what costs the budget is a retry that nobody asked for and nothing holds up", () => {
  const budgeted = [
    failed("ambiguous"),
    failed("refused-stream"),
    answered(500),
    answered(429),
    answered(503),
    failed("calm"),
    answered(429, minute),
    failed("connect"),
    answered(403, { body: "token has expired", endpoint: fcm }),
  ].map((delivery) => {
    const decision = decisionOn(delivery);
    return decision.again && decision.isBudgeted;
  });
  expect(budgeted).toEqual([true, true, true, false, false, false, false, false, false]);
});

test("whatever happened, no wait reaches the deadline and none goes back in time", () => {
  const causes = fc.constantFrom(...diagnoses);
  fc.assert(
    fc.property(
      causes,
      fc.record({
        attempts: fc.integer({ min: 1, max: 40 }),
        hadItsOnce: fc.boolean(),
        lifetimeMs: fc.nat(7_200_000),
        chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        retryAfterMs: fc.option(fc.integer({ min: 1000, max: 3_600_000 }), { nil: undefined }),
        retries: fc.nat(40),
      }),
      ({ id, outcome }, { lifetimeMs, retryAfterMs, retries, ...rest }) => {
        const delivery = { outcome, cause: id, reason: "", retryAfterMs } as Delivery;
        const deadline = now + lifetimeMs;
        const decision = decideRetry({ delivery, now, deadline, ...rest }, { ...policy, retries });
        if (!decision.again) return;
        expect(decision.at).toBeGreaterThanOrEqual(now);
        expect(decision.at).toBeLessThan(deadline);
        expect(rest.attempts).toBeLessThanOrEqual(retries);
      },
    ),
  );
});
