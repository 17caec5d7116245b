/** What the doctor sees of the files: real ones, in a folder of the test's own. */
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findPageFolder, readStateFolder, readSurroundings } from "../../../src/commands/doctor/files.ts";
import { samplePair } from "../../support/samples.ts";
import { testContext } from "../../support/test-context.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { errorOf } from "../../support/thrown.ts";

test("without a state folder nothing is seen, and none is made", async () => {
  const context = await testContext();
  expect(readStateFolder(context)).toMatchObject({ path: ".webpush", isThere: false, entries: [] });
});

test("the folder and all in it, with modes and owners", async () => {
  const context = await testContext({ pairs: [samplePair("a")] });
  chmodSync(context.location.configFile, 0o644);
  const { entries, isIgnored, freeBytes } = readStateFolder(context);
  expect(isIgnored).toBe(true);
  expect(freeBytes).toBeGreaterThan(0);
  expect(entries.map(({ path, kind, mode, isMine }) => [path, kind, mode, isMine])).toEqual([
    [".webpush", "folder", 0o700, true],
    [".webpush/.gitignore", "file", expect.any(Number), true],
    [".webpush/config.json", "file", 0o644, true],
  ]);
});

test("a link that leads back is no endless way, and one that leads nowhere no failure", async () => {
  const context = await testContext({ pairs: [samplePair("a")] });
  symlinkSync(context.location.root, join(context.location.root, "loop"));
  symlinkSync("nowhere", join(context.location.root, "dangling"));
  expect(readStateFolder(context).entries.length).toBeLessThan(40);
});

test("what changed when is the file's own time", async () => {
  const context = await testContext({ pairs: [samplePair("a")] });
  const left = join(context.location.root, "config.json.tmp-1");
  writeFileSync(left, "");
  utimesSync(left, 1000, 1000);
  const entry = readStateFolder(context).entries.find(({ path }) => path.endsWith(".tmp-1"));
  expect(entry?.changedAt).toBe(1_000_000);
});

test("a receiver's file that does not read is told, a whole one is not", async () => {
  const context = await testContext({ pairs: [samplePair("a")] });
  mkdirSync(join(context.location.root, "receivers"));
  writeFileSync(join(context.location.root, "receivers", "me.json"), "{");
  expect(readSurroundings(context).damaged.map(({ code }) => code)).toEqual(["store-damaged"]);
  writeFileSync(join(context.location.root, "receivers", "me.json"), '{"version":1}');
  expect(readSurroundings(context).damaged).toEqual([]);
});

describe(".env files that hold a private key", () => {
  const line = `VAPID_PRIVATE_KEY=${samplePair("env").privateKey.reveal()}\n`;

  test.each<[ignore: string, isIgnored: boolean]>([
    ["", false],
    [".env\n", true],
    ["/.env", true],
    ["**/.env", true],
    [".env*", true],
    ["*.local\nnode_modules\n", false],
    ["# .env\n", false],
    [".env*\n!.env\n", false],
  ])("with %j in .gitignore", (ignore, isIgnored) => {
    const cwd = tempFolder();
    mkdirSync(join(cwd, ".git"));
    writeFileSync(join(cwd, ".gitignore"), ignore);
    writeFileSync(join(cwd, ".env"), line);
    expect(seen(cwd)).toEqual({ isInGit: true, secretFiles: [{ path: ".env", isIgnored }] });
  });

  test("examples, and files without a key, are none", () => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, ".env.example"), line);
    writeFileSync(join(cwd, ".env"), "VAPID_PRIVATE_KEY=\nVAPID_SUBJECT=mailto:push@harbour.shop\n");
    expect(seen(cwd).secretFiles).toEqual([]);
  });

  test("the .gitignore at the top of the repository holds below too", () => {
    const cwd = tempFolder();
    mkdirSync(join(cwd, ".git"));
    mkdirSync(join(cwd, "app"));
    writeFileSync(join(cwd, ".gitignore"), ".env\n");
    writeFileSync(join(cwd, "app", ".env"), line);
    expect(seen(join(cwd, "app")).secretFiles).toEqual([{ path: ".env", isIgnored: true }]);
  });

  function seen(cwd: string) {
    const settings = { path: ".webpush/config.json" } as never;
    const { isInGit, secretFiles } = readSurroundings({ cwd, settings, env: {}, receivers: {} as never });
    return { isInGit, secretFiles };
  }
});

describe("the page's folder", () => {
  test("is the one named, else public, else here where a page is", () => {
    const cwd = tempFolder();
    expect(findPageFolder(undefined, { cwd })).toBeUndefined();
    writeFileSync(join(cwd, "index.html"), "");
    expect(findPageFolder(undefined, { cwd })).toEqual({ folder: cwd, shown: "." });
    mkdirSync(join(cwd, "public"));
    expect(findPageFolder(undefined, { cwd })).toEqual({ folder: join(cwd, "public"), shown: "public" });
    expect(findPageFolder("public", { cwd })?.shown).toBe("public");
  });

  test.each(["nowhere", "", "a\0b", "loop", "long".repeat(100)])("%j is refused", (dir) => {
    const cwd = tempFolder();
    symlinkSync("loop", join(cwd, "loop"));
    expect(errorOf(() => findPageFolder(dir, { cwd }))).toMatchObject({
      code: "doctor-folder",
    });
  });
});
