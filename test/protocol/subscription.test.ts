import { createECDH } from "node:crypto";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { isP256Point } from "../../src/protocol/p256.ts";
import {
  endpointOrigin,
  formatSubscription,
  isLoopbackEndpoint,
  parseContentEncoding,
  parseEndpoint,
  parseSubscription,
  shortenEndpoint,
  subscriptionId,
} from "../../src/protocol/subscription.ts";
import { errorOf } from "../support/thrown.ts";

// RFC 8291 Appendix A.
const p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const auth = "BTBZMqHH6r4Tts7J_aSIgg";
// RFC 8292 §2.4.
const vapidKey = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
const endpoint = "https://fcm.googleapis.com/fcm/send/c1KrmpTuRm-c:APA91bE_token_a1b2c3";
const expected = { endpoint, expirationTime: null, keys: { p256dh, auth } };

describe("an endpoint is kept byte for byte", () => {
  test.each([
    endpoint,
    "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2ba%2Bb%2f%3d",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAA_-x==",
    "HTTPS://Push.Example:443/a/../b?x=%7E",
    "https://push.example",
    "http://localhost:8080/push/1",
    "http://127.0.0.1/x",
    "http://127.9.9.9/x",
    "http://[::1]:9/x",
    "http://emulator.localhost/x",
  ])("%s", (text) => {
    expect(parseEndpoint(text)).toBe(text);
  });

  test("whatever printable path and query it has", () => {
    const path = fc.string({ unit: fc.constantFrom(...Array.from("aZ09-._~%/?&=+:@!$'()*,;[]|^`{}<>\"")) });
    fc.assert(
      fc.property(path, (text) => {
        const url = `https://push.example/${text}`;
        expect(parseEndpoint(url)).toBe(url);
      }),
    );
  });
});

describe("an endpoint is refused with a reason", () => {
  test.each([
    ["", "endpoint is empty"],
    ["  ", "endpoint is empty"],
    ["[object Object]", 'endpoint is the text "[object Object]"'],
    ['{"endpoint":"https://a.example/"}', "endpoint is JSON, not a URL"],
    ["dGhpc2lzYXRva2Vu:APA91bHPRgkF3JUikC4ENAHEeMrd41Zxv3hVZjC9KtT8OvPVGJ", "is an FCM registration token"],
    [vapidKey, "endpoint is a public key, not a URL"],
    ["fcm.googleapis.com/fcm/send/abc", "has no scheme"],
    ["https://push.example/a b", "endpoint contains a space"],
    ["https://push.example/a\n", "endpoint contains a line break"],
    ["https://push.example/a\u0000", "endpoint contains the character U+0000"],
    ["https://push.example/ä", "endpoint contains the character U+00E4"],
    ["https://push.example\\@evil.example/", "endpoint contains a backslash"],
    ["ftp://push.example/secret-path", "is not an absolute https URL"],
    ["//push.example/a", "is not an absolute https URL"],
    ["https:push.example/a", "is not an absolute https URL"],
    ["https:///push.example/a", "is not an absolute https URL"],
    ["https://push.example:99999/a", "is not a URL"],
    ["https://user:pass@push.example/a", "endpoint push.example/…a carries user-info"],
    ["https://@push.example/a", "carries user-info"],
    ["https://push.example/abcdefgh#x", "carries a fragment"],
    ["http://push.example/abcdefgh", "endpoint push.example/…cdefgh is plain http"],
    ["http://localhost.evil.example/a", "is plain http"],
    ["http://127.0.0.1.evil.example/a", "is plain http"],
    ["http://0x7f.1/abcdefgh", "endpoint names its host in a disguised form"],
    ["http://2130706433:8080/p", "disguised form"],
    ["https://127.1/x", "disguised form"],
    ["https://0177.0.0.1/x", "disguised form"],
    ["https://0/p", "disguised form"],
    ["https://0xa.1/p", "disguised form"],
    ["https://167772161/p", "disguised form"],
    ["https://012.0.0.1/p", "disguised form"],
    [`https://push.example/${"a".repeat(2048)}`, "endpoint is 2069 characters long, the most is 2048"],
  ])("%j", (text, message) => {
    const error = errorOf(() => parseEndpoint(text));
    expect(error.code).toBe("endpoint-malformed");
    expect(error.message).toContain(message);
    expect(error.hints).not.toHaveLength(0);
  });

  test("any text at all gives an endpoint or a UserError, and the error never holds the whole of it", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
    );
    fc.assert(
      fc.property(text, (value) => {
        try {
          expect(parseEndpoint(value)).toBe(value);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          if (value.length > 40) expect((error as UserError).message).not.toContain(value);
        }
      }),
    );
  });
});

