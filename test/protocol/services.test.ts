import { expect, test } from "vitest";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { factsOf, pushServices, serviceOf } from "../../src/protocol/services.ts";

const serviceAt = (url: string) => serviceOf(parseEndpoint(url)).id;

test.each([
  ["https://fcm.googleapis.com/fcm/send/abc:APA91b", "fcm"],
  ["https://fcm.googleapis.com/wp/abc", "fcm"],
  ["https://FCM.googleapis.com/wp/abc", "fcm"],
  ["https://fcm.googleapis.com./wp/abc", "fcm"],
  ["https://jmt17.google.com/fcm/send/abc", "fcm"],
  ["https://android.googleapis.com/gcm/send/abc", "gcm"],
  ["https://updates.push.services.mozilla.com/wpush/v2/abc", "mozilla"],
  ["https://updates-autopush.stage.mozaws.net/wpush/v2/abc", "mozilla"],
  ["https://web.push.apple.com/QGk", "apple"],
  ["https://sandbox.push.apple.com/QGk", "apple"],
  ["https://wns2-am3p.notify.windows.com/w/?token=BQYAAA%2b%3d", "wns"],
  ["https://permanently-removed.invalid/fcm/send/abc", "removed"],
  ["https://anything.invalid/abc", "removed"],
  ["https://ntfy.sh/upabc?up=1", "ntfy"],
  ["https://push.my-own.example/upabc?up=1", "ntfy"],
  ["https://push.my-own.example/abc", "other"],
  ["http://localhost:8080/push/abc", "other"],
])("%s is served by %s", (url, id) => {
  expect(serviceAt(url)).toBe(id);
});

test.each([
  "https://fcm.googleapis.com.evil.test/wp/abc",
  "https://evilfcm.googleapis.com/wp/abc",
  "https://notpush.apple.com/abc",
  "https://evil.test/https://web.push.apple.com/abc",
  "https://evil.test/?host=fcm.googleapis.com",
  "https://mynotify.windows.com/w/?token=a",
  "https://invalid.example/abc",
])("%s only looks like a known service", (url) => {
  expect(serviceAt(url)).toBe("other");
});

test("a known host keeps its service whatever the query says", () => {
  expect(serviceAt("https://fcm.googleapis.com/wp/abc?up=1")).toBe("fcm");
});

test("every service has its own id, a source and the month it was checked", () => {
  const ids = pushServices.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const facts of pushServices) {
    expect(factsOf(facts.id)).toBe(facts);
    expect(facts.source).not.toBe("");
    expect(facts.checked).toMatch(/^20\d\d-[01]\d$/);
  }
});

test("no living service takes less than RFC 8030 §7.2 promises", () => {
  for (const { limits } of pushServices) expect(limits.bodyBytes).toBeGreaterThanOrEqual(4096);
});

test("only WNS needs a header for a TTL of 0", () => {
  const needy = pushServices.filter(({ limits }) => Object.keys(limits.ttlZeroHeaders).length > 0);
  expect(needy.map(({ id }) => id)).toEqual(["wns"]);
  expect(factsOf("wns").limits.ttlZeroHeaders).toEqual({ "x-wns-cache-policy": "no-cache" });
});
