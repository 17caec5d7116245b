import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isIgnoredByGit, locateProject, makeProjectFolder, shownPath } from "../../src/store/project.ts";
import { tempFolder } from "../support/temp-folder.ts";

function locate(cwd: string, { configDir, profile }: { configDir?: string; profile?: string } = {}) {
  return locateProject({ cwd, configDir, profile });
}

describe("the state folder is", () => {
  test("here, when no folder above has one", () => {
    const cwd = tempFolder();
    expect(locate(cwd).root).toBe(join(cwd, ".webpush"));
  });

  test("the nearest one above, as git finds its own", () => {
    const top = tempFolder();
    const [middle, cwd] = [join(top, "app"), join(top, "app", "src", "deep")];
    mkdirSync(join(top, ".webpush"));
    mkdirSync(join(middle, ".webpush"), { recursive: true });
    mkdirSync(cwd, { recursive: true });
    expect(locate(cwd).root).toBe(join(middle, ".webpush"));
    expect(locate(top).root).toBe(join(top, ".webpush"));
  });

  test("what --config-dir says, seen from here", () => {
    const cwd = tempFolder();
    mkdirSync(join(cwd, ".webpush"));
    expect(locate(cwd, { configDir: "state" }).root).toBe(join(cwd, "state"));
    expect(locate(cwd, { configDir: "/srv/push" }).root).toBe("/srv/push");
  });

  test.each(["", " "])("never the working directory because a variable was unset: %j", (configDir) => {
    expect(() => locate(tempFolder(), { configDir })).toThrow(
      expect.objectContaining({ code: "config-dir" }),
    );
  });
});

describe("a profile", () => {
  test("has files of its own inside of the state folder", () => {
    const cwd = tempFolder();
    expect(locate(cwd, { profile: "staging" })).toMatchObject({
      root: join(cwd, ".webpush"),
      configFile: join(cwd, ".webpush", "profiles", "staging", "config.json"),
      subscriptionsFile: join(cwd, ".webpush", "profiles", "staging", "subscriptions.json"),
    });
  });

  test.each(["..", ".", "../x", "a/b", "a\\b", "", "-x", " ", "a b", ".hidden", "x".repeat(65), "é"])(
    "cannot be called %j",
    (profile) => {
      expect(() => locate(tempFolder(), { profile })).toThrow(
        expect.objectContaining({ code: "profile-name" }),
      );
    },
  );

  test.each(["a", "Prod-2", "v1.2_x", "x".repeat(64)])("can be called %j", (profile) => {
    expect(() => locate(tempFolder(), { profile })).not.toThrow();
  });
});

describe("making the folder", () => {
  test("hides it from git, once", () => {
    const location = locate(tempFolder(), { profile: "staging" });
    makeProjectFolder(location);
    makeProjectFolder(location);
    expect(readdirSync(location.root).sort()).toEqual([".gitignore", "profiles"]);
    expect(isIgnoredByGit(location)).toBe(true);
  });

  test("does not hide a folder that holds other things: --config-dir . is somebody's project", () => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, "package.json"), "{}");
    const location = locate(cwd, { configDir: "." });
    makeProjectFolder(location);
    expect(readdirSync(cwd)).toEqual(["package.json"]);
    expect(isIgnoredByGit(location)).toBe(false);
  });

  test("does not put back a .gitignore that was taken away", () => {
    const location = locate(tempFolder());
    mkdirSync(location.root);
    writeFileSync(location.configFile, "{}");
    makeProjectFolder(location);
    expect(readdirSync(location.root)).toEqual(["config.json"]);
  });

  test("where a file is in the way is an error that says so", () => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, ".webpush"), "");
    expect(() => {
      makeProjectFolder(locate(cwd));
    }).toThrow(expect.objectContaining({ code: "store-unwritable", kind: "failed" }));
  });
});

test.each([
  ["/app/.webpush/config.json", "/app", ".webpush/config.json"],
  ["/app/.webpush/config.json", "/app/src", "/app/.webpush/config.json"],
  ["/srv/push/config.json", "/app", "/srv/push/config.json"],
])("%s is shown in %s as %s", (path, cwd, shown) => {
  expect(shownPath(path, { cwd })).toBe(shown);
});