describe("about an endpoint", () => {
  test.each([
    ["https://fcm.googleapis.com/fcm/send/x", "https://fcm.googleapis.com"],
    ["HTTPS://Push.Example:443/x", "https://push.example"],
    ["http://localhost:8080/x", "http://localhost:8080"],
  ])("the origin of %s is %s", (text, origin) => {
    expect(endpointOrigin(parseEndpoint(text))).toBe(origin);
  });

  test.each([
    ["http://localhost/x", true],
    ["https://a.b.localhost/x", true],
    ["https://127.0.0.1:443/x", true],
    ["https://[::1]/x", true],
    ["https://localhost.example/x", false],
    ["https://128.0.0.1/x", false],
  ])("%s is on this machine: %s", (text, isLoopback) => {
    expect(isLoopbackEndpoint(parseEndpoint(text))).toBe(isLoopback);
  });

  test.each([
    [endpoint, "fcm.googleapis.com/…a1b2c3"],
    ["http://localhost:8080/push/1", "localhost:8080/…push/1"],
    ["https://push.example", "push.example/…"],
    ["https://user:secret@push.example/abcdefgh", "push.example/…cdefgh"],
    ["not a url", '"not …"'],
    ["data:secret", '"data:…"'],
  ])("%s is shown as %s", (text, shown) => {
    expect(shortenEndpoint(text)).toBe(shown);
  });

  test("its id is short, stable, and another for each endpoint", () => {
    expect(subscriptionId(parseEndpoint(endpoint))).toBe("4xn4vjxx2y");
    const ids = Array.from({ length: 2000 }, (_, n) =>
      subscriptionId(parseEndpoint(`https://a.example/${n}`)),
    );
    expect(new Set(ids).size).toBe(2000);
    expect(ids.every((id) => /^[0-9a-hjkmnp-tv-z]{10}$/.test(id))).toBe(true);
  });
});

describe("a subscription is read in any spelling", () => {
  const bytes = [...Buffer.from(p256dh, "base64url")];
  test.each<[string, unknown]>([
    ["as the browser writes it", { endpoint, expirationTime: null, keys: { p256dh, auth } }],
    ["without expirationTime", { endpoint, keys: { p256dh, auth } }],
    ["flat", { endpoint, p256dh, auth }],
    [
      "as web-push-php writes it",
      { endpoint, publicKey: p256dh, authToken: auth, contentEncoding: "aes128gcm" },
    ],
    ["in snake case", { endpoint, p256dh_key: p256dh, auth_key: auth, expiration_time: null }],
    ["as columns with dots", { Endpoint: endpoint, "keys.p256dh": p256dh, "keys.auth": auth }],
    ["in a wrapper", { subscription: { endpoint, keys: { p256dh, auth } } }],
    ["as text in a wrapper", { subscription: JSON.stringify({ endpoint, keys: { p256dh, auth } }) }],
    ["as JSON text", JSON.stringify({ endpoint, keys: { p256dh, auth } })],
    ["stringified twice", JSON.stringify(JSON.stringify({ endpoint, keys: { p256dh, auth } }))],
    ["with keys as JSON text", { endpoint, keys: JSON.stringify({ p256dh, auth }) }],
    ["padded", { endpoint, keys: { p256dh: `${p256dh}=`, auth: `${auth}==` } }],
    ["in standard base64", { endpoint, keys: { p256dh: Buffer.from(bytes).toString("base64"), auth } }],
    ["with key bytes as a list", { endpoint, keys: { p256dh: bytes, auth } }],
    [
      "with key bytes as a numbered object",
      { endpoint, keys: { p256dh: Object.fromEntries(bytes.entries()), auth } },
    ],
    [
      "with key bytes as a Buffer's JSON",
      { endpoint, keys: { p256dh: { type: "Buffer", data: bytes }, auth } },
    ],
    [
      "with real bytes",
      { endpoint, keys: { p256dh: Uint8Array.from(bytes).buffer, auth: Buffer.from(auth, "base64url") } },
    ],
    [
      "with things nobody knows",
      { endpoint, keys: { p256dh, auth, more: 1 }, userAgent: "x", expirationTime: "" },
    ],
    [
      "with an application server key that JSON lost",
      { endpoint, p256dh, auth, options: { applicationServerKey: {} } },
    ],
  ])("%s", (_, value) => {
    expect(formatSubscription(parseSubscription(value))).toEqual(expected);
  });

  test.each<[string, unknown]>([
    ["beside the keys", { endpoint, p256dh, auth, applicationServerKey: vapidKey }],
    ["in snake case", { endpoint, p256dh, auth, application_server_key: `${vapidKey}=` }],
    ["in options", { endpoint, p256dh, auth, options: { applicationServerKey: vapidKey } }],
    ["outside the wrapper", { applicationServerKey: vapidKey, subscription: { endpoint, p256dh, auth } }],
  ])("the key it was made with is found %s", (_, value) => {
    expect(parseSubscription(value).applicationServerKey).toBe(vapidKey);
  });

  test.each<[unknown, number | null]>([
    [null, null],
    ["null", null],
    [1_700_000_000_000, 1_700_000_000_000],
    [0, 0],
    ["1700000000000", 1_700_000_000_000],
    ["2026-01-02T03:04:05Z", Date.UTC(2026, 0, 2, 3, 4, 5)],
    ["2026-01-02T03:04:05+01:00", Date.UTC(2026, 0, 2, 2, 4, 5)],
    ["2026-01-02 03:04:05", Date.UTC(2026, 0, 2, 3, 4, 5)],
    ["2026-01-02", Date.UTC(2026, 0, 2)],
  ])("expirationTime %j is %j", (expirationTime, ms) => {
    expect(parseSubscription({ endpoint, p256dh, auth, expirationTime }).expirationTime).toBe(ms);
  });

  test("the old content encoding is kept", () => {
    const old = parseSubscription({ endpoint, p256dh, auth, contentEncoding: "aesgcm" });
    expect(old.contentEncoding).toBe("aesgcm");
    expect(parseSubscription(formatSubscription(old)).contentEncoding).toBe("aesgcm");
  });
});

