import { expect, test } from "vitest";
import { classifyEndpoint, classifyFailure, classifyResponse } from "../../src/protocol/delivery.ts";
import { diagnoses, diagnosisOf, type Diagnosis } from "../../src/protocol/diagnoses.ts";
import { parseEndpoint, type Endpoint } from "../../src/protocol/subscription.ts";

const sampleEndpoints: Readonly<Record<Diagnosis["service"], string>> = {
  fcm: "https://fcm.googleapis.com/wp/abc",
  mozilla: "https://updates.push.services.mozilla.com/wpush/v2/abc",
  apple: "https://web.push.apple.com/QGk",
  wns: "https://wns2-am3p.notify.windows.com/w/?token=abc",
  ntfy: "https://ntfy.sh/upabc?up=1",
  gcm: "https://android.googleapis.com/gcm/send/abc",
  removed: "https://permanently-removed.invalid/abc",
  other: "https://push.example.net/abc",
  any: "https://push.example.net/abc",
};

const endpointFor = (row: Diagnosis): Endpoint => parseEndpoint(sampleEndpoints[row.service]);

const answered = diagnoses.flatMap((row) =>
  row.example === undefined ? [] : [{ id: row.id, row, example: row.example }],
);

test.each(answered)("the example of $id is diagnosed as $id", ({ id, row, example }) => {
  const { status, headers = {}, body = "" } = example;
  const delivery = classifyResponse(endpointFor(row), { status, headers, body }, 0);
  expect(delivery).toMatchObject({ cause: id, outcome: row.outcome, status });
});

test("every row is reached by its example, its failure or its endpoint", () => {
  for (const row of diagnoses) {
    if (row.when.failure !== undefined) {
      const failure = { kind: row.when.failure, message: "why" };
      expect(classifyFailure(endpointFor(row), failure)).toEqual({
        outcome: row.outcome,
        cause: row.id,
        reason: "why",
      });
    } else if (row.when.status === undefined) {
      expect(classifyEndpoint(endpointFor(row))).toMatchObject({ outcome: row.outcome, cause: row.id });
    } else {
      expect(row.example, row.id).toBeDefined();
    }
  }
});

test("ids are unique and lead back to their rows", () => {
  const ids = diagnoses.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const row of diagnoses) expect(diagnosisOf(row.id)).toBe(row);
});

test("the ids are a contract", () => {
  expect(diagnoses.map(({ id }) => id).join(" ")).toBe(
    "endpoint.removed-host endpoint.gcm endpoint.blocked net.dns net.connect net.tls net.ambiguous " +
      "h2.refused h2.calm http.redirect ok.dropped ok.throttled ok " +
      "apple.jwt apple.auth-header apple.public-key apple.key-mismatch apple.topic apple.ttl apple.urgency " +
      "apple.request apple.path apple.gone apple.rate " +
      "fcm.too-large fcm.ttl fcm.unauthorized-registration fcm.no-auth fcm.key-mismatch fcm.aud fcm.exp fcm.jwt " +
      "fcm.public-key fcm.bad-endpoint fcm.stale fcm.gone fcm.rate " +
      "moz.key-mismatch moz.exp moz.aud moz.auth moz.token moz.gone moz.too-large moz.ttl moz.topic moz.crypto " +
      "moz.router moz.storage moz.bridge " +
      "wns.ttl wns.key-mismatch wns.jwt wns.forbidden wns.throttled wns.domain-blocked wns.gone wns.too-large " +
      "ntfy.no-subscriber " +
      "http.400 http.401 http.403 http.404 http.410 http.413 http.429 http.4xx http.5xx",
  );
});

test("meaning and advice are one line each, lower case at the start, without a full stop", () => {
  for (const { id, meaning, advice } of diagnoses) {
    for (const line of [meaning, advice]) {
      expect(line, id).toMatch(/^[^\n]{4,110}[^.\n]$/);
      expect(line, id).toMatch(/^(?:[a-z`0-9]|[A-Z]{2,}|Microsoft\b)/);
    }
  }
});

test("a subscription is deleted for being gone, marked for another key, and for nothing else", () => {
  for (const { id, outcome, subscription } of diagnoses) {
    expect(subscription === "delete", id).toBe(outcome === "gone");
    expect(subscription === "wrong-key", id).toBe(outcome === "wrong-key");
  }
});

test("what is final is not retried, what is temporary is", () => {
  for (const { id, outcome, retry } of diagnoses) {
    if (outcome === "throttled" || outcome === "unavailable") expect(retry, id).not.toBe("no");
    if (outcome === "accepted" || outcome === "gone" || outcome === "wrong-key") expect(retry, id).toBe("no");
  }
});

test("only a ban of the sender halts an origin", () => {
  expect(diagnoses.filter(({ haltOrigin }) => haltOrigin === true).map(({ id }) => id)).toEqual([
    "wns.domain-blocked",
  ]);
});
