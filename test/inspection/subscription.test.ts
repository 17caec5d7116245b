/** Subscriptions and endpoints as each vendor makes them (the values are invented). */
import { describe, expect, test } from "vitest";
import { parseVapidPublicKey } from "../../src/protocol/vapid.ts";
import { sampleJson, samplePair } from "../support/samples.ts";
import { testNow } from "../support/test-context.ts";
import { lookOnce, troublesOf, valuesOf } from "./surroundings.ts";

const token = "dXkQp3vL8hE:APA91bF0Zk2mN7yR4tWq9sXcVbJhGfDa1LpOiUeYrTzQwMnBvCxZ";
const tail = "gAAAAABmQ2xkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODk";

describe("an endpoint", () => {
  test.each<[string, string, Readonly<Record<string, unknown>>]>([
    [
      "Chrome's",
      `https://fcm.googleapis.com/fcm/send/${token}`,
      { service: "FCM", payloadBytes: 3993, maxTtlSeconds: 2_419_200, subjectRequired: false },
    ],
    ["Chrome's newer form", `https://fcm.googleapis.com/wp/${token}`, { service: "FCM" }],
    [
      "Firefox's",
      `https://updates.push.services.mozilla.com/wpush/v2/${tail}`,
      { service: "Mozilla autopush", urgency: "ignored", maxTtlSeconds: 2_592_000 },
    ],
    [
      "Safari's",
      "https://web.push.apple.com/QGh2cLkd8aPzVwXyMn4rTbEfUsJiOo3q",
      { service: "Apple", encodings: ["aes128gcm"], topic: "base64url", subjectRequired: true },
    ],
    [
      "Edge's on Windows",
      "https://wns2-am3p.notify.windows.com/w/?token=BQYAAABc%2bd4%2fPzVwXyMn",
      { service: "Microsoft WNS", ttlZeroHeaders: ["x-wns-cache-policy"] },
    ],
    ["ntfy's", "https://ntfy.sh/upAbCdEfGh?up=1", { service: "ntfy" }],
  ])("%s", async (_name, endpoint, expected) => {
    const inspection = await lookOnce(endpoint);
    expect(valuesOf(inspection)).toMatchObject(expected);
    expect(troublesOf(inspection)).toEqual([]);
    expect(JSON.stringify(inspection)).not.toContain(endpoint.slice(-20));
  });

  test("is shown whole when that is asked for", async () => {
    const endpoint = `https://fcm.googleapis.com/fcm/send/${token}`;
    expect(valuesOf(await lookOnce(endpoint, { reveal: true }))).toMatchObject({ endpoint });
  });

  test.each<[string, string, RegExp]>([
    [
      "the one Edge on Android makes up",
      "https://permanently-removed.invalid/fcm/send/abc",
      /could not register.*endpoint\.removed-host/,
    ],
    ["Google's old service", "https://android.googleapis.com/gcm/send/abc", /switched off.*endpoint\.gcm/],
    [
      "a host that only begins like one",
      "https://fcm.googleapis.com.evil.example/fcm/send/abc",
      /mentions fcm\.googleapis\.com/,
    ],
    [
      "a path that looks like one",
      "https://evil.example/fcm.googleapis.com/abc",
      /mentions fcm\.googleapis\.com/,
    ],
    ["a user name that looks like one", "https://fcm.googleapis.com@evil.example/abc", /carries user-info/],
    ["plain http", "http://fcm.googleapis.com/fcm/send/abc", /is plain http/],
    ["another port", "https://push.example.net:8443/abc", /port 8443/],
  ])("%s is odd or wrong", async (_name, endpoint, what) => {
    expect(troublesOf(await lookOnce(endpoint))[0]).toMatch(what);
  });

  test("of a service nobody knows is judged by the RFCs alone", async () => {
    const inspection = await lookOnce("https://push.example.net/abc");
    expect(inspection.judgements).toMatchObject([{ level: "note" }]);
  });

  test("of this machine is an emulator's", async () => {
    const inspection = await lookOnce("http://127.0.0.1:8030/apple/abc");
    expect(valuesOf(inspection)).toMatchObject({ service: "Apple (emulator)" });
    expect(troublesOf(inspection)).toEqual([]);
  });
});

