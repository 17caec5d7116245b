import { createHmac, createPrivateKey, sign } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import webPush from "web-push";
import { formatKeys } from "../../src/protocol/key-formats.ts";
import { verifyVapid, type VapidExpectation } from "../../src/protocol/vapid-verification.ts";
import { createKeyPair, parseVapidPublicKey } from "../../src/protocol/vapid.ts";
import { vectors } from "./push-parties.ts";

const now = Date.UTC(2026, 10, 24, 12);
const audience = "https://push.example.net";
const pair = createKeyPair({ bytes: () => Buffer.alloc(32, 7) });
const otherPair = createKeyPair({ bytes: () => Buffer.alloc(32, 8) });
const inHours = (hours: number) => now / 1000 + hours * 3600;
const goodClaims = { aud: audience, exp: inHours(12), sub: "mailto:push@company.de" };
const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

interface TokenParts {
  readonly claims?: unknown;
  readonly header?: unknown;
  readonly signer?: typeof pair;
  readonly dsaEncoding?: "ieee-p1363" | "der";
}

/** A token signed with node:crypto alone, good unless told otherwise. */
function token({
  claims = goodClaims,
  header,
  signer = pair,
  dsaEncoding = "ieee-p1363",
}: TokenParts = {}): string {
  const signed = `${json(header ?? { typ: "JWT", alg: "ES256" })}.${json(claims)}`;
  const key = createPrivateKey(formatKeys(signer, undefined, "pem"));
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding }).toString("base64url")}`;
}

const good = token();
const k = pair.publicKey;

/** `accepted`, or the defect. */
function judge(
  authorization: string | undefined,
  expected: Partial<VapidExpectation> = {},
  cryptoKey?: string,
): string {
  const headers = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(cryptoKey === undefined ? {} : { "crypto-key": cryptoKey }),
  };
  const verdict = verifyVapid(headers, { audience, now, ...expected });
  return verdict.ok ? "accepted" : verdict.defect;
}

const withClaims = (claims: unknown) => `vapid t=${token({ claims })}, k=${k}`;

test("https://www.rfc-editor.org/rfc/rfc8292#section-2.4: the example token is accepted until it ends", () => {
  const authorization = `vapid t=${vectors.rfc8292.t}, k=${vectors.rfc8292.k}`;
  const end = 1_453_523_768_000;
  expect(verifyVapid({ authorization }, { audience, now: end - 1000 })).toEqual({
    ok: true,
    publicKey: vectors.rfc8292.k,
    claims: { audience, expiresAt: end, subject: "mailto:push@example.com" },
  });
  expect(judge(authorization, { now: end })).toBe("expired");
});

test.each<readonly [string, string]>([
  ["as web-push writes it", `vapid t=${good}, k=${k}`],
  ["as py-vapid writes it", `vapid t=${good},k=${k}`],
  ["with the scheme in capitals", `VAPID t=${good}, k=${k}`],
  ["with parameters in other order", `vapid k=${k}, t=${good}`],
  ["with extra spaces", `  vapid   t = ${good} ,   k = ${k}  `],
  ["with an unknown parameter", `vapid t=${good}, v="2, beta", k=${k}, x=`],
  ["with empty elements", `vapid ,t=${good},, k=${k},`],
  ["with quoted values", `vapid t="${good}", k="${k}"`],
  ["with names in capitals", `vapid T=${good}, K=${k}`],
  ["ending in exactly 24 hours", withClaims({ ...goodClaims, exp: inHours(24) })],
  ["with a fraction of a second", withClaims({ ...goodClaims, exp: inHours(12) + 0.5 })],
  ["without a subject", withClaims({ ...goodClaims, sub: undefined })],
  ["with claims of its own", withClaims({ ...goodClaims, iat: 1, x: {} })],
  ["without typ", `vapid t=${token({ header: { alg: "ES256" } })}, k=${k}`],
])("https://www.rfc-editor.org/rfc/rfc8292#section-3: a token %s is accepted", (_name, authorization) => {
  expect(judge(authorization)).toBe("accepted");
});

const [header = "", payload = "", signature = ""] = good.split(".");
const compressed = Buffer.concat([Buffer.of(2), Buffer.from(k, "base64url").subarray(1, 33)]).toString(
  "base64url",
);
const hs256 = `${json({ typ: "JWT", alg: "HS256" })}.${payload}`;

test.each<readonly [string, string | undefined, string]>([
  ["no header", undefined, "missing"],
  ["an empty header", " ", "missing"],
  ["another scheme", `Basic dXNlcjpwdw==`, "scheme"],
  ["the legacy scheme", `WebPush ${good}`, "scheme"],
  ["a bearer token", `Bearer ${good}`, "scheme"],
  ["the scheme alone", "vapid", "key"],
  ["no t", `vapid k=${k}`, "token"],
  ["no k", `vapid t=${good}`, "key"],
  ["t twice", `vapid t=${good}, t=${good}, k=${k}`, "token"],
  ["parameters without a comma", `vapid t=${good} k=${k}`, "token"],
  ["two parts", `vapid t=${header}.${payload}, k=${k}`, "token"],
  ["four parts", `vapid t=${good}.x, k=${k}`, "token"],
  ["a header that is no JSON", `vapid t=AAAA.${payload}.${signature}, k=${k}`, "token"],
  ["a padded signature", `vapid t="${good}==", k=${k}`, "token"],
  ["critical extensions", `vapid t=${token({ header: { alg: "ES256", crit: ["x"] } })}, k=${k}`, "token"],
  ["alg none", `vapid t=${json({ alg: "none" })}.${payload}., k=${k}`, "algorithm"],
  [
    "HS256 keyed with the public key",
    `vapid t=${hs256}.${createHmac("sha256", Buffer.from(k, "base64url")).update(hs256).digest("base64url")}, k=${k}`,
    "algorithm",
  ],
  ["no alg", `vapid t=${token({ header: { typ: "JWT" } })}, k=${k}`, "algorithm"],
  ["a DER signature", `vapid t=${token({ dsaEncoding: "der" })}, k=${k}`, "signature"],
  ["no signature", `vapid t=${header}.${payload}., k=${k}`, "signature"],
  [
    "a signature of zeros",
    `vapid t=${header}.${payload}.${Buffer.alloc(64).toString("base64url")}, k=${k}`,
    "signature",
  ],
  ["a signature by another key", `vapid t=${token({ signer: otherPair })}, k=${k}`, "signature"],
  [
    "changed claims",
    `vapid t=${header}.${json({ ...goodClaims, exp: inHours(13) })}.${signature}, k=${k}`,
    "signature",
  ],
  ["k compressed", `vapid t=${good}, k=${compressed}`, "key"],
  ["k padded", `vapid t=${good}, k=${k}=`, "key"],
  [
    "k in standard base64",
    `vapid t=${good}, k=${Buffer.from(k, "base64url").toString("base64").replace("=", "")}+`,
    "key",
  ],
  ["k off the curve", `vapid t=${good}, k=${k.slice(0, -4)}AAAA`, "key"],
  ["aud with a path", withClaims({ ...goodClaims, aud: `${audience}/push` }), "audience"],
  ["aud with a slash", withClaims({ ...goodClaims, aud: `${audience}/` }), "audience"],
  ["aud of another origin", withClaims({ ...goodClaims, aud: "https://push.example.org" }), "audience"],
  ["aud with the default port", withClaims({ ...goodClaims, aud: `${audience}:443` }), "audience"],
  ["no aud", withClaims({ ...goodClaims, aud: undefined }), "audience"],
  ["aud as a list", withClaims({ ...goodClaims, aud: [audience] }), "audience"],
  ["no exp", withClaims({ ...goodClaims, exp: undefined }), "expiry"],
  ["exp as text", withClaims({ ...goodClaims, exp: String(inHours(12)) }), "expiry"],
  ["exp as null", withClaims({ ...goodClaims, exp: null }), "expiry"],
  ["exp past", withClaims({ ...goodClaims, exp: inHours(-1) }), "expired"],
  ["exp now", withClaims({ ...goodClaims, exp: inHours(0) }), "expired"],
  [
    "exp a minute more than 24 hours ahead",
    withClaims({ ...goodClaims, exp: inHours(24) + 60 }),
    "expiry-too-far",
  ],
  ["exp in milliseconds", withClaims({ ...goodClaims, exp: now }), "expiry-too-far"],
  ["exp beyond all numbers", withClaims({ ...goodClaims, exp: 1e308 }), "expiry-too-far"],
  ["sub that is a bare address", withClaims({ ...goodClaims, sub: "push@company.de" }), "subject"],
  ["sub as a number", withClaims({ ...goodClaims, sub: 7 }), "subject"],
  ["claims that are a list", withClaims([goodClaims]), "token"],
])("https://www.rfc-editor.org/rfc/rfc8292#section-2: %s is refused", (_name, authorization, defect) => {
  expect(judge(authorization)).toBe(defect);
});

test.each<readonly [unknown, string]>([
  ["mailto:push@company.de", "accepted"],
  [undefined, "subject"],
  ["mailto:push@localhost", "subject"],
  ["mailto: push@company.de", "subject"],
  ["https://localhost/", "subject"],
])("as Apple, a token with sub %j is %s", (sub, verdict) => {
  expect(judge(withClaims({ ...goodClaims, sub }), { subject: "required" })).toBe(verdict);
});

test("https://www.rfc-editor.org/rfc/rfc8292#section-4.2: another key than the subscription's is a mismatch", () => {
  expect(judge(`vapid t=${good}, k=${k}`, { boundKey: pair.publicKey })).toBe("accepted");
  expect(judge(`vapid t=${good}, k=${k}`, { boundKey: otherPair.publicKey })).toBe("mismatch");
});

test.each(["WebPush", "webpush", "Bearer"])(
  "the legacy scheme %s is accepted where it is allowed",
  (scheme) => {
    expect(
      judge(`${scheme} ${good}`, { schemes: ["vapid", "webpush", "bearer"] }, `dh=BAAA;p256ecdsa=${k}`),
    ).toBe("accepted");
    expect(
      judge(`${scheme} ${good}`, { schemes: ["vapid", "webpush", "bearer"] }, `p256ecdsa=${k}, dh=BAAA`),
    ).toBe("accepted");
    expect(judge(`${scheme} ${good}`, { schemes: ["vapid", "webpush", "bearer"] }, "dh=BAAA")).toBe("key");
    expect(judge(`${scheme} ${good}`, { schemes: ["vapid", "webpush", "bearer"] })).toBe("key");
  },
);

test.each(["aes128gcm", "aesgcm"] as const)("what web-push signs for %s is accepted", (encoding) => {
  const made = webPush.generateVAPIDKeys();
  const signed = webPush.getVapidHeaders(
    audience,
    "mailto:a@company.de",
    made.publicKey,
    made.privateKey,
    encoding,
  );
  const headers = Object.fromEntries(
    Object.entries(signed).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  const expected: VapidExpectation = {
    audience,
    now: Date.now(),
    schemes: ["vapid", "webpush", "bearer"],
    boundKey: parseVapidPublicKey(made.publicKey),
  };
  expect(verifyVapid(headers, expected).ok).toBe(true);
});

test("a refusal says what was there and what was expected", () => {
  const messageOf = (authorization: string) => {
    const verdict = verifyVapid({ authorization }, { audience, now });
    return verdict.ok ? "accepted" : verdict.message;
  };
  expect(messageOf(withClaims({ ...goodClaims, aud: `${audience}/` }))).toBe(
    'the token\'s aud is "https://push.example.net/", expected "https://push.example.net"',
  );
  expect(messageOf(withClaims({ ...goodClaims, exp: inHours(-2) }))).toBe("the token ended 2 h 0 min ago");
  expect(messageOf(withClaims({ ...goodClaims, exp: inHours(30) }))).toBe(
    "the token ends in 30 h 0 min, the most is 24 h",
  );
  expect(messageOf(withClaims({ ...goodClaims, exp: now }))).toMatch(
    /^the token ends in \d+ days, the most is 24 h$/,
  );
  expect(messageOf(`vapid t=${token({ dsaEncoding: "der" })}, k=${k}`)).toBe(
    "the signature is DER, expected 64 bytes, r and s side by side",
  );
});

test("any header is judged without an exception, and never accepted by chance", () => {
  const words = fc.constantFrom(
    "vapid ",
    "t=",
    "k=",
    good,
    k,
    ", ",
    ",",
    '"',
    "=",
    " ",
    ".",
    header,
    payload,
    "WebPush ",
    "\u0000",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(words, { maxLength: 8 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, text, (authorization, cryptoKey) => {
      const verdict = judge(authorization, { schemes: ["vapid", "webpush", "bearer"] }, cryptoKey);
      if (verdict === "accepted") expect(authorization).toContain(good);
    }),
    { numRuns: 1000 },
  );
});

test("no change of any one character of a token is accepted", () => {
  const characters = fc.constantFrom("A", "B", "Q", "x", "y", "0", "9", "-", "_");
  fc.assert(
    fc.property(fc.nat(good.length - 2), characters, (at, character) => {
      // The last character of the signature has bits that mean nothing.
      const changed = good.slice(0, at) + character + good.slice(at + 1);
      if (changed !== good) expect(judge(`vapid t=${changed}, k=${k}`)).not.toBe("accepted");
    }),
  );
});
