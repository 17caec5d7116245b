/** Tokens: claims, times in words, signature, and who would refuse them. */
import { describe, expect, test } from "vitest";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { parseVapidPublicKey } from "../../src/protocol/vapid.ts";
import { accepted, k, own, refused, token } from "../emulator/vapid-cases.ts";
import { vectors } from "../protocol/push-parties.ts";
import { testNow } from "../support/test-context.ts";
import { lookOnce, troublesOf, valuesOf } from "./surroundings.ts";

const aud = "https://fcm.googleapis.com";
const now = testNow / 1000;
const valid = { aud, exp: now + 3600, sub: "mailto:ops@harbour.shop" };
const endpoint = parseEndpoint(`${aud}/fcm/send/abcdefghijkl`);

test("RFC 8292 §2.4's own: signed by its key, and over since 2016", async () => {
  const { t, k: key } = vectors.rfc8292;
  const inspection = await lookOnce(`vapid t=${t}, k=${key}`);
  expect(valuesOf(inspection)).toEqual({
    scheme: "vapid",
    algorithm: "ES256",
    type: "JWT",
    audience: "https://push.example.net",
    expiresAt: "2016-01-23T04:36:08.000Z",
    subject: "mailto:push@example.com",
    publicKey: key,
  });
  expect(inspection.judgements).toContainEqual({ level: "good", what: "signed with the key named" });
  expect(troublesOf(inspection)).toEqual(["it ended 3936 days ago"]);
});

describe("what every service takes is good", () => {
  const fine = accepted.filter(
    ([name]) => !["no sub", "exp in exactly 24 hours", "an extra claim"].includes(name),
  );

  test.each(fine)("%s", async (_name, write) => {
    expect(troublesOf(await lookOnce(write(valid) ?? "", { endpoint }, "token"))).toEqual([]);
  });

  test("without a contact Apple refuses it, and that is said", async () => {
    const claims = { aud, exp: valid.exp };
    expect(troublesOf(await lookOnce(`vapid t=${token(claims)}, k=${k}`))).toEqual([
      "Apple refuses it: there is no sub",
    ]);
  });

  test("for all of 24 hours is odd", async () => {
    const inspection = await lookOnce(`vapid t=${token({ ...valid, iat: now, exp: now + 86_400 })}, k=${k}`);
    expect(troublesOf(inspection)).toEqual([
      "it was signed for all of 24 hours: refused where the clock is a little ahead",
    ]);
  });
});

describe("what no service takes is wrong", () => {
  const defective = refused.filter(([, defect]) => defect !== "mismatch");

  test.each(defective)("%s (%s)", async (_name, _defect, write) => {
    expect(troublesOf(await lookOnce(write(valid) ?? "", { endpoint }, "token"))).not.toEqual([]);
  });

  test.each([
    ["expired", { exp: now - 7200 }, "it ended 2 h ago"],
    ["too far", { exp: now + 30 * 3600 }, "it ends in 30 h: services take at most 24 hours"],
    [
      "no contact for Apple",
      { sub: "mailto:me@localhost" },
      'Apple refuses it: VAPID subject "mailto:me@localhost" ends in .localhost, where no mail arrives',
    ],
    ["a time that is none", { exp: 9e15 }, "exp is no time"],
  ])("%s, in words", async (_name, over, what) => {
    const [said] = troublesOf(await lookOnce(`vapid t=${token({ ...valid, ...over })}, k=${k}`));
    expect(said?.slice(0, 30)).toBe(what.slice(0, 30));
  });

  test("each defect is told, not only the first", async () => {
    const written = `vapid t=${token({ aud: `${aud}/`, exp: now - 60, sub: "ops" })}, k=${k}`;
    expect(troublesOf(await lookOnce(written, { endpoint }))).toEqual([
      `aud is "${aud}/", the endpoint's origin is ${aud}`,
      "it ended 60 s ago",
      "Apple refuses it: sub is neither mailto: nor https:",
    ]);
  });
});

describe("a token that comes without its key", () => {
  const publicKey = parseVapidPublicKey(k);

  test("is checked with the project's", async () => {
    const inspection = await lookOnce(token(valid), { keys: [{ publicKey, isCurrent: false }] });
    expect(valuesOf(inspection)).toMatchObject({ publicKey, inProject: "older" });
    expect(inspection.judgements[0]).toEqual({ level: "good", what: "signed with the key named" });
  });

  test("is checked with the one that is given", async () => {
    expect(troublesOf(await lookOnce(token(valid), { key: publicKey }))).toEqual([]);
    const { t } = vectors.rfc8292;
    expect(troublesOf(await lookOnce(t, { key: publicKey }))[0]).toMatch(
      /^the signature was not made with the key/,
    );
  });

  test("cannot be checked without any", async () => {
    const inspection = await lookOnce(token(valid));
    expect(inspection.judgements[0]).toMatchObject({ level: "note", fix: "add --key with the public key" });
  });
});

test("claims that are nested without end are only named", async () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const part = (json: string) => Buffer.from(json).toString("base64url");
  const written = `${part(`{"alg":${deep}}`)}.${part(`{"aud":${deep},"exp":${deep},"sub":{"a":1}}`)}.AA`;
  const inspection = await lookOnce(written);
  expect(valuesOf(inspection)).toMatchObject({
    algorithm: "a list",
    audience: "a list",
    expiresAt: "a list",
    subject: "an object",
  });
});

test("the draft's scheme is odd, and says who takes it still", async () => {
  const text = `Authorization: WebPush ${token(valid)}\nCrypto-Key: dh=AA;p256ecdsa=${own.publicKey.toString("base64url")}`;
  const inspection = await lookOnce(text);
  expect(troublesOf(inspection)).toEqual([
    "the scheme is a draft's: only FCM and Mozilla autopush still take it",
  ]);
  expect(inspection.judgements).toContainEqual({ level: "good", what: "signed with the key named" });
});

test("a scheme that is none does not make the signature good", async () => {
  const forged = `${token(valid).split(".").slice(0, 2).join(".")}.${"A".repeat(86)}`;
  const inspection = await lookOnce(`Authorization: Other ${forged}\nCrypto-Key: p256ecdsa=${k}`);
  expect(inspection.judgements.map(({ what }) => what)).not.toContain("signed with the key named");
  expect(troublesOf(inspection)).toContain("the signature was not made with the key in k over this token");
});

test("parameters with a very long gap are read in no time", async () => {
  const written = `vapid k=${k}, t=${token(valid)},${" ".repeat(300_000)}"`;
  expect(troublesOf(await lookOnce(written))).toContain(
    "the Authorization parameters are not a list of name=value",
  );
}, 2000);
