import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { run as exportKeys } from "../../../src/commands/keys/export.ts";
import { run as importKeys } from "../../../src/commands/keys/import.ts";
import { formatKeys, keyFormats, parseKeys } from "../../../src/protocol/key-formats.ts";
import { parseSubject } from "../../../src/protocol/subject.ts";
import { samplePair } from "../../support/samples.ts";
import { testContext } from "../../support/test-context.ts";

const [own, other] = [samplePair("own"), samplePair("other")];
const defaults = { file: "-", subject: undefined, add: false, force: false, yes: false };

describe("keys import", () => {
  test.each(keyFormats)("takes what export writes as %s", async (format) => {
    const context = await testContext({ stdin: formatKeys(own, undefined, format) });
    expect(await importKeys(defaults, context)).toBe(0);
    const { current, pairs } = await context.config.read();
    expect(current).toBe(own.publicKey);
    expect(pairs.map(({ pair }) => pair.privateKey.reveal())).toEqual([own.privateKey.reveal()]);
    expect(context.stderr).toEqual([`imported: ${own.publicKey}`, "stored   .webpush/config.json"]);
    expect(context.stdout).toEqual([]);
  });

  test("reads a file, seen from where it runs", async () => {
    const context = await testContext();
    writeFileSync(join(context.cwd, "old.pem"), formatKeys(own, undefined, "pem"));
    await importKeys({ ...defaults, file: "old.pem" }, context);
    expect((await context.config.read()).current).toBe(own.publicKey);
  });

  test("takes the contact that came along, or the one given", async () => {
    const { subject } = parseSubject("mailto:old@shop-online.de");
    const stdin = formatKeys(own, subject, "env");
    const [along, given] = [await testContext({ stdin }), await testContext({ stdin })];
    await importKeys(defaults, along);
    expect((await along.config.read()).subject).toBe("mailto:old@shop-online.de");
    await importKeys({ ...defaults, subject: parseSubject("mailto:new@shop-online.de") }, given);
    expect((await given.config.read()).subject).toBe("mailto:new@shop-online.de");
  });

  test("leaves out a contact that no service takes, with a warning that cannot drive the terminal", async () => {
    const stdin = `VAPID_PRIVATE_KEY=${own.privateKey.reveal()}\nVAPID_SUBJECT=mailto:me\u009b2J@example.com\n`;
    const context = await testContext({ stdin });
    expect(await importKeys(defaults, context)).toBe(0);
    expect(await context.config.read()).toMatchObject({ current: own.publicKey, subject: undefined });
    expect(context.stderr[0]).toMatch(/^warning: the contact in the file was left out: /);
    expect(context.stderr.join("")).not.toContain("\u009b");
  });

  test("of the pair the project has keeps everything", async () => {
    const context = await testContext({ pairs: [own], stdin: formatKeys(own, undefined, "json") });
    const before = await context.config.read();
    expect(await importKeys(defaults, context)).toBe(0);
    expect(await context.config.read()).toEqual(before);
    expect(context.stderr[0]).toBe(`already stored: ${own.publicKey}`);
  });

  test("of another pair is refused without --force, with both ways out", async () => {
    const context = await testContext({ pairs: [own], stdin: formatKeys(other, undefined, "json") });
    await expect(importKeys(defaults, context)).rejects.toMatchObject({
      code: "keys-exist",
      kind: "input",
      hints: [
        "add --add to keep both: the other signs for the subscriptions made with it",
        "or --force to replace it; subscriptions made with it stop working",
        "or keep both apart: webpush keys import FILE --profile NAME",
      ],
    });
    expect((await context.config.read()).current).toBe(own.publicKey);
  });

  test("with --add keeps both: the current pair and its contact stay", async () => {
    const { subject } = parseSubject("mailto:old@shop-online.de");
    const stdin = formatKeys(other, subject, "env");
    const context = await testContext({ pairs: [own], subject: "mailto:ops@shop-online.de", stdin });
    expect(await importKeys({ ...defaults, add: true }, context)).toBe(0);
    const { current, pairs, subject: kept } = await context.config.read();
    expect({ current, kept }).toEqual({ current: own.publicKey, kept: "mailto:ops@shop-online.de" });
    expect(pairs.map(({ pair }) => pair.publicKey)).toEqual([own.publicKey, other.publicKey]);
    expect(context.stderr).toEqual([
      `imported: ${other.publicKey}`,
      "stored   .webpush/config.json",
      "signs    for the subscriptions made with it; the current pair is another",
    ]);
  });

  test("with --add in a project without keys makes it the current one, with its contact", async () => {
    const { subject } = parseSubject("mailto:old@shop-online.de");
    const context = await testContext({ stdin: formatKeys(own, subject, "env") });
    await importKeys({ ...defaults, add: true }, context);
    expect(await context.config.read()).toMatchObject({ current: own.publicKey, subject });
  });

  test("with --add of a pair that is there changes nothing", async () => {
    const context = await testContext({ pairs: [other, own], stdin: formatKeys(other, undefined, "json") });
    const before = await context.config.read();
    expect(await importKeys({ ...defaults, add: true }, context)).toBe(0);
    expect(await context.config.read()).toEqual(before);
    expect(context.stderr[0]).toBe(`already stored: ${other.publicKey}`);
  });

  test("with --force asks first, with --yes replaces at once", async () => {
    const stdin = formatKeys(other, undefined, "json");
    const asked = await testContext({ pairs: [own], stdin, answers: [{ asked: "replace", answer: false }] });
    await expect(importKeys({ ...defaults, force: true }, asked)).rejects.toMatchObject({ code: "declined" });
    const sure = await testContext({ pairs: [own], stdin });
    await importKeys({ ...defaults, force: true, yes: true }, sure);
    expect((await sure.config.read()).pairs.map(({ pair }) => pair.publicKey)).toEqual([other.publicKey]);
  });

  test("--json says what was done, without the private key", async () => {
    const context = await testContext({ json: true, stdin: formatKeys(own, undefined, "json") });
    await importKeys(defaults, context);
    expect(context.stdout).toEqual([`{"publicKey":"${own.publicKey}","imported":true,"current":true}`]);
  });

  test.each([
    ["a file that is not there", "missing.pem", "file-unreadable", "cannot read missing.pem (ENOENT)"],
    ["a folder", ".", "file-unreadable", "cannot read . (EISDIR)"],
    [
      "a private key where the file's name belongs",
      own.privateKey.reveal(),
      "file-unreadable",
      "cannot read [secret] (ENOENT)",
    ],
  ])("of %s is refused", async (_name, file, code, message) => {
    const context = await testContext();
    await expect(importKeys({ ...defaults, file }, context)).rejects.toMatchObject({ code, message });
  });

  test("of a file too long for any key is refused, without reading on", async () => {
    const context = await testContext({ stdin: "x".repeat(64 * 1024 + 1) });
    await expect(importKeys(defaults, context)).rejects.toMatchObject({
      code: "input-too-large",
      message: "stdin is longer than 65536 bytes",
    });
  });
});

