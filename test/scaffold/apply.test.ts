import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { applyPlans } from "../../src/scaffold/apply.ts";
import type { PlannedFile } from "../../src/scaffold/plan.ts";
import { tempFolder } from "../support/temp-folder.ts";

const file = (path: string, text = "new"): PlannedFile => ({
  path,
  purpose: "a test",
  content: Buffer.from(text),
});

/** Nothing stands in the way of either beforehand; once `a` is a file, `a/b` cannot be written. */
const impossible = [file("a"), file("a/b")];

function apply(root: string, plan: readonly PlannedFile[], force = false) {
  const target = { root, shown: "public" };
  return applyPlans([{ target, plan }], { force }).flatMap(({ files }) =>
    files.map(({ outcome }) => outcome),
  );
}

/** Every file and folder below, with the files' texts. */
function contents(root: string): Readonly<Record<string, string>> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return [relative(root, path), entry.isFile() ? readFileSync(path, "utf8") : "folder"] as const;
  });
  return Object.fromEntries(entries);
}

test("files and the folders they need are written", () => {
  const root = join(tempFolder(), "not yet/ü");
  expect(apply(root, [file("a", "1"), file("x/y/b", "2"), file("x/c", "3")])).toEqual([
    "created",
    "created",
    "created",
  ]);
  expect(contents(root)).toEqual({ a: "1", x: "folder", "x/y": "folder", "x/y/b": "2", "x/c": "3" });
});

test("bytes are written as they are", () => {
  const root = tempFolder();
  const content = Uint8Array.from({ length: 256 }, (_, index) => index);
  apply(root, [{ ...file("a"), content }]);
  expect(readFileSync(join(root, "a"))).toEqual(Buffer.from(content));
});

test("a second time nothing is touched", () => {
  const root = tempFolder();
  apply(root, [file("a")]);
  const before = statSync(join(root, "a"));
  expect(apply(root, [file("a")], true)).toEqual(["unchanged"]);
  expect(statSync(join(root, "a"))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
});

test("what has come since it was looked at is not written over, and what was begun is taken back", () => {
  const root = tempFolder();
  expect(() => apply(root, [file("a", "first"), file("a", "second")], true)).toThrow(
    /cannot write public.a \(EEXIST\)/,
  );
  expect(contents(root)).toEqual({});
});

test("a conflict is found before anything is written", () => {
  const root = tempFolder();
  writeFileSync(join(root, "z"), "mine");
  expect(() => apply(root, [file("a"), file("z")])).toThrow("public/z is there already and differs");
  expect(contents(root)).toEqual({ z: "mine" });
});

test("with force a file is replaced, keeps its mode, and leaves nothing beside it", () => {
  const root = tempFolder();
  writeFileSync(join(root, "a"), "mine");
  chmodSync(join(root, "a"), 0o640);
  expect(apply(root, [file("a")], true)).toEqual(["replaced"]);
  expect(contents(root)).toEqual({ a: "new" });
  expect(statSync(join(root, "a")).mode & 0o777).toBe(0o640);
});

test("with force a file is replaced, not written into: its other names keep the old text", () => {
  const [root, outside] = [tempFolder(), tempFolder()];
  writeFileSync(join(root, "a"), "mine");
  linkSync(join(root, "a"), join(outside, "other"));
  apply(root, [file("a")], true);
  expect(contents(root)).toEqual({ a: "new" });
  expect(contents(outside)).toEqual({ other: "mine" });
});

describe("when a write fails midway", () => {
  test("what was created is removed again, folders too, and the error says so", () => {
    const parent = tempFolder();
    expect(() => apply(join(parent, "x/public"), [file("deep/er/c"), ...impossible])).toThrow(
      expect.objectContaining({
        code: "scaffold-unwritable",
        kind: "failed",
        message: "cannot write public/a/b (EEXIST)",
        hints: ["check who owns the folder, or choose another; the folder is as it was"],
      }),
    );
    expect(contents(parent)).toEqual({});
  });

  test("what was replaced is the old file again: same bytes, mode, time and inode", () => {
    const root = tempFolder();
    mkdirSync(join(root, "x"));
    writeFileSync(join(root, "x/old"), "mine");
    chmodSync(join(root, "x/old"), 0o604);
    const before = statSync(join(root, "x/old"));
    expect(() => apply(root, [file("x/old"), file("x/new"), ...impossible], true)).toThrow(
      "cannot write public/a/b",
    );
    expect(contents(root)).toEqual({ x: "folder", "x/old": "mine" });
    const { ino, mode, mtimeMs } = statSync(join(root, "x/old"));
    expect({ ino, mode, mtimeMs }).toEqual({ ino: before.ino, mode: before.mode, mtimeMs: before.mtimeMs });
  });

  test("folders that were there already stay", () => {
    const root = tempFolder();
    mkdirSync(join(root, "x"));
    expect(() => apply(root, [file("x/c"), ...impossible])).toThrow("cannot write");
    expect(contents(root)).toEqual({ x: "folder" });
  });
});
