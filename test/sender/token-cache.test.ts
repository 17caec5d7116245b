import { describe, expect, test } from "vitest";
import { parseSubject } from "../../src/protocol/subject.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { verifyVapid } from "../../src/protocol/vapid-verification.ts";
import { createTokenCache, type Authorization } from "../../src/sender/token-cache.ts";
import { samplePair } from "../support/samples.ts";

const [ours, older] = [samplePair("ours"), samplePair("older")];
const hour = 3_600_000;
const here = parseEndpoint("https://push.example.net/send/1");
const alsoHere = parseEndpoint("https://push.example.net:443/send/2?x=1");
const there = parseEndpoint("https://push.example.org/send/1");

/** A cache with a clock to move. The library that signs looks at the real one, so this starts there. */
function openCache(subject?: string) {
  const clock = { nowMs: Date.now(), now: () => clock.nowMs };
  const cache = createTokenCache({
    subject: subject === undefined ? undefined : parseSubject(subject).subject,
    clock,
  });
  const tokenFor = (endpoint = here, pair = ours, encoding: "aes128gcm" | "aesgcm" = "aes128gcm") =>
    cache.authorizationFor(endpoint, pair, encoding);
  const renew = (authorization: Authorization, clockSkewMs?: number) =>
    cache.renew(here, ours, "aes128gcm", { authorization, clockSkewMs });
  return { clock, tokenFor, renew };
}

function claimsOf({ authorization = "" }: Readonly<Record<string, string>>) {
  const [, claims = ""] = authorization.split(".");
  return JSON.parse(Buffer.from(claims, "base64url").toString()) as Readonly<Record<string, unknown>>;
}

describe("a token", () => {
  test("is valid for its origin", () => {
    const { clock, tokenFor } = openCache("mailto:push@ada.dev");
    const verdict = verifyVapid(tokenFor(), { audience: "https://push.example.net", now: clock.now() });
    expect(verdict).toMatchObject({ ok: true, publicKey: ours.publicKey });
  });

  test("ends after twelve hours, and says who sends", () => {
    const { clock, tokenFor } = openCache("mailto:push@ada.dev");
    expect(claimsOf(tokenFor())).toEqual({
      aud: "https://push.example.net",
      exp: Math.floor((clock.nowMs + 12 * hour) / 1000),
      sub: "mailto:push@ada.dev",
    });
  });

  test("goes without a contact when there is none", () => {
    expect(Object.keys(claimsOf(openCache().tokenFor()))).toEqual(["aud", "exp"]);
  });
});

describe("one token", () => {
  test("serves every subscription of an origin", () => {
    const { tokenFor } = openCache();
    expect(tokenFor(alsoHere)).toBe(tokenFor(here));
  });

  test("serves neither another origin, another key nor another coding", () => {
    const { tokenFor } = openCache();
    const tokens = [tokenFor(), tokenFor(there), tokenFor(here, older), tokenFor(here, ours, "aesgcm")];
    expect(new Set(tokens.map(({ authorization }) => authorization)).size).toBe(4);
    expect(tokens.map((token) => claimsOf(token)["aud"])).toEqual([
      "https://push.example.net",
      "https://push.example.org",
      "https://push.example.net",
      "https://push.example.net",
    ]);
  });

  test("serves as long as none can expire on its way, and no longer", () => {
    const { clock, tokenFor } = openCache();
    const first = tokenFor();
    clock.nowMs += 12 * hour - 10 * 60_000 - 1;
    expect(tokenFor()).toBe(first);
    clock.nowMs += 1;
    // Not the one of the library: it would not sign for a time this far from the real clock.
    const second = tokenFor();
    expect(second).not.toBe(first);
    expect(claimsOf(second)["exp"]).toBe(Math.floor((clock.nowMs + 12 * hour) / 1000));
  });

  test("serves on when the clock is set back", () => {
    const { clock, tokenFor } = openCache();
    const first = tokenFor();
    clock.nowMs -= hour;
    expect(tokenFor()).toBe(first);
  });
});

describe("a token that was refused", () => {
  const exp = (headers: Authorization) => claimsOf(headers)["exp"];

  test("is replaced once, for all messages that carried it", () => {
    const { tokenFor, renew } = openCache();
    const refused = tokenFor();
    expect(renew(refused)).toBe(true);
    const replacement = tokenFor();
    expect(replacement).not.toBe(refused);
    expect(renew(refused)).toBe(true);
    expect(tokenFor()).toBe(replacement);
  });

  test("is not replaced again when the replacement is refused too", () => {
    const { tokenFor, renew } = openCache();
    renew(tokenFor());
    const replacement = tokenFor();
    expect(renew(replacement)).toBe(false);
    expect(tokenFor()).toBe(replacement);
  });

  test("is replaced by the service's clock, when that is another", () => {
    const { clock, tokenFor, renew } = openCache();
    renew(tokenFor(), 3 * hour);
    expect(exp(tokenFor())).toBe(Math.floor((clock.nowMs + 9 * hour) / 1000));
  });

  test("is replaced by the local clock when they differ by seconds only", () => {
    const { clock, tokenFor, renew } = openCache();
    renew(tokenFor(), 59_000);
    expect(exp(tokenFor())).toBe(Math.floor((clock.nowMs + 12 * hour) / 1000));
  });

  test("is replaced by one that our own clock still takes, when that is half a day behind", () => {
    const { clock, tokenFor, renew } = openCache();
    expect(renew(tokenFor(), -14 * hour)).toBe(true);
    expect(Number(exp(tokenFor())) * 1000).toBeLessThan(clock.nowMs + 24 * hour);
    expect(Number(exp(tokenFor())) * 1000).toBeGreaterThan(clock.nowMs + 14 * hour);
  });

  test("has successors by the service's clock as well, each good for half a day", () => {
    const { clock, tokenFor, renew } = openCache();
    renew(tokenFor(), 3 * hour);
    const replacement = tokenFor();
    clock.nowMs += 12 * hour - 10 * 60_000 - 1;
    expect(tokenFor()).toBe(replacement);
    clock.nowMs += 1;
    expect(exp(tokenFor())).toBe(Math.floor((clock.nowMs + 9 * hour) / 1000));
  });
});

test("origins without number take no memory without bound", () => {
  const { tokenFor } = openCache();
  const first = tokenFor();
  for (let index = 0; index < 1100; index += 1) tokenFor(parseEndpoint(`https://push${index}.example.net/`));
  expect(tokenFor()).not.toBe(first);
});
