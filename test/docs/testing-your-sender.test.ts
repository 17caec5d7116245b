/** The test file of docs/testing-your-sender.md, run by vitest against a sender written for it. */
import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempFolder } from "../support/temp-folder.ts";
import { codeBlocksOf, readPage, root } from "./markdown.ts";

/** What the page calls "your code". */
const notify = `
import { randomBytes } from "node:crypto";
import { createKeyPair, createPushRequest, parseSubject, parseSubscription, signToken } from "webpush";

const random = { bytes: (length) => randomBytes(length) };
const pair = createKeyPair(random);
const { subject } = parseSubject("mailto:ops@harbour.shop");

export async function notify(json, text) {
  const to = parseSubscription(json);
  const audience = new URL(to.endpoint).origin;
  const expiresAt = Date.now() + 3_600_000;
  const message = { payload: Buffer.from(text), ttlSeconds: 3600, urgency: undefined, topic: undefined };
  const authorization = signToken({ pair, subject, audience, expiresAt, encoding: "aes128gcm" });
  const material = { salt: randomBytes(16), privateKey: Buffer.from(createKeyPair(random).privateKey.reveal(), "base64url") };
  const { url, method, headers, body } = createPushRequest(message, to, authorization, material);
  const { status } = await fetch(url, { method, headers, body });
  if (status === 429) return notify(json, text);
  return status === 201 ? "sent" : status === 404 || status === 410 ? "gone" : String(status);
}
`;

test("the example passes as it stands", async () => {
  const [example] = codeBlocksOf(readPage("docs/testing-your-sender.md")).filter(
    ({ language }) => language === "js",
  );
  const folder = tempFolder();
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "sender.test.js"), example?.text ?? "");
  writeFileSync(join(folder, "notify.js"), notify);
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules", "webpush"), "junction");
  symlinkSync(join(root, "node_modules", "vitest"), join(folder, "node_modules", "vitest"), "junction");
  const { code, output } = await runVitest(folder);
  expect(code, output).toBe(0);
  expect(output).toMatch(/Tests {2}5 passed/);
});

function runVitest(folder: string): Promise<{ readonly code: number; readonly output: string }> {
  const ours = /^(?:vitest|vite_|node_options|ci$|test$)/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  const argv = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", folder];
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { ...env, NO_COLOR: "1" }, timeout: 50_000 };
    execFile(process.execPath, argv, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, output: stdout + stderr });
    });
  });
}
