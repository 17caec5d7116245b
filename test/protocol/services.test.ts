import { expect, test } from "vitest";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { factsOf, pushServices, serviceLabel, serviceOf } from "../../src/protocol/services.ts";

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

test.each([
  ["http://127.0.0.1:8030/fcm/send/abc", "fcm", "FCM (emulator)"],
  ["http://localhost:8030/wp/abc", "fcm", "FCM (emulator)"],
  ["https://127.0.0.1:8030/preprod/wp/abc", "fcm", "FCM (emulator)"],
  ["http://[::1]:8030/wpush/v2/abc", "mozilla", "Mozilla autopush (emulator)"],
  ["http://127.0.0.1:8030/apple/abc", "apple", "Apple (emulator)"],
  ["http://127.0.0.1:8030/wns/?token=abc", "wns", "Microsoft WNS (emulator)"],
  ["http://127.0.0.1:8030/push/abc", "other", "127.0.0.1:8030"],
  ["http://127.0.0.1:8030/apples/abc", "other", "127.0.0.1:8030"],
  ["http://127.0.0.1:8030/up/wpush/abc", "other", "127.0.0.1:8030"],
])("on this machine the path says whose rules hold: %s is %s", (url, id, label) => {
  expect(serviceAt(url)).toBe(id);
  expect(serviceLabel(parseEndpoint(url))).toBe(label);
});

test("on any other host no path makes a service known", () => {
  for (const { hosts } of pushServices) {
    for (const path of hosts.loopbackPaths ?? []) {
      expect(serviceAt(`https://push.example.net${path}abc`)).toBe("other");
      expect(serviceAt(`https://127.0.0.1.example.net${path}abc`)).toBe("other");
      expect(serviceAt(`https://10.0.0.1${path}abc`)).toBe("other");
      expect(serviceAt(`https://web.push.apple.com${path}abc`)).toBe("apple");
    }
  }
});

test("a label is the vendor's name, or the host of one nobody knows", () => {
  expect(serviceLabel(parseEndpoint("https://web.push.apple.com/QGk"))).toBe("Apple");
  expect(serviceLabel(parseEndpoint("https://push.example.net/abc"))).toBe("push.example.net");
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
