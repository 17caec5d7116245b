/** The certificate of `webpush emulator`: made once, kept, made anew when it must be. */
import { X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openIdentity } from "../../../src/commands/emulator/identity.ts";
import { openingText, readyJson } from "../../../src/commands/emulator/render.ts";
import { createEmulatorIdentityStore } from "../../../src/store/emulator-identity.ts";
import { testContext } from "../../support/test-context.ts";
import { plainPaint } from "../../../src/terminal/paint.ts";

const dayMs = 86_400_000;

describe("the certificate", () => {
  test("is made at the first start and the same at the next, the key for its owner alone", async () => {
    const context = await testContext();
    const first = await openIdentity(context.emulatorIdentity, context);
    const folder = join(context.location.root, "emulator");
    expect(first.caPath).toBe(join(folder, "ca.pem"));
    expect(readFileSync(join(folder, "ca.pem"), "utf8")).toBe(first.tls.caPem);
    expect(statSync(join(folder, "identity.json")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, "ca.pem"), "utf8")).not.toContain("PRIVATE");
    expect(await openIdentity(context.emulatorIdentity, context)).toEqual(first);
    expect(context.stderr).toEqual([]);
  });

  test("of two that start at once is one", async () => {
    const context = await testContext();
    const stores = [1, 2, 3].map(() => createEmulatorIdentityStore(context.location));
    const opened = await Promise.all(stores.map((store) => openIdentity(store, context)));
    const trusted = readFileSync(context.emulatorIdentity.caPath, "utf8");
    expect(opened.map(({ tls }) => tls.caPem)).toEqual([trusted, trusted, trusted]);
  });

  test("is made anew, in words, when it gets too old", async () => {
    const context = await testContext();
    const first = await openIdentity(context.emulatorIdentity, context);
    context.clock.nowMs += 730 * dayMs;
    const second = await openIdentity(context.emulatorIdentity, context);
    expect(second.tls.certificatePem).not.toBe(first.tls.certificatePem);
    expect(Date.parse(new X509Certificate(second.tls.certificatePem).validTo)).toBeGreaterThan(
      context.clock.now() + 700 * dayMs,
    );
    expect(readFileSync(context.emulatorIdentity.caPath, "utf8")).toBe(second.tls.caPem);
    expect(context.stderr).toEqual([
      "warning: the certificate in .webpush/emulator/identity.json was damaged or too old, there is a new one",
      `hint: restart what trusts ${context.emulatorIdentity.caPath}`,
    ]);
  });

  test.each([
    ["not JSON", "half a fi"],
    ["of another version", '{ "version": 99 }'],
    ["without its key", '{ "version": 1, "ca": "x", "certificate": "y" }'],
    ["nonsense", '{ "version": 1, "ca": "x", "certificate": "y", "key": "z" }'],
  ])("is made anew, in words, when its file is %s", async (_name, text) => {
    const context = await testContext();
    const folder = join(context.location.root, "emulator");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "identity.json"), text);
    const made = await openIdentity(context.emulatorIdentity, context);
    expect(context.stderr[0]).toContain("was damaged or too old, there is a new one");
    expect(await openIdentity(context.emulatorIdentity, context)).toEqual(made);
    expect(context.stderr).toHaveLength(2);
  });

  test("to trust is written again when somebody removed or changed it", async () => {
    const context = await testContext();
    const { tls, caPath = "" } = await openIdentity(context.emulatorIdentity, context);
    writeFileSync(caPath, "something else");
    await openIdentity(context.emulatorIdentity, context);
    expect(readFileSync(caPath, "utf8")).toBe(tls.caPem);
  });

  test.skipIf(process.getuid?.() === 0)("is for one run where nothing can be written", async () => {
    const context = await testContext();
    mkdirSync(context.location.root);
    chmodSync(context.location.root, 0o500);
    const { tls, caPath } = await openIdentity(context.emulatorIdentity, context);
    expect(caPath).toBeUndefined();
    expect(tls.certificatePem).toContain("BEGIN CERTIFICATE");
    expect(context.stderr.join()).toContain("https is for this run only");
  });

  test("is for one run where a file stands in the way of its folder", async () => {
    const context = await testContext();
    mkdirSync(context.location.root);
    writeFileSync(join(context.location.root, "emulator"), "");
    const { caPath } = await openIdentity(context.emulatorIdentity, context);
    expect(caPath).toBeUndefined();
    expect(context.stderr.join()).toContain("warning: https is for this run only");
    expect(existsSync(context.emulatorIdentity.caPath)).toBe(false);
  });
});

describe("what people are told", () => {
  const opening = {
    origin: "http://127.0.0.1:8030",
    httpsOrigin: "https://127.0.0.1:8030",
    wiring: { port: 8030, spkiSha256: "c3BraQ==" },
    apiToken: "token-of-this-run",
    caPath: "/home/ada/my site/.webpush/emulator/ca.pem",
    as: undefined,
    statePath: undefined,
    subscriptionCount: 2,
  };

  test("both lines for the environment of a sender, ready to be pasted", () => {
    const text = openingText(opening, { paint: { out: plainPaint, err: plainPaint } }).join("\n");
    expect(text).toMatch(/^https +https:\/\/127\.0\.0\.1:8030/m);
    expect(text).toMatch(/^ +NODE_EXTRA_CA_CERTS='\/home\/ada\/my site\/\.webpush\/emulator\/ca\.pem'$/m);
    expect(text).toMatch(/^ +HTTPS_PROXY=http:\/\/127\.0\.0\.1:8030$/m);
  });

  test("nothing of a certificate that could not be kept", () => {
    const text = openingText(
      { ...opening, caPath: undefined },
      { paint: { out: plainPaint, err: plainPaint } },
    );
    expect(text.join("\n")).not.toContain("NODE_EXTRA_CA_CERTS");
  });

  test("programs get the address and the file in the first record", () => {
    expect(JSON.parse(readyJson(opening, 0))).toMatchObject({
      type: "ready",
      url: opening.origin,
      httpsUrl: opening.httpsOrigin,
      ca: opening.caPath,
      subscriptions: 2,
    });
    expect(JSON.parse(readyJson({ ...opening, caPath: undefined }, 0))).toMatchObject({ ca: null });
  });
});