describe("keys export", () => {
  test.each(keyFormats)("prints %s that reads back as the same pair", async (format) => {
    const context = await testContext({ pairs: [other, own], subject: "mailto:ops@shop-online.de" });
    expect(await exportKeys({ key: undefined, format, output: undefined }, context)).toBe(0);
    const { pair } = parseKeys(Buffer.from(`${context.stdout.join("\n")}\n`));
    expect([pair.publicKey, pair.privateKey.reveal()]).toEqual([own.publicKey, own.privateKey.reveal()]);
    expect(context.stderr).toEqual([]);
  });

  test("prints another pair by the beginning of its public key", async () => {
    const context = await testContext({ pairs: [other, own] });
    await exportKeys({ key: other.publicKey.slice(0, 8), format: "json", output: undefined }, context);
    expect(context.stdout.join("")).toBe(formatKeys(other, undefined, "json").trimEnd());
  });

  test("writes a file that only its owner can read, and no key on the terminal", async () => {
    const context = await testContext({ pairs: [own] });
    await exportKeys({ key: undefined, format: "pem", output: "key.pem" }, context);
    const path = join(context.cwd, "key.pem");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "utf8")).toMatch(/^-----BEGIN [\s\S]*-----\n$/);
    expect(context.stdout).toEqual([]);
    expect(context.stderr).toEqual(["wrote key.pem; only you can read it"]);
  });

  test.each([
    [
      "a file that is there",
      (path: string) => {
        writeFileSync(path, "mine");
      },
    ],
    [
      "a link in its place",
      (path: string) => {
        symlinkSync("/tmp/elsewhere", path);
      },
    ],
  ])("never writes over %s", async (_name, put) => {
    const context = await testContext({ pairs: [own] });
    put(join(context.cwd, "key.pem"));
    await expect(async () =>
      exportKeys({ key: undefined, format: "pem", output: "key.pem" }, context),
    ).rejects.toMatchObject({
      code: "output-unwritable",
      kind: "failed",
      hints: ["remove it first, or choose another name"],
    });
  });

  test("prints the environment's pair before the project's", async () => {
    const env = { VAPID_PRIVATE_KEY: other.privateKey.reveal() };
    const context = await testContext({ pairs: [own], env });
    await exportKeys({ key: undefined, format: "json", output: undefined }, context);
    expect(context.stdout.join("")).toContain(other.publicKey);
  });

  test("without keys says how to get some", async () => {
    const context = await testContext();
    await expect(async () =>
      exportKeys({ key: undefined, format: "json", output: undefined }, context),
    ).rejects.toMatchObject({
      code: "keys-missing",
      kind: "failed",
      hints: ["make a pair: webpush keys"],
    });
  });
});
