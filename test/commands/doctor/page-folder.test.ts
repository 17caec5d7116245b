import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { readPageFolder } from "../../../src/commands/doctor/page-folder.ts";
import { tempFolder } from "../../support/temp-folder.ts";

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = tempFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test("texts are read, pictures are only named, others' code and hidden files are left alone", () => {
  const folder = folderWith({
    "index.html": "<p>",
    "js/app.js": "1",
    "icons/a.png": "PNG",
    "node_modules/lib/index.js": "2",
    ".env": "SECRET=1",
    ".webpush/config.json": "{}",
  });
  const files = readPageFolder(folder, "public");
  expect(files.shown).toBe("public");
  expect([...files.texts]).toEqual([
    ["index.html", "<p>"],
    ["js/app.js", "1"],
  ]);
  expect([...files.paths].sort()).toEqual(["icons/a.png", "index.html", "js/app.js"]);
  expect([...files.hidden].sort()).toEqual([".env", ".webpush"]);
  expect(files.leftOut).toEqual([]);
});

test("a link inside of the folder is followed, one that leads out of it is not", () => {
  const folder = folderWith({ "real.js": "1" });
  const outside = folderWith({ "secret.js": "2" });
  symlinkSync(join(folder, "real.js"), join(folder, "link.js"));
  symlinkSync(join(outside, "secret.js"), join(folder, "out.js"));
  symlinkSync(outside, join(folder, "folder"));
  symlinkSync(join(folder, "nowhere.js"), join(folder, "dangling.js"));
  const files = readPageFolder(folder, "public");
  expect([...files.texts.keys()].sort()).toEqual(["link.js", "real.js"]);
  expect(files.leftOut).toEqual([
    { path: "dangling.js", why: "cannot be read (ENOENT)" },
    { path: "folder", why: "is a link out of the folder" },
    { path: "out.js", why: "is a link out of the folder" },
  ]);
});

test("what is too large or too deep is named", () => {
  const deep = Array.from({ length: 14 }, () => "d").join("/");
  const folder = folderWith({ "big.js": "x".repeat(1024 * 1024 + 1), [`${deep}/app.js`]: "1" });
  const files = readPageFolder(folder, "public");
  expect(files.leftOut).toEqual([
    { path: "big.js", why: "is larger than 1 MB" },
    { path: Array.from({ length: 13 }, () => "d").join("/"), why: "lies too deep" },
  ]);
});

test("more text than the doctor reads in a second is left out, with its reason", () => {
  const part = "x".repeat(1000 * 1000);
  const folder = folderWith(
    Object.fromEntries(
      Array.from({ length: 14 }, (_, at) => [`part-${String(at).padStart(2, "0")}.js`, part]),
    ),
  );
  const files = readPageFolder(folder, "public");
  expect(files.texts.size).toBe(12);
  expect(files.leftOut.map(({ path }) => path)).toEqual(["part-12.js", "part-13.js"]);
});
