import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PlannedFile } from "../../src/scaffold/plan.ts";
import { inspectTargets, isInside, locateTarget, shownFile } from "../../src/scaffold/target.ts";
import { tempFolder } from "../support/temp-folder.ts";

const file = (path: string, text = "new"): PlannedFile => ({
  path,
  purpose: "a test",
  content: Buffer.from(text),
});
const linkRefused = expect.objectContaining({ code: "scaffold-link", kind: "input" }) as Error;
const folderRefused = expect.objectContaining({ code: "scaffold-folder" }) as Error;

/** What inspecting says about each file, in a folder that `prepare` has filled. */
function inspect(prepare: (root: string) => void, plan: readonly PlannedFile[], force = false) {
  const root = tempFolder();
  prepare(root);
  const target = { root, shown: "public" };
  return inspectTargets([{ target, plan }], { force }).flatMap(({ files }) =>
    files.map(({ outcome }) => outcome),
  );
}

describe("the folder", () => {
  test("is found under the working directory, whether it exists or not", () => {
    const cwd = tempFolder();
    mkdirSync(join(cwd, "there"));
    expect(locateTarget("there/", cwd)).toEqual({ root: join(cwd, "there"), shown: "there/" });
    expect(locateTarget("a b/ü", cwd)).toEqual({ root: join(cwd, "a b/ü"), shown: "a b/ü" });
    expect(locateTarget(".", cwd)).toEqual({ root: cwd, shown: "." });
  });

  test("may lie elsewhere when it was named so", () => {
    const [cwd, elsewhere] = [tempFolder(), tempFolder()];
    expect(locateTarget(elsewhere, cwd).root).toBe(elsewhere);
    expect(locateTarget("../other", cwd).root).toBe(join(cwd, "../other"));
  });

  test("may be a link to another folder of the working directory", () => {
    const cwd = tempFolder();
    mkdirSync(join(cwd, "dist"));
    symlinkSync("dist", join(cwd, "public"));
    expect(locateTarget("public/site", cwd).root).toBe(join(cwd, "dist/site"));
  });

  test.each(["public", "public/new/folder", "./public"])(
    "%s may not lead out of the working directory by a link",
    (dir) => {
      const cwd = tempFolder();
      symlinkSync(tempFolder(), join(cwd, "public"));
      expect(() => locateTarget(dir, cwd)).toThrow(linkRefused);
    },
  );

  test.each(["/nowhere/at/all", "public"])("may not be a link to %s, which is nothing", (to) => {
    const cwd = tempFolder();
    symlinkSync(to, join(cwd, "public"));
    expect(() => locateTarget("public", cwd)).toThrow(linkRefused);
  });

  test.each(["file", "file/below"])("%s cannot be one where there is a file", (dir) => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, "file"), "");
    expect(() => locateTarget(dir, cwd)).toThrow(folderRefused);
  });

  test.each(["", "  ", "a\0b"])("%j names none", (dir) => {
    expect(() => locateTarget(dir, tempFolder())).toThrow(folderRefused);
  });
});

test("a file is shown as one would type it", () => {
  expect(shownFile({ root: "/x", shown: "." }, "a/b")).toBe("a/b");
  expect(shownFile({ root: "/x", shown: "public/" }, "a")).toBe("public/a");
});

test("inside is the folder and what is below, not what merely begins alike", () => {
  expect(isInside("/a/b", "/a/b")).toBe(true);
  expect(isInside("/a/b", "/a/b/..c")).toBe(true);
  expect(isInside("/a/b", "/a/bc")).toBe(false);
  expect(isInside("/a/b", "/a")).toBe(false);
  expect(isInside("/", "/a")).toBe(true);
});

describe("what stands there", () => {
  test("nothing: everything would be created", () => {
    expect(inspect(() => undefined, [file("a"), file("x/y/b")])).toEqual(["created", "created"]);
  });

  test("the same bytes: unchanged, not a conflict", () => {
    expect(
      inspect(
        (root) => {
          writeFileSync(join(root, "a"), "new");
        },
        [file("a"), file("b")],
      ),
    ).toEqual(["unchanged", "created"]);
  });

  test.each(["old", "longer than new"])(
    "other bytes, %j: replaced with force, a conflict without",
    (text) => {
      const prepare = (root: string) => {
        writeFileSync(join(root, "a"), text);
      };
      expect(inspect(prepare, [file("a")], true)).toEqual(["replaced"]);
      expect(() => inspect(prepare, [file("a")])).toThrow(
        expect.objectContaining({
          code: "scaffold-conflict",
          kind: "input",
          message: "public/a is there already and differs",
        }),
      );
    },
  );

  test("many conflicts are one message that stays short", () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    expect(() =>
      inspect(
        (root) => {
          for (const name of names) writeFileSync(join(root, name), "old");
        },
        names.map((name) => file(name)),
      ),
    ).toThrow("6 files are there already and differ: public/a, public/b, public/c, public/d and 2 more");
  });

  test.each([true, false])("a folder in place of a file is refused, force %j", (force) => {
    expect(() =>
      inspect(
        (root) => {
          mkdirSync(join(root, "a"));
        },
        [file("a")],
        force,
      ),
    ).toThrow("public/a is in the way: it is a folder");
  });

  test.each([true, false])("a file in place of a folder is refused, force %j", (force) => {
    expect(() =>
      inspect(
        (root) => {
          writeFileSync(join(root, "x"), "");
        },
        [file("x/a")],
        force,
      ),
    ).toThrow("public/x is in the way: it is not a folder");
  });
});

describe("links", () => {
  test.each([true, false])("in place of a file are refused, force %j", (force) => {
    const outside = tempFolder();
    writeFileSync(join(outside, "victim"), "new");
    for (const to of [join(outside, "victim"), join(outside, "absent"), "b"]) {
      const prepare = (root: string) => {
        symlinkSync(to, join(root, "a"));
      };
      expect(() => inspect(prepare, [file("a")], force)).toThrow(linkRefused);
    }
    expect(readdirSync(outside)).toEqual(["victim"]);
  });

  test.each(["x", "x/y"])("in place of the folder %s are refused, even before it is reached", (at) => {
    const outside = tempFolder();
    const prepare = (root: string) => {
      if (at === "x/y") mkdirSync(join(root, "x"));
      symlinkSync(outside, join(root, at));
    };
    expect(() => inspect(prepare, [file("first"), file("x/y/a")], true)).toThrow(
      `the symbolic link public/${at} is not followed`,
    );
  });

  test.each(["../a", "x/../../a", "/etc/passwd", "", ".", "x/.."])(
    "a template's path %j leads out: a bug of ours",
    (path) => {
      expect(() => inspect(() => undefined, [file(path)], true)).toThrow("leads out of the folder");
    },
  );
});
