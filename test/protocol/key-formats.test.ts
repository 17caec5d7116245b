import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { formatKeys, keyFormats, parseKeys } from "../../src/protocol/key-formats.ts";
import { parseSubject } from "../../src/protocol/subject.ts";
import { pair, pairOf, privateKey, publicKey, read, spki } from "./key-samples.ts";

test("json is byte for byte what web-push prints", () => {
  const { stdout } = spawnSync(
    process.execPath,
    ["node_modules/web-push/src/cli.js", "generate-vapid-keys", "--json"],
    {
      encoding: "utf8",
    },
  );
  expect(`${formatKeys(parseKeys(Buffer.from(stdout)).pair, undefined, "json")}\n`).toBe(stdout);
});

test("web-push's human output is read", () => {
  const { stdout } = spawnSync(
    process.execPath,
    ["node_modules/web-push/src/cli.js", "generate-vapid-keys"],
    {
      encoding: "utf8",
    },
  );
  expect(stdout).toContain(read(stdout).publicKey);
  expect(stdout).toContain(read(stdout).privateKey);
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

test.runIf(hasOpenssl)("openssl reads the exported PEM and PKCS#8 and sees the same public key", () => {
  const der = Buffer.from(formatKeys(pair, undefined, "pkcs8"), "base64url");
  const { stdout } = spawnSync("openssl", ["pkey", "-inform", "DER", "-pubout"], {
    input: der,
    encoding: "utf8",
  });
  expect(stdout).toBe(spki);
  expect(
    Buffer.from(spki.replace(/-----.*-----|\n/g, ""), "base64")
      .subarray(-65)
      .toString("base64url"),
  ).toBe(publicKey);
});

test.each([
  ["mailto:push@company.de", "VAPID_SUBJECT=mailto:push@company.de"],
  ["https://company.de/#push", "VAPID_SUBJECT='https://company.de/#push'"],
  ["mailto:o'neil@company.de", `VAPID_SUBJECT="mailto:o'neil@company.de"`],
])("env carries the subject %s, quoted where it must be, and reads it back", (text, line) => {
  const env = formatKeys(pair, parseSubject(text).subject, "env");
  expect(env).toBe(`VAPID_PUBLIC_KEY=${publicKey}\nVAPID_PRIVATE_KEY=${privateKey}\n${line}`);
  expect(read(env)).toEqual({ publicKey, privateKey, subject: text });
});

test.each(keyFormats)(
  "every pair written as %s is read back the same, leading zero bytes included",
  (format) => {
    const zeros = fc.integer({ min: 0, max: 24 });
    const scalar = fc.tuple(zeros, fc.uint8Array({ minLength: 32, maxLength: 32 })).map(([count, bytes]) => {
      const last = bytes.subarray(0, 31);
      return Uint8Array.from([...last.map((byte, index) => (index < count ? 0 : byte)), 1]);
    });
    // Its first two bytes look like the start of a DER structure of just its length.
    const derLike = fc
      .uint8Array({ minLength: 30, maxLength: 30 })
      .map((rest) => Uint8Array.from([0x30, 0x1e, ...rest]));
    fc.assert(
      fc.property(fc.oneof(scalar, derLike), (bytes) => {
        const written = pairOf(bytes);
        const text = formatKeys(written, undefined, format);
        expect(text).not.toMatch(/\n$/);
        for (const input of [text, `${text}\n`, `\ufeff${text.replaceAll("\n", "\r\n")}\r\n`]) {
          expect(read(input)).toEqual({
            publicKey: written.publicKey,
            privateKey: Buffer.from(bytes).toString("base64url"),
            subject: undefined,
          });
        }
      }),
    );
  },
);

test("any bytes are a pair or a UserError", () => {
  const words = fc.constantFrom(
    "VAPID_PRIVATE_KEY=",
    "publicKey",
    ":",
    "\n",
    "{",
    "}",
    '"',
    "'",
    "-----BEGIN EC PRIVATE KEY-----",
    "-----END EC PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
    '"kty":"EC"',
    '"crv":"P-256"',
    '"d":',
    ",",
    "[",
    "]",
    "public ",
    "=",
    "AAAA",
    privateKey,
    publicKey,
    "\\n",
    "# ",
    "0",
    "\u0000",
  );
  const input = fc.oneof(
    fc.array(words, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(""))),
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 120 }).map((rest) => Buffer.concat([Buffer.of(0x30, rest.length), rest])),
    fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(input, (bytes) => {
      try {
        parseKeys(bytes);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect([error.message, ...error.hints].join()).not.toContain(privateKey.slice(0, 12));
      }
    }),
    { numRuns: 1500 },
  );
});

test("a file with one byte changed is never read as another key without a word", () => {
  const files = keyFormats.filter((format) => format !== "raw"); // which has nothing to compare with
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.nat(), fc.nat(255), (format, at, byte) => {
      const bytes = Buffer.from(formatKeys(pair, undefined, format));
      bytes[at % bytes.length] = byte;
      try {
        // A byte may fall where it means nothing; where it means something the halves no longer match.
        expect(read(bytes).privateKey).toBe(privateKey);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message).not.toContain(privateKey.slice(0, 12));
      }
    }),
    { numRuns: 500 },
  );
});
