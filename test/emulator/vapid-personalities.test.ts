/** PROTOCOL.md A.2 as each vendor sees it: the row that our sender makes of the answer to every defect of a token. */
import { describe, expect, test } from "vitest";
import type { CauseId } from "../../src/protocol/diagnoses.ts";
import type { VapidDefect } from "../../src/protocol/vapid-verification.ts";
import { accepted, k, refused, token, type Write } from "./vapid-cases.ts";
import { sendTo } from "./vendor-answers.ts";
import { openTestEmulator, sealed, subscribeAt } from "./wire.ts";

const vendors = ["fcm", "mozilla", "apple", "wns"] as const;
type Vendor = (typeof vendors)[number];

const jwt = (row: CauseId) => ({ token: row, algorithm: row, signature: row });
const claims = (row: CauseId) => ({ audience: row, expiry: row, expired: row, "expiry-too-far": row });

/** How each vendor answers each defect. */
const answers: Readonly<Record<Vendor, Readonly<Record<VapidDefect, CauseId>>>> = {
  fcm: {
    ...jwt("fcm.jwt"),
    ...claims("fcm.exp"),
    ...{ missing: "fcm.no-auth", scheme: "fcm.jwt", key: "fcm.public-key" },
    ...{ mismatch: "fcm.key-mismatch", audience: "fcm.aud", subject: "ok" },
  },
  mozilla: {
    ...jwt("moz.auth"),
    ...claims("moz.exp"),
    ...{ missing: "moz.auth", scheme: "moz.auth", key: "moz.auth" },
    ...{ mismatch: "moz.key-mismatch", audience: "moz.aud", subject: "ok" },
  },
  apple: {
    ...jwt("apple.jwt"),
    ...claims("apple.jwt"),
    ...{ missing: "apple.jwt", scheme: "apple.auth-header", key: "apple.public-key" },
    ...{ mismatch: "apple.key-mismatch", subject: "apple.jwt" },
  },
  wns: {
    ...jwt("wns.jwt"),
    ...claims("wns.jwt"),
    ...{ missing: "wns.jwt", scheme: "wns.jwt", key: "wns.jwt" },
    ...{ mismatch: "wns.key-mismatch", subject: "ok" },
  },
};

async function causeOf(vendor: Vendor, write: Write, more: Readonly<Record<string, string>> = {}) {
  await using emulator = await openTestEmulator();
  const { endpoint } = await subscribeAt(emulator.origin, k, vendor);
  const exp = emulator.clock.now() / 1000 + 3600;
  const authorization = write({ aud: emulator.origin, exp, sub: "mailto:ops@harbour.shop" });
  const headers = { ...sealed, ...more, ...(authorization === undefined ? {} : { authorization }) };
  return (await sendTo(endpoint, { headers, body: "x" })).delivery.cause;
}

const withoutContact = "no sub";

describe.each(vendors)("as %s", (vendor) => {
  test.each(accepted)("%s is accepted", async (name, write) => {
    expect(await causeOf(vendor, write)).toBe(name === withoutContact ? answers[vendor].subject : "ok");
  });

  test.each([["no header", "missing", () => undefined], ...refused] as const)(
    "%s: %s",
    async (_name, defect, write) => {
      expect(await causeOf(vendor, write)).toBe(answers[vendor][defect]);
    },
  );

  test.each(["me@harbour.shop", "http://harbour.shop", "mailto:me@localhost", "https://localhost"])(
    "the contact %s is looked at by Apple alone",
    async (sub) => {
      const write: Write = (valid) => `vapid t=${token(valid, { claims: { sub } })}, k=${k}`;
      expect(await causeOf(vendor, write)).toBe(answers[vendor].subject);
    },
  );

  test.each([
    ["WebPush", ["fcm", "mozilla"]],
    ["Bearer", ["mozilla"]],
  ] as const)("the draft's scheme %s is taken by %j", async (scheme, takers) => {
    const write: Write = (valid) => `${scheme} ${token(valid)}`;
    const isTaker = takers.some((taker) => taker === vendor);
    const more = { "crypto-key": `p256ecdsa=${k}` };
    expect(await causeOf(vendor, write, more)).toBe(isTaker ? "ok" : answers[vendor].scheme);
  });
});