describe("a subscription is refused with a reason", () => {
  const swapped = { p256dh: auth, auth: p256dh };
  const offCurve = `${p256dh.slice(0, -2)}w4`.replace("Vd8", "Vd9");
  const compressed = createECDH("prime256v1").generateKeys("base64url", "compressed");
  test.each<[string, string, unknown]>([
    ["subscription is null, not an object", "subscription-malformed", null],
    ["subscription is a number, not an object", "subscription-malformed", 7],
    ["subscription is a list of 2, not one object", "subscription-malformed", [{}, {}]],
    ['subscription is the text "[object Object]"', "subscription-malformed", "[object Object]"],
    ["subscription is an endpoint alone, without keys", "subscription-malformed", endpoint],
    ["subscription is an FCM registration token", "subscription-malformed", "aaaaaaaaaaaa:APA91bEx"],
    ["subscription is not JSON", "subscription-malformed", "nonsense"],
    ["subscription has no endpoint and no p256dh and no auth", "subscription-malformed", {}],
    ["subscription has an endpoint but no keys", "subscription-malformed", { endpoint }],
    ["subscription has an endpoint but no keys", "subscription-malformed", { endpoint, keys: {} }],
    ["has an endpoint but no keys", "subscription-malformed", { endpoint, keys: "[object Object]" }],
    ["subscription has no auth", "subscription-malformed", { endpoint, keys: { p256dh } }],
    ["subscription has no endpoint", "subscription-malformed", { keys: { p256dh, auth } }],
    ["endpoint is a number, not text", "endpoint-malformed", { endpoint: 1, p256dh, auth }],
    ["is not an absolute https URL", "endpoint-malformed", { endpoint: "x", p256dh, auth }],
    ["p256dh and auth are swapped", "subscription-malformed", { endpoint, ...swapped }],
    ["p256dh is an empty object", "p256dh-malformed", { endpoint, auth, p256dh: {} }],
    ["auth is an empty object", "auth-malformed", { endpoint, p256dh, auth: {} }],
    ["p256dh is a list that is not bytes", "p256dh-malformed", { endpoint, auth, p256dh: [1, 2, 300] }],
    ["p256dh is not base64url", "p256dh-malformed", { endpoint, auth, p256dh: "not base64!" }],
    ["p256dh is PEM", "p256dh-malformed", { endpoint, auth, p256dh: "-----BEGIN PUBLIC KEY-----" }],
    [
      "p256dh is 33 bytes, expected 65 beginning 0x04",
      "p256dh-malformed",
      { endpoint, auth, p256dh: compressed },
    ],
    [
      "65 bytes beginning 0x00, expected",
      "p256dh-malformed",
      { endpoint, auth, p256dh: `A${p256dh.slice(1)}` },
    ],
    ["p256dh is not a point on the P-256 curve", "p256dh-malformed", { endpoint, auth, p256dh: offCurve }],
    ["auth is 5 bytes, expected 16", "auth-malformed", { endpoint, p256dh, auth: "c2hvcnQ" }],
    [
      'content encoding "aes128" is not known',
      "encoding",
      { endpoint, p256dh, auth, contentEncoding: "aes128" },
    ],
    [
      'expirationTime "soon" is not a time',
      "subscription-malformed",
      { endpoint, p256dh, auth, expirationTime: "soon" },
    ],
    ["is not a time", "subscription-malformed", { endpoint, p256dh, auth, expirationTime: -1 }],
    [
      "applicationServerKey: ",
      "application-server-key-malformed",
      { endpoint, p256dh, auth, applicationServerKey: "x" },
    ],
    [
      "is the VAPID public key",
      "p256dh-malformed",
      { endpoint, auth, p256dh: vapidKey, applicationServerKey: vapidKey },
    ],
  ])("%s", (message, code, value) => {
    const error = errorOf(() => parseSubscription(value));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(message);
    expect(error.hints).not.toHaveLength(0);
    expect(error.message + error.hints.join()).not.toContain(auth);
  });

  test("members nested without end are refused like any other that is no text", () => {
    const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`) as unknown;
    for (const over of [{ applicationServerKey: deep }, { contentEncoding: deep }, { expirationTime: deep }])
      expect(errorOf(() => parseSubscription({ endpoint, p256dh, auth, ...over })).hints).not.toHaveLength(0);
  });

  test("the hint of a mistyped encoding names the right one", () => {
    expect(errorOf(() => parseContentEncoding("aes128gmc")).hints).toEqual(["use aes128gcm"]);
  });

  test("any JSON gives a subscription or a UserError", () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: "binary" }),
      fc.record(
        {
          endpoint: fc.oneof(fc.jsonValue(), fc.constant(endpoint)),
          keys: fc.jsonValue(),
          p256dh: fc.oneof(fc.jsonValue(), fc.constant(p256dh), fc.base64String()),
          auth: fc.oneof(fc.jsonValue(), fc.constant(auth), fc.base64String()),
          applicationServerKey: fc.jsonValue(),
          expirationTime: fc.jsonValue(),
          subscription: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(value, (json) => {
        try {
          parseSubscription(json);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("what is read is safe", () => {
  test("__proto__ in outside JSON changes nothing", () => {
    const json = JSON.stringify({ endpoint, p256dh, auth }).replace(
      "{",
      '{"__proto__":{"contentEncoding":"aesgcm"},',
    );
    const subscription = parseSubscription(JSON.parse(json));
    expect(subscription.contentEncoding).toBe("aes128gcm");
    expect(Object.getPrototypeOf(subscription)).toBe(Object.prototype);
  });

  test("inherited properties do not count", () => {
    const inherits = Object.create({ endpoint, p256dh, auth }) as unknown;
    expect(errorOf(() => parseSubscription(inherits)).message).toContain("has no endpoint");
  });

  test("wrappers without end are refused", () => {
    const around: Record<string, unknown> = {};
    around["subscription"] = around;
    expect(errorOf(() => parseSubscription(around)).message).toContain("wrapped too many times");
  });

  test("the auth secret does not print", () => {
    const subscription = parseSubscription({ endpoint, p256dh, auth });
    expect(JSON.stringify(subscription) + inspect(subscription)).not.toContain(auth);
  });

  test("format and parse undo each other", () => {
    const key = fc.uint8Array({ minLength: 31, maxLength: 31 }).map((bytes) => {
      const ecdh = createECDH("prime256v1");
      ecdh.setPrivateKey(Buffer.concat([Buffer.from([1]), bytes]));
      return ecdh.getPublicKey("base64url");
    });
    const json = fc.record({
      endpoint: fc
        .webUrl({ validSchemes: ["https"], withQueryParameters: true })
        .filter((url) => /^[!-~]+$/.test(url)),
      expirationTime: fc.option(fc.nat()),
      keys: fc.record({
        p256dh: key,
        auth: fc
          .uint8Array({ minLength: 16, maxLength: 16 })
          .map((bytes) => Buffer.from(bytes).toString("base64url")),
      }),
    });
    fc.assert(
      fc.property(json, (value) => {
        expect(formatSubscription(parseSubscription(JSON.parse(JSON.stringify(value))))).toEqual(value);
      }),
    );
  });
});

describe("a point on P-256", () => {
  test("is every key that Node makes, and none with a flipped bit", () => {
    for (let round = 0; round < 20; round += 1) {
      const key = createECDH("prime256v1").generateKeys();
      expect(isP256Point(key)).toBe(true);
      key[1 + round] = (key[1 + round] ?? 0) ^ 1;
      expect(isP256Point(key)).toBe(false);
    }
  });

  test("has coordinates below the prime and is not hybrid", () => {
    const key = Buffer.from(p256dh, "base64url");
    expect(isP256Point(Buffer.alloc(65, 0xff))).toBe(false);
    expect(isP256Point(Buffer.concat([Buffer.from([4]), Buffer.alloc(64)]))).toBe(false);
    for (const first of [0x06, 0x07])
      expect(isP256Point(Buffer.concat([Buffer.from([first]), key.subarray(1)]))).toBe(false);
  });
});
