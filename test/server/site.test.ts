/** What a folder's site serves, and above all what it does not (PROTOCOL.md §6 rows 9 and 11). */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFolderSite } from "../../src/server/site.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { ask, openTestServer, serverPair, type TestServer } from "./harness.ts";

const secret = "nobody may read this";

/** A site with a secret beside it, inside it under names with dots, and behind links. */
async function openFolder(): Promise<TestServer> {
  const project = tempFolder();
  const folder = join(project, "public");
  for (const made of ["public/icons", "public/.webpush", "public/state", "public/folder"]) {
    mkdirSync(join(project, made), { recursive: true });
  }
  const files = {
    "secret.txt": secret,
    "public/index.html": "<!doctype html>",
    "public/sw.js": "self",
    "public/manifest.webmanifest": "{}",
    "public/icons/badge-96.png": "png",
    "public/a b.txt": "spaces",
    "public/.env": secret,
    "public/.webpush/config.json": secret,
    "public/state/config.json": secret,
    "public/vapid.txt": `VAPID_PRIVATE_KEY=${serverPair.privateKey.reveal()}`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  symlinkSync(join(project, "secret.txt"), join(folder, "link.txt"));
  symlinkSync(project, join(folder, "up"));
  symlinkSync(join(folder, ".env"), join(folder, "env.txt"));
  symlinkSync(join(folder, "sw.js"), join(folder, "inside.js"));
  const site = createFolderSite({
    folder,
    stateFolder: join(folder, "state"),
    secrets: () => Promise.resolve([serverPair.privateKey]),
  });
  return openTestServer({ site });
}

test.each([
  ["/", "text/html; charset=utf-8"],
  ["/index.html?utm=1", "text/html; charset=utf-8"],
  ["/sw.js", "text/javascript; charset=utf-8"],
  ["/manifest.webmanifest", "application/manifest+json"],
  ["/icons/badge-96.png", "image/png"],
  ["/a%20b.txt", "text/plain; charset=utf-8"],
  ["/inside.js", "text/javascript; charset=utf-8"],
])("%s is served as %s", async (path, type) => {
  const answer = await ask(await openFolder(), "GET", path);
  expect(answer).toMatchObject({
    status: 200,
    headers: { "content-type": type, "cache-control": "no-store" },
  });
});

test.each([
  "/../secret.txt",
  "/icons/../../secret.txt",
  "/%2e%2e/secret.txt",
  "/%2e%2e%2fsecret.txt",
  "/..%2fsecret.txt",
  "/icons%2f..%2f..%2fsecret.txt",
  "/%252e%252e%252fsecret.txt",
  "/%252e%252e/secret.txt",
  "/..\\secret.txt",
  "/..%5csecret.txt",
  "/icons\\..\\..\\secret.txt",
  "/secret.txt%00.html",
  "/%00",
  "/..%00/secret.txt",
  "//secret.txt",
  "/%c0%ae%c0%ae/secret.txt",
  "/.%2e/secret.txt",
  "/...//secret.txt",
  "/C:/secret.txt",
  "/up/secret.txt",
  "/link.txt",
  "/env.txt",
  "/.env",
  "/%2eenv",
  "/.webpush/config.json",
  "/%2ewebpush/config.json",
  "/icons/../.webpush/config.json",
  "/state/config.json",
  "/vapid.txt",
])("%s is not served", async (path) => {
  const server = await openFolder();
  const answer = await ask(server, "GET", path);
  expect([400, 404]).toContain(answer.status);
  expect(answer.body.toString()).not.toContain(secret);
  expect(answer.body.toString()).not.toContain(serverPair.privateKey.reveal());
});

test("a folder is answered with the address that its links are relative to", async () => {
  const answer = await ask(await openFolder(), "GET", "/icons");
  expect(answer).toMatchObject({ status: 302, headers: { location: "/icons/" } });
  expect((await ask(await openFolder(), "GET", "//evil.example/%2e%2e")).status).toBe(400);
});

test("a file that is not there is said, and what browsers ask for unasked is not", async () => {
  const server = await openFolder();
  expect((await ask(server, "GET", "/app.js")).status).toBe(404);
  expect((await ask(server, "GET", "/favicon.ico")).status).toBe(404);
  expect(server.events).toMatchObject([{ type: "refused", code: "not-found", path: "/app.js" }]);
});

test("HEAD is answered without a body", async () => {
  const answer = await ask(await openFolder(), "HEAD", "/sw.js");
  expect(answer).toMatchObject({
    status: 200,
    headers: { "content-type": "text/javascript; charset=utf-8" },
  });
  expect(answer.body).toHaveLength(0);
});
