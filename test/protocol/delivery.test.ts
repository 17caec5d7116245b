import fc from "fast-check";
import { expect, test } from "vitest";
import {
  classifyEndpoint,
  classifyFailure,
  classifyResponse,
  withheldDelivery,
  type PushResponse,
} from "../../src/protocol/delivery.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";

const fcm = parseEndpoint("https://fcm.googleapis.com/wp/abc");
const mozilla = parseEndpoint("https://updates.push.services.mozilla.com/wpush/v2/abc");
const apple = parseEndpoint("https://web.push.apple.com/QGk");
const wns = parseEndpoint("https://wns2-am3p.notify.windows.com/w/?token=abc");
const unknown = parseEndpoint("https://push.example.net/abc");
const noon = Date.parse("2026-11-24T12:00:00Z");

function response(status: number, headers: Record<string, string> = {}, body = ""): PushResponse {
  return { status, headers, body };
}

test("an accepted message has its resource, the TTL kept and a request id", () => {
  const headers = { location: "https://updates.push.services.mozilla.com/m/gAAA", ttl: "2592000" };
  expect(classifyResponse(mozilla, response(201, headers), noon)).toEqual({
    outcome: "accepted",
    cause: "ok",
    status: 201,
    requestId: "https://updates.push.services.mozilla.com/m/gAAA",
    location: "https://updates.push.services.mozilla.com/m/gAAA",
    ttlSeconds: 2592000,
  });
});

test.each([200, 201, 202, 204])("%i is acceptance", (status) => {
  expect(classifyResponse(unknown, response(status), noon)).toEqual({
    outcome: "accepted",
    cause: "ok",
    status,
  });
});

test("the body of an acceptance is not a reason: ntfy echoes the message there", () => {
  const delivery = classifyResponse(unknown, response(200, {}, '{"id":"x","message":"<binary>"}'), noon);
  expect(delivery.reason).toBeUndefined();
});

test("what a service repeats of the endpoint or the token is left out of its words", () => {
  const secret = "cXVpdGUgYSBsb25nIHRva2Vu";
  const endpoint = parseEndpoint(`https://push.example.net/wp/${secret}?v=2`);
  const jwt = "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2ln";
  const body = `<p>The requested URL <code>/wp/${secret}</code> was not found.</p> POST /wp/${secret}?v=2 vapid t=${jwt}, ${endpoint} ${secret}`;
  expect(classifyResponse(endpoint, response(404, {}, body), noon).reason).toBe(
    "The requested URL [secret] was not found. POST [secret] vapid t=[secret], [secret] [secret]",
  );
});

test("Apple's reason and apns-id are kept", () => {
  const answer = response(403, { "apns-id": "8A3F" }, '{"reason":"BadJwtToken"}');
  expect(classifyResponse(apple, answer, noon)).toEqual({
    outcome: "rejected",
    cause: "apple.jwt",
    status: 403,
    reason: "BadJwtToken",
    requestId: "8A3F",
  });
});

test("Apple's timestamp says since when a subscription is gone", () => {
  const answer = response(410, {}, '{"reason":"Unregistered","timestamp":1767225600000}');
  expect(classifyResponse(apple, answer, noon)).toMatchObject({
    outcome: "gone",
    goneSince: 1767225600000,
    reason: "Unregistered",
  });
});

test.each(["-1", '"1767225600000"', "1e400", "1.5", "null", "{}"])(
  "a timestamp of %s is ignored",
  (timestamp) => {
    const delivery = classifyResponse(apple, response(410, {}, `{"timestamp":${timestamp}}`), noon);
    expect(delivery).not.toHaveProperty("goneSince");
  },
);

test("Mozilla's message is the reason, whatever surrounds it", () => {
  const body =
    '{"code":401,"errno":109,"error":"Unauthorized","message":"Invalid VAPID audience","more_info":"x"}';
  expect(classifyResponse(mozilla, response(401, {}, body), noon)).toMatchObject({
    cause: "moz.aud",
    reason: "Invalid VAPID audience",
  });
});

