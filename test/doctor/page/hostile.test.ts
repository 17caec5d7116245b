/** Whatever lies in a folder, the doctor reads it: no text makes it throw, hang or run out of stack. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { changed, complaints, factsOf, plainPage, scaffoldedPage } from "./support.ts";

const parts = [
  "self.addEventListener('push', (e) => ",
  "e.waitUntil(",
  "self.registration.showNotification('a')",
  "async () => { await fetch('/') }",
  "if (e.data) return;",
  "try { e.data.json() } catch {}",
  "navigator.serviceWorker.register(",
  "`/${sw}.js`",
  "pushManager.subscribe({ userVisibleOnly: !0 })",
  ".then(",
  ".catch(f)",
  "function f(a) { return f(f) }",
  "const x = x, y = z, z = y;",
  "import a from './app.js';",
  "export * from './sw.js';",
  "importScripts('app.js');",
  "({",
  "})",
  ")",
  "}",
  ";",
];
const script = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.array(fc.constantFrom(...parts), { maxLength: 20 }).map((some) => some.join("\n")),
);

test("any text may stand in the place of a script, a page or a manifest", async () => {
  await fc.assert(
    fc.asyncProperty(script, script, fc.string(), fc.json(), async (worker, app, html, manifest) => {
      const page = { "sw.js": worker, "app.js": app, "manifest.json": manifest };
      await complaints(factsOf({ ...page, "index.html": plainPage["index.html"] ?? "" }));
      await complaints(factsOf({ ...page, "index.html": `<script>${app}</script>${html}` }));
    }),
    { numRuns: 400 },
  );
});

test("a worker with any piece cut out is still judged", async () => {
  const whole = scaffoldedPage();
  const text = whole["sw.js"] ?? "";
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length), fc.nat(400), async (from, length) => {
      await complaints(factsOf({ ...whole, "sw.js": text.slice(0, from) + text.slice(from + length) }));
    }),
    { numRuns: 60 },
  );
});

const deep = 30_000;
test.each([
  ["brackets", `showNotification(${"(".repeat(deep)}`],
  ["closed brackets", `showNotification(${"[".repeat(deep)}${"]".repeat(deep)})`],
  ["a chain of calls", `self.addEventListener("push", (event) => event${".then(f)".repeat(deep)})`],
  [
    "a chain of sums",
    `self.addEventListener("push", (event) => { showNotification(${"1+".repeat(deep)}1) })`,
  ],
  [
    "branches",
    `self.addEventListener("push", (event) => { ${"if (a) showNotification(b); else c();".repeat(5000)} })`,
  ],
  ["functions that call each other", functionsInACircle(300)],
])("deep nesting: %s", async (_name, worker) => {
  const began = performance.now();
  await complaints(factsOf({ ...plainPage, "sw.js": worker }));
  expect(performance.now() - began).toBeLessThan(5000);
});

function functionsInACircle(count: number): string {
  const functions = Array.from({ length: count }, (_, at) => {
    return `async function f${at}(event) { ${Array.from({ length: 6 }, (_, by) => `await f${(at + by + 1) % count}(event);`).join(" ")} }`;
  });
  return `self.addEventListener("push", (event) => event.waitUntil(f0(event)));\n${functions.join("\n")}`;
}

test("deep HTML and deep JSON", async () => {
  const html = `<script src="app.js"></script>${"<div>".repeat(3000)}<link rel="manifest" href="manifest.json">`;
  await complaints(factsOf({ ...plainPage, "index.html": html, "manifest.json": "[".repeat(deep) }));
});

test("files named like members of every object", async () => {
  const page = { ...plainPage, constructor: "", "__proto__.js": "serviceWorker", "toString.js": "publicKey" };
  const named = changed(
    "app.js",
    "async function tell",
    "const constructor = toString, __proto__ = valueOf;\nasync function tell",
    page,
  );
  expect(await complaints(factsOf(named))).toEqual([]);
});

test("two hundred files of five megabytes are read in well under two seconds", async () => {
  // What a build leaves: much code that has nothing to do with push, and some that has.
  const filler =
    "export const value = (a, b) => { const list = [a, b].map((x) => x * 2); return { list, sum: a + b }; };\n";
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => [
      `chunks/part-${at}.js`,
      (at % 10 === 0 ? "navigator.serviceWorker.ready.then(() => {});\n" : "") +
        Array.from({ length: 250 }, (_, row) => filler.replace("value", `value${row}`)).join(""),
    ]),
  );
  const bytes = Object.values(files).reduce((sum, text) => sum + text.length, 0);
  expect(bytes).toBeGreaterThan(5_000_000);
  const began = performance.now();
  expect(await complaints(factsOf({ ...plainPage, ...files }))).toEqual([]);
  expect(performance.now() - began).toBeLessThan(4000);
});

test("of scripts that all speak of push, two megabytes are parsed, and the rest is named", async () => {
  const text = `navigator.serviceWorker.ready.then(() => { ${"list.push(1);".repeat(40_000)} });`;
  const files = Object.fromEntries(Array.from({ length: 6 }, (_, at) => [`part-${at}.js`, text]));
  const said = await complaints(factsOf({ ...plainPage, ...files }));
  expect(said).toContain(
    "skipped page.files public/part-5.js not read: more than 2 MB of scripts speak of push",
  );
  expect(said.filter((line) => !line.startsWith("skipped page.files"))).toEqual([]);
});
