import { describe, expect, test } from "vitest";
import { parseSubject } from "../../src/protocol/subject.ts";
import { createKeyRing, readEnvironmentKeys, type KeptKeys } from "../../src/settings/vapid.ts";
import { samplePair } from "../support/samples.ts";

const [own, older] = [samplePair("own"), samplePair("older")];
const [added, ci] = [samplePair("added"), samplePair("ci")];

describe("keys from the environment", () => {
  test("are a pair and a subject", () => {
    const keys = readEnvironmentKeys({
      VAPID_PUBLIC_KEY: ci.publicKey,
      VAPID_PRIVATE_KEY: ci.privateKey.reveal(),
      VAPID_SUBJECT: "mailto:ops@shop-online.de",
    });
    expect(keys.pair?.publicKey).toBe(ci.publicKey);
    expect(keys.subject).toBe("mailto:ops@shop-online.de");
  });

  test("are complete with the private key alone", () => {
    expect(readEnvironmentKeys({ VAPID_PRIVATE_KEY: ci.privateKey.reveal() }).pair?.publicKey).toBe(
      ci.publicKey,
    );
  });

  test("take the subject from the older VAPID_EMAIL too", () => {
    expect(readEnvironmentKeys({ VAPID_EMAIL: "ops@shop-online.de" }).subject).toBe(
      "mailto:ops@shop-online.de",
    );
  });

  test("are none when nothing is set", () => {
    expect(readEnvironmentKeys({})).toEqual({ pair: undefined, subject: undefined });
  });

  test("are refused when only the public one is there", () => {
    expect(() => readEnvironmentKeys({ VAPID_PUBLIC_KEY: ci.publicKey })).toThrow(
      expect.objectContaining({ code: "vapid-environment", kind: "credentials" }),
    );
  });

  test("are refused when they do not belong together, without showing the private one", () => {
    const env = { VAPID_PUBLIC_KEY: own.publicKey, VAPID_PRIVATE_KEY: ci.privateKey.reveal() };
    expect(() => readEnvironmentKeys(env)).toThrow(expect.objectContaining({ code: "vapid-pair-mismatch" }));
    expect(() => readEnvironmentKeys(env)).not.toThrow(ci.privateKey.reveal());
  });
});

describe("the key ring of a run", () => {
  const kept: KeptKeys = {
    current: own.publicKey,
    pairs: [
      { pair: own, createdAt: 2, currentSince: 2 },
      { pair: older, createdAt: 1, currentSince: 1 },
      { pair: added, createdAt: 3, currentSince: undefined },
    ],
    subject: parseSubject("mailto:kept@shop-online.de").subject,
  };
  const nothing = { pair: undefined, subject: undefined };

  test("is the project's when the environment says nothing", () => {
    expect(createKeyRing(nothing, kept)).toEqual({
      current: own,
      pairs: [own, older, added],
      tenures: [
        { pair: older, since: 1 },
        { pair: own, since: 2 },
      ],
      newestAt: 3,
      subject: "mailto:kept@shop-online.de",
      source: "project",
    });
  });

  test("signs with the environment's pair first, the project's stay usable", () => {
    const ring = createKeyRing({ pair: ci, subject: undefined }, kept);
    expect(ring).toEqual({
      current: ci,
      pairs: [ci, own, older, added],
      tenures: [],
      newestAt: 3,
      subject: "mailto:kept@shop-online.de",
      source: "environment",
    });
  });

  test("holds a pair once that both name", () => {
    expect(createKeyRing({ pair: own, subject: undefined }, kept).pairs).toEqual([own, older, added]);
  });

  test("takes the environment's subject before the project's", () => {
    const { subject } = parseSubject("mailto:env@shop-online.de");
    expect(createKeyRing({ pair: undefined, subject }, kept)).toMatchObject({ subject, current: own });
  });

  test("is empty in an empty project", () => {
    expect(createKeyRing(nothing, { current: undefined, pairs: [], subject: undefined })).toEqual({
      current: undefined,
      pairs: [],
      tenures: [],
      subject: undefined,
      source: "none",
    });
  });
});