test("FCM's HTML becomes its text", () => {
  const body =
    "<!DOCTYPE html>\n<html><head><style>*{margin:0}</style><title>Error 400</title></head>" +
    "<body><p>Unauthorized&#39;s &lt;b&gt;</body></html>";
  expect(classifyResponse(fcm, response(400, {}, body), noon).reason).toBe("Error 400 Unauthorized's <b>");
});

test("WNS speaks in headers", () => {
  const headers = { "x-wns-error-description": "Domain Blocked", "ms-cv": "x4h2", "x-wns-msg-id": "17" };
  expect(classifyResponse(wns, response(410, headers), noon)).toEqual({
    outcome: "rejected",
    cause: "wns.domain-blocked",
    status: 410,
    reason: "Domain Blocked",
    requestId: "x4h2",
  });
});

test("the case of the words does not matter", () => {
  const body = "The VAPID credentials in the Authorization header DO NOT CORRESPOND to …";
  expect(classifyResponse(fcm, response(403, {}, body), noon).cause).toBe("fcm.key-mismatch");
});

test("an unknown reason falls to the row of its status", () => {
  expect(classifyResponse(apple, response(403, {}, '{"reason":"SomethingNew"}'), noon)).toMatchObject({
    cause: "http.403",
    reason: "SomethingNew",
  });
  expect(classifyResponse(mozilla, response(401, {}, "no errno here"), noon).cause).toBe("http.401");
});

test("an unknown host may speak as a vendor's software does, in the vendor's words only", () => {
  const autopush = response(
    410,
    {},
    '{"code":410,"errno":106,"error":"Gone","message":"No such subscription"}',
  );
  expect(classifyResponse(unknown, autopush, noon).cause).toBe("moz.gone");
  expect(classifyResponse(unknown, response(403, {}, '{"reason":"BadJwtToken"}'), noon).cause).toBe(
    "apple.jwt",
  );
  expect(classifyResponse(unknown, response(406), noon).cause).toBe("http.4xx");
  expect(classifyResponse(unknown, response(410), noon).cause).toBe("http.410");
});

test("a vendor's words do not count at another vendor's host", () => {
  expect(classifyResponse(fcm, response(400, {}, '{"reason":"VapidPkHashMismatch"}'), noon).cause).toBe(
    "http.400",
  );
});

test.each([
  ["120", 120_000],
  ["0", 1000],
  ["86400", 3_600_000],
  ["99999999999999999999999", 3_600_000],
  ["Tue, 24 Nov 2026 12:00:30 GMT", 30_000],
  ["Tuesday, 24-Nov-26 12:00:30 GMT", 30_000],
  ["Tue Nov 24 12:00:30 2026", 30_000],
  ["Tue, 24 Nov 2026 11:00:00 GMT", 1000],
  ["soon", undefined],
  ["-5", undefined],
  ["1.5", undefined],
  ["", undefined],
])("Retry-After %j asks for %s ms", (text, retryAfterMs) => {
  const delivery = classifyResponse(unknown, response(429, { "retry-after": text }), noon);
  expect(delivery.retryAfterMs).toBe(retryAfterMs);
});

test("a Retry-After date is measured against the service's own clock", () => {
  const headers = { "retry-after": "Tue, 24 Nov 2026 12:01:00 GMT", date: "Tue, 24 Nov 2026 12:00:50 GMT" };
  const hourAhead = noon + 3_600_000;
  expect(classifyResponse(unknown, response(503, headers), hourAhead)).toMatchObject({
    retryAfterMs: 10_000,
  });
});

test("the Date header betrays a wrong local clock", () => {
  const headers = { date: "Tue, 24 Nov 2026 12:00:00 GMT" };
  expect(classifyResponse(unknown, response(403, headers), noon + 90_000).clockSkewMs).toBe(90_000);
  expect(classifyResponse(unknown, response(403, { date: "yesterday" }), noon).clockSkewMs).toBeUndefined();
});

