/** Whatever is sent to the JSON API with the right token, it answers in JSON, and goes on. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, openTestEmulator, type TestEmulator } from "../wire.ts";

let emulator: TestEmulator;
beforeAll(async () => {
  emulator = await openTestEmulator();
});
afterAll(() => emulator.close());

const names = fc.constantFrom(
  "applicationServerKey",
  "as",
  "endpoint",
  "online",
  "keys",
  "advanceMs",
  "now",
  "status",
  "latency",
  "every",
  "__proto__",
);
const body = fc.oneof(
  fc.string(),
  fc.json(),
  fc.dictionary(names, fc.jsonValue(), { maxKeys: 3 }).map((value) => JSON.stringify(value)),
);
const path = fc.constantFrom(
  "subscriptions",
  "subscriptions/AAAA",
  "faults",
  "clock",
  "reset",
  "messages",
  "wait",
  "events",
);
const query = fc.oneof(
  fc.constant(""),
  fc.webQueryParameters().map((text) => `?${text}`),
  fc.constantFrom("?count=-1", "?since=x", "?outcome=", "?subscription=%00", "?timeoutMs=1e9"),
);
const method = fc.constantFrom("GET", "POST", "PATCH", "DELETE");

test("no request brings it down or is answered 500", async () => {
  await fc.assert(
    fc.asyncProperty(method, path, query, body, async (verb, where, search, text) => {
      const isLong =
        verb === "GET" &&
        (where === "wait" || where === "events") &&
        !/[?&](?:count=-|since=x|timeoutMs=1e)/.test(search);
      if (isLong) return;
      const headers = { authorization: `Bearer ${emulator.apiToken}`, "content-type": "application/json" };
      const answer = await call(verb, `${emulator.origin}/api/${where}${search}`, { headers, body: text });
      expect(answer.status).toBeLessThan(500);
      if (answer.body.length > 0) JSON.parse(answer.body.toString());
    }),
    { numRuns: 300 },
  );
});
