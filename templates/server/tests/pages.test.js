import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolder, openWorld } from "./world.js";

/** A server of a small page, with things around it that are nobody's business. */
async function openSite(context) {
  const folder = makeFolder(context);
  const page = join(folder, "public");
  mkdirSync(join(page, "sub"), { recursive: true });
  writeFileSync(join(page, "index.html"), "<!doctype html><title>Hello</title>");
  writeFileSync(join(page, "sw.js"), "// worker");
  writeFileSync(join(page, "manifest.webmanifest"), "{}");
  writeFileSync(join(page, ".env"), "secret");
  writeFileSync(join(folder, "outside.txt"), "secret");
  return openWorld(context, { env: { PAGE_DIR: page } });
}

/** A path as it is: fetch() would tidy it up. */
function get(origin, path) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    httpRequest({ hostname, port, path, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, text }));
    })
      .on("error", reject)
      .end();
  });
}

test("the page is served with the types and headers that it needs", async (context) => {
  const { request } = await openSite(context);
  const page = await request("GET", "/");
  assert.match(page.body, /Hello/);
  assert.match(page.headers.get("content-type"), /^text\/html/);
  assert.match(page.headers.get("content-security-policy"), /script-src 'self'/);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  const worker = await request("GET", "/sw.js");
  assert.match(worker.headers.get("content-type"), /^(text|application)\/javascript/);
  assert.equal(worker.headers.get("cache-control"), "no-cache");
  assert.match((await request("GET", "/manifest.webmanifest")).headers.get("content-type"), /json/);
});

test("nothing outside the page's folder is served, and nothing hidden", async (context) => {
  const { origin } = await openSite(context);
  for (const path of [
    "/.env",
    "/%2eenv",
    "/../outside.txt",
    "/%2e%2e/outside.txt",
    "/..%2foutside.txt",
    "/sub/..%5c..%5coutside.txt",
    "/sub/",
    "/%00",
    "/%",
    "//etc/passwd",
  ]) {
    const { status, text } = await get(origin, path);
    assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
    assert.doesNotMatch(text, /secret|root:/, path);
  }
});