test.each(["-1", "1e3", "soon", "", "0x10"])("a TTL header of %j is ignored", (ttl) => {
  expect(classifyResponse(unknown, response(201, { ttl }), noon)).not.toHaveProperty("ttlSeconds");
});

test("the reason is cut to 500 characters and otherwise left as it came", () => {
  const delivery = classifyResponse(unknown, response(400, {}, `\u001b[2J${"x".repeat(8000)}`), noon);
  expect(delivery.reason).toHaveLength(500);
  expect(delivery.reason).toMatch(/^\u001b\[2Jx/);
});

test("what is recognised may stand behind the 500th character", () => {
  const body = `${"x".repeat(600)} do not correspond`;
  expect(classifyResponse(fcm, response(403, {}, body), noon).cause).toBe("fcm.key-mismatch");
});

test.each([
  ["deep nesting", "[".repeat(8000)],
  ["deep objects", '{"a":'.repeat(1300)],
  ["cut JSON", '{"reason":"BadJwt'],
  ["a prototype", '{"__proto__":{"reason":"BadJwtToken"},"constructor":1}'],
  ["a reason that is no text", '{"reason":{"toString":1},"errno":"109"}'],
  ["an array", '["BadJwtToken"]'],
  ["null", "null"],
  ["only angle brackets", "<".repeat(8192)],
  ["open style tags", "<style ".repeat(1100)],
  ["control characters", "\u0000\u001b]0;owned\u0007"],
])("a body of %s is only words", (_, body) => {
  expect(classifyResponse(apple, response(403, {}, body), noon)).toMatchObject({ cause: "http.403" });
  expect(Object.prototype).not.toHaveProperty("reason");
});

test("every status, header and body gets a delivery", () => {
  const anyResponse = fc.record({
    status: fc.integer({ min: 0, max: 999 }),
    headers: fc.dictionary(
      fc.constantFrom("retry-after", "date", "ttl", "location", "x-wns-status"),
      fc.string(),
    ),
    body: fc.oneof(fc.string(), fc.json()),
  });
  fc.assert(
    fc.property(anyResponse, fc.constantFrom(fcm, mozilla, apple, wns, unknown), (answer, endpoint) => {
      const delivery = classifyResponse(endpoint, answer, noon);
      const wait = delivery.retryAfterMs ?? 1000;
      expect(wait >= 1000 && wait <= 3_600_000).toBe(true);
      expect(delivery.outcome === "accepted").toBe(
        answer.status >= 200 && answer.status <= 299 && delivery.cause !== "ok.throttled",
      );
    }),
  );
});

test("a status that HTTP does not end with leaves it open what happened", () => {
  expect(classifyResponse(unknown, response(999), noon)).toEqual({
    outcome: "ambiguous",
    cause: "net.ambiguous",
    reason: "status 999 is no answer",
  });
});

test("an endpoint without a service is settled before anything is sent", () => {
  expect(classifyEndpoint(parseEndpoint("https://permanently-removed.invalid/fcm/send/x"))).toMatchObject({
    outcome: "gone",
    cause: "endpoint.removed-host",
  });
  expect(classifyEndpoint(parseEndpoint("https://android.googleapis.com/gcm/send/x"))?.cause).toBe(
    "endpoint.gcm",
  );
  expect(classifyEndpoint(fcm)).toBeUndefined();
});

test("an endpoint without a service stays gone when its name does not resolve", () => {
  const removed = parseEndpoint("https://permanently-removed.invalid/x");
  expect(classifyFailure(removed, { kind: "dns", message: "not found" }).cause).toBe("endpoint.removed-host");
});

test("a delivery can be given for a message that was never sent", () => {
  expect(withheldDelivery("wns.domain-blocked", "Domain Blocked")).toEqual({
    outcome: "rejected",
    cause: "wns.domain-blocked",
    reason: "Domain Blocked",
  });
});
