import { describe, expect, test } from "vitest";
import { parseSubject } from "../../src/protocol/subject.ts";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { verifyVapid } from "../../src/protocol/vapid-verification.ts";
import { createTokenCache } from "../../src/sender/token-cache.ts";
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
  return { clock, tokenFor };
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
