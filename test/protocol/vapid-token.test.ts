import { createPublicKey, verify } from "node:crypto";
import { expect, test, vi } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import { signToken, type TokenRequest } from "../../src/protocol/vapid-token.ts";
import { verifyVapid } from "../../src/protocol/vapid-verification.ts";
import { createKeyPair } from "../../src/protocol/vapid.ts";

const audience = "https://push.example.net";
const pair = createKeyPair({ bytes: () => Buffer.alloc(32, 7) });
// web-push compares the end of a token with the real clock.
const now = Date.now();
const request: TokenRequest = {
  audience,
  subject: parseSubject("mailto:push@company.de").subject,
  pair,
  expiresAt: now + 12 * 3_600_000,
  encoding: "aes128gcm",
};

function failureOf(changes: Partial<TokenRequest>): UserError {
  try {
    signToken({ ...request, ...changes });
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("it was signed");
}

test("https://www.rfc-editor.org/rfc/rfc8292#section-2: a token is an ES256 JWT, by node:crypto alone", () => {
  const { authorization = "", ...others } = signToken(request);
  expect(others).toEqual({});
  const [, token = "", k] = /^vapid t=([^,]+), k=([\w-]{87})$/.exec(authorization) ?? [];
  expect(k).toBe(pair.publicKey);
  const [header = "", payload = "", signature = ""] = token.split(".");
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({ typ: "JWT", alg: "ES256" });
  expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toEqual({
    aud: audience,
    exp: Math.floor(request.expiresAt / 1000),
    sub: "mailto:push@company.de",
  });
  const point = Buffer.from(pair.publicKey, "base64url");
  const [x, y] = [point.toString("base64url", 1, 33), point.toString("base64url", 33)];
  const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const signed = Buffer.from(`${header}.${payload}`);
  expect(
    verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url")),
  ).toBe(true);
});

test("our verification accepts it, subject and all", () => {
  expect(
    verifyVapid(signToken(request), { audience, now, boundKey: pair.publicKey, subject: "required" }),
  ).toEqual({
    ok: true,
    publicKey: pair.publicKey,
    claims: {
      audience,
      expiresAt: Math.floor(request.expiresAt / 1000) * 1000,
      subject: "mailto:push@company.de",
    },
  });
});

test("for aesgcm the older headers are written, and accepted where they are allowed", () => {
  const headers = signToken({ ...request, encoding: "aesgcm" });
  expect(Object.keys(headers).sort()).toEqual(["authorization", "crypto-key"]);
  expect(headers["authorization"]).toMatch(/^WebPush [\w-]+\.[\w-]+\.[\w-]{86}$/);
  expect(headers["crypto-key"]).toBe(`p256ecdsa=${pair.publicKey}`);
  expect(verifyVapid(headers, { audience, now, schemes: ["vapid", "webpush", "bearer"] }).ok).toBe(true);
  expect(verifyVapid(headers, { audience, now })).toMatchObject({ ok: false, defect: "scheme" });
});

test("a key with leading zero bytes signs", () => {
  const scalar = Buffer.alloc(32);
  scalar.writeUInt16BE(777, 30);
  const headers = signToken({ ...request, pair: createKeyPair({ bytes: () => scalar }) });
  expect(verifyVapid(headers, { audience, now }).ok).toBe(true);
});

test.each(["aes128gcm", "aesgcm"] as const)(
  "https://www.rfc-editor.org/rfc/rfc8292#section-2.1: a token without a subject is signed for %s and differs in that alone",
  (encoding) => {
    const [without, withSubject] = [undefined, request.subject].map((subject) =>
      signToken({ ...request, subject, encoding }),
    );
    const shape = (headers: Readonly<Record<string, string>> = {}) =>
      Object.entries(headers).map(([name, value]) => [
        name,
        value.replace(/[\w-]+\.[\w-]+\.[\w-]{86}/, "JWT"),
      ]);
    expect(shape(without)).toEqual(shape(withSubject));
    expect(
      verifyVapid(without ?? {}, { audience, now, schemes: ["vapid", "webpush", "bearer"] }),
    ).toMatchObject({
      ok: true,
      claims: { audience, subject: undefined },
    });
    expect(
      verifyVapid(without ?? {}, {
        audience,
        now,
        schemes: ["vapid", "webpush", "bearer"],
        subject: "required",
      }),
    ).toMatchObject({
      ok: false,
      defect: "subject",
    });
  },
);

test("a token of more than 24 hours is refused in our words", () => {
  const error = failureOf({ expiresAt: now + 25 * 3_600_000 });
  expect([error.code, error.message]).toEqual([
    "vapid-token",
    "no VAPID token can be signed: it would end more than 24 hours from now",
  ]);
});

test("an audience that is no URL is refused in our words", () => {
  expect(failureOf({ audience: "push.example.net" }).message).toBe(
    "no VAPID token can be signed: the keys or the audience are refused",
  );
});

test.each([0, -1, Number.NaN])("expiresAt %d is our bug", (expiresAt) => {
  expect(() => signToken({ ...request, expiresAt })).toThrow(RangeError);
});

test("web-push says nothing on the console, whatever subject we accept", () => {
  const warn = vi.spyOn(console, "warn");
  for (const text of ["https://company.de/", "mailto:a@company.de"])
    signToken({ ...request, subject: parseSubject(text).subject });
  expect(warn).not.toHaveBeenCalled();
});
