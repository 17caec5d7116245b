import { describe, expect, test } from "vitest";
import { findBrowser, type FindOptions } from "../../src/browsers/find.ts";
import { errorOf } from "../support/thrown.ts";

/** A machine with these programs. */
function machine(programs: readonly string[], over: Partial<FindOptions> = {}): FindOptions {
  return {
    env: { PATH: "/usr/local/bin:/usr/bin" },
    executable: undefined,
    platform: "linux",
    isProgram: (path) => programs.includes(path),
    ...over,
  };
}

describe("a browser is found", () => {
  test.each([
    ["chromium", "/usr/bin/chromium"],
    ["chromium", "/usr/bin/chromium-browser"],
    ["chromium", "/usr/local/bin/google-chrome"],
    ["chromium", "/usr/bin/google-chrome-stable"],
    ["firefox", "/usr/bin/firefox"],
    ["firefox", "/usr/bin/firefox-esr"],
  ] as const)("on the PATH: %s as %s", (name, path) => {
    expect(findBrowser(name, machine([path]))).toBe(path);
  });

  test("by the likelier of two names, whichever folder it is in", () => {
    const programs = ["/usr/local/bin/google-chrome", "/usr/bin/chromium"];
    expect(findBrowser("chromium", machine(programs))).toBe("/usr/bin/chromium");
  });

  test("in the usual places of macOS and Windows", () => {
    const chrome = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
    expect(findBrowser("chromium", machine([chrome], { platform: "darwin" }))).toBe(chrome);
    const firefox = "C:\\Program Files\\Mozilla Firefox\\firefox.exe";
    const env = { Path: "C:\\Windows", PROGRAMFILES: "C:\\Program Files" };
    expect(findBrowser("firefox", machine([firefox], { platform: "win32", env }))).toBe(firefox);
  });

  test("where it was said to be, by path or by name, whatever else is there", () => {
    const programs = ["/usr/bin/firefox", "/opt/nightly/firefox", "/usr/bin/firefox-nightly"];
    const at = (executable: string) => findBrowser("firefox", machine(programs, { executable }));
    expect(at("/opt/nightly/firefox")).toBe("/opt/nightly/firefox");
    expect(at("firefox-nightly")).toBe("/usr/bin/firefox-nightly");
  });

  test("but not in the working folder, which an empty or relative part of the PATH would mean", () => {
    const options = machine(["firefox", "bin/firefox", "/firefox"], { env: { PATH: ":bin:." } });
    expect(errorOf(() => findBrowser("firefox", options))).toMatchObject({ code: "browser-missing" });
  });
});

describe("a browser that is missing", () => {
  test.each([
    ["chromium", "linux", "no Chromium is installed here", /apt-get install chromium /],
    ["firefox", "linux", "no Firefox is installed here", /apt-get install firefox-esr /],
    ["firefox", "darwin", "no Firefox is installed here", /brew install --cask firefox/],
    ["chromium", "win32", "no Chromium is installed here", /winget install/],
  ] as const)("%s on %s is said with the way to install it", (name, platform, message, hint) => {
    const error = errorOf(() => findBrowser(name, machine([], { platform })));
    expect(error).toMatchObject({ code: "browser-missing", message });
    expect(error).toHaveProperty("hints", expect.arrayContaining([expect.stringMatching(hint) as string]));
  });

  test("where it was said to be is said with the place", () => {
    const options = machine(["/usr/bin/firefox"], { executable: "/opt/firefox" });
    expect(errorOf(() => findBrowser("firefox", options))).toMatchObject({
      code: "browser-missing",
      message: 'no program is at "/opt/firefox"',
    });
  });
});

test("a folder or a file that cannot be run is no program", () => {
  const look = (executable: string) => () => findBrowser("firefox", { env: {}, executable });
  expect(errorOf(look(import.meta.dirname))).toMatchObject({ code: "browser-missing" });
  expect(errorOf(look(import.meta.filename))).toMatchObject({ code: "browser-missing" });
  expect(look(process.execPath)()).toBe(process.execPath);
});
