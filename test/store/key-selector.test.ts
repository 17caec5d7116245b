import { describe, expect, test } from "vitest";
import { selectPair, shortKey } from "../../src/store/key-selector.ts";
import { samplePair } from "../support/samples.ts";
import { errorOf } from "../support/thrown.ts";

const pairs = ["one", "two", "three"].map((name) => samplePair(name));
const [one] = pairs as [ReturnType<typeof samplePair>];

describe("a key pair is named", () => {
  test.each([
    ["by the beginning of its public key", one.publicKey.slice(0, 4)],
    ["as a list shows it", shortKey(one.publicKey)],
    ["as somebody types that", `${one.publicKey.slice(0, 12)}...`],
    ["by all of it", one.publicKey],
    ["with a blank copied along", ` ${one.publicKey}\n`],
  ])("%s", (_how, given) => {
    expect(selectPair(pairs, given)).toBe(one);
  });
});

describe("refused is", () => {
  test("too short a beginning, which all keys may share", () => {
    expect(errorOf(() => selectPair(pairs, "B"))).toMatchObject({
      code: "key-not-found",
      message: '"B" is too short to tell a key by',
      hints: ["give at least 4 characters of it: webpush keys list"],
    });
  });

  test("the beginning of no key", () => {
    expect(errorOf(() => selectPair(pairs, "Bxyz"))).toMatchObject({
      code: "key-not-found",
      message: 'no key pair here has a public key that begins with "Bxyz"',
      hints: ["run `webpush keys list` to see them"],
    });
  });

  test("a private key, without repeating it", () => {
    const secret = one.privateKey.reveal();
    expect(errorOf(() => selectPair(pairs, secret))).toMatchObject({
      message: "no key pair here has a public key that begins with the 43 characters given",
    });
  });

  test("what two keys begin with, and both are named", () => {
    const twins = ["BAAA1xxxxxxxxxxx", "BAAA2xxxxxxxxxxx"].map((publicKey) => ({
      publicKey: publicKey as typeof one.publicKey,
    }));
    expect(errorOf(() => selectPair(twins, "BAAA"))).toMatchObject({
      code: "key-ambiguous",
      message: "BAAA is the beginning of 2 public keys",
      hints: ["give more of it: BAAA1xxxxxxx, BAAA2xxxxxxx"],
    });
  });
});