describe("a subscription", () => {
  const ours = samplePair("ours");
  const keys = [{ publicKey: ours.publicKey, isCurrent: true }];
  const of = (over: Readonly<Record<string, unknown>>) => JSON.stringify(sampleJson("phone", over));

  test("made with this project's key is good, and none of its secrets are told", async () => {
    const text = of({ applicationServerKey: ours.publicKey });
    const inspection = await lookOnce(text, { keys });
    expect(troublesOf(inspection)).toEqual([]);
    expect(valuesOf(inspection)).toMatchObject({ madeWith: ours.publicKey, contentEncoding: "aes128gcm" });
    const { keys: secrets, endpoint } = sampleJson("phone");
    for (const secret of [secrets.auth, secrets.p256dh, endpoint])
      expect(JSON.stringify(inspection)).not.toContain(secret);
  });

  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ["made with another key", { applicationServerKey: samplePair("theirs").publicKey }, /not among yours/],
    ["that has expired", { expirationTime: testNow - 1 }, /it has expired/],
    [
      "with a key of 64 bytes",
      { keys: { p256dh: Buffer.alloc(64, 4).toString("base64url"), auth: "AAAAAAAAAAAAAAAAAAAAAA" } },
      /p256dh is 64 bytes, expected 65/,
    ],
    [
      "with half an auth secret",
      { keys: { ...sampleJson("phone").keys, auth: "AAAAAAAAAAA" } },
      /auth is 8 bytes, expected 16/,
    ],
    ["without keys", { keys: undefined }, /has an endpoint but no keys/],
    [
      "for Apple in the draft's coding",
      { endpoint: "https://web.push.apple.com/QGh2cLkd8aPz", contentEncoding: "aesgcm" },
      /Apple does not take aesgcm/,
    ],
  ])("%s is wrong", async (_name, over, what) => {
    expect(troublesOf(await lookOnce(of(over), { keys })).join("; ")).toMatch(what);
  });

  test("that does not say its key is told how it could", async () => {
    const inspection = await lookOnce(of({}), { keys });
    expect(inspection.judgements.at(-1)).toMatchObject({
      level: "note",
      fix: expect.stringContaining("applicationServerKey") as string,
    });
  });
});

describe("a key", () => {
  const { publicKey, privateKey } = samplePair("inspected");
  const point = Buffer.from(publicKey, "base64url");
  const keys = [{ publicKey: parseVapidPublicKey(publicKey), isCurrent: false }];

  test("that is this project's says so", async () => {
    expect(valuesOf(await lookOnce(publicKey, { keys }))).toEqual({ publicKey, inProject: "older" });
  });

  test.each<[string, string, RegExp]>([
    ["padded", `${publicKey}=`, /^padded/],
    ["in standard base64", point.toString("base64"), /^(?:padded|standard base64)/],
    ["in hexadecimal digits", point.toString("hex"), /^hexadecimal digits/],
    [
      "compressed",
      Buffer.concat([Buffer.from([2]), point.subarray(1, 33)]).toString("base64url"),
      /compressed/,
    ],
    ["cut short", publicKey.slice(0, 80), /VAPID public key .*60 bytes/],
    ["off the curve", `${publicKey.slice(0, -1)}${publicKey.endsWith("A") ? "E" : "A"}`, /not a point/],
  ])("%s is odd or wrong", async (_name, text, what) => {
    expect(troublesOf(await lookOnce(text, {}, "key"))[0]).toMatch(what);
  });

  test("that is private is known by its public key, and never told", async () => {
    const inspection = await lookOnce(privateKey.reveal(), { keys });
    expect(valuesOf(inspection)).toMatchObject({ publicKey, inProject: "older" });
    expect(JSON.stringify(inspection)).not.toContain(privateKey.reveal());
  });

  test("of another pair is wrong", async () => {
    const pair = JSON.stringify({
      publicKey: samplePair("another").publicKey,
      privateKey: privateKey.reveal(),
    });
    expect(troublesOf(await lookOnce(pair))).toEqual(["VAPID public and private key do not belong together"]);
  });
});
