/** A set of fingerprints: compared with a plain Set, through all its growing. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FingerprintSet, fingerprintOf } from "../../src/base/fingerprint-set.ts";

test("a member is taken in once", () => {
  const set = new FingerprintSet();
  expect(set.has(fingerprintOf("alice"))).toBe(false);
  expect(set.add(fingerprintOf("alice"))).toBe(true);
  expect(set.add(fingerprintOf("alice"))).toBe(false);
  expect(set.has(fingerprintOf("alice"))).toBe(true);
  expect(set.has(fingerprintOf("bob"))).toBe(false);
  expect(set.size).toBe(1);
});

test("a fingerprint is the SHA-256, of text as of its bytes", () => {
  const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, B.1
  expect(Buffer.from(fingerprintOf("abc")).toString("hex")).toBe(digest);
  expect(fingerprintOf(new TextEncoder().encode("abc"))).toEqual(fingerprintOf("abc"));
});

test("a mark can be changed, and a member that is added again keeps it", () => {
  const set = new FingerprintSet();
  set.mark(fingerprintOf("alice"), 7);
  expect(set.add(fingerprintOf("alice"))).toBe(false);
  expect(set.markOf(fingerprintOf("alice"))).toBe(7);
  set.mark(fingerprintOf("alice"), 255);
  expect(set.markOf(fingerprintOf("alice"))).toBe(255);
  expect(set.markOf(fingerprintOf("bob"))).toBe(0);
  expect(set.size).toBe(1);
});

test("members, marks and size survive growing to a hundred thousand", () => {
  const set = new FingerprintSet();
  const digests = Array.from({ length: 100_000 }, (_, number) => fingerprintOf(`member ${number}`));
  digests.forEach((digest, number) => {
    set.mark(digest, 1 + (number % 255));
  });
  expect(set.size).toBe(digests.length);
  expect(digests.filter((digest, number) => set.markOf(digest) !== 1 + (number % 255))).toEqual([]);
  const strangers = digests.map((_, number) => fingerprintOf(`stranger ${number}`));
  expect(strangers.filter((digest) => set.has(digest))).toEqual([]);
});

test("it answers as a Set does, whatever the digests: all in one place, all zeros, alike but for one byte", () => {
  const byte = fc.constantFrom(0, 1, 255);
  const digest = fc.array(byte, { minLength: 12, maxLength: 12 }).map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(fc.array(digest, { maxLength: 2000, size: "max" }), (digests) => {
      const [set, plain] = [new FingerprintSet(), new Set<string>()];
      for (const each of digests) {
        const isNew = !plain.has(each.join());
        plain.add(each.join());
        expect(set.add(each)).toBe(isNew);
      }
      expect(set.size).toBe(plain.size);
      expect(digests.every((each) => set.has(each))).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("only the first 12 bytes count", () => {
  const set = new FingerprintSet();
  const digest = fingerprintOf("alice");
  set.add(digest);
  expect(set.has(digest.subarray(0, 12))).toBe(true);
  for (let at = 0; at < 12; at += 1) {
    const other = Uint8Array.from(digest);
    other[at] = (other[at] ?? 0) ^ 0x80;
    expect(set.has(other), `byte ${at}`).toBe(false);
  }
});
