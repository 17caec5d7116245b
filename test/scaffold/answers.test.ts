import { describe, expect, test } from "vitest";
import {
  defaultAppName,
  defaultServerPath,
  defaultThemeColor,
  parseAppName,
  parseServerPath,
  parseThemeColor,
} from "../../src/scaffold/answers.ts";

test("what is assumed when nobody says is what the parsers accept", () => {
  expect(parseAppName(defaultAppName)).toBe(defaultAppName);
  expect(parseServerPath(defaultServerPath)).toBe(defaultServerPath);
  expect(parseThemeColor(defaultThemeColor)).toBe(defaultThemeColor);
});

describe("an app's name", () => {
  test.each(["Harbour", `O'Neill & "Co" </script>`, "{{html:x}}", "港のニュース", "👩‍👩‍👧", "x".repeat(60)])(
    "can be %j",
    (name) => {
      expect(parseAppName(` ${name} `)).toBe(name);
    },
  );

  test.each(["", "   ", "two\nlines", "bell\u0007", "two\u2028lines", "half \ud83d", "x".repeat(61)])(
    "cannot be %j",
    (name) => {
      expect(() => parseAppName(name)).toThrow(expect.objectContaining({ code: "app-name", kind: "input" }));
    },
  );
});

describe("a server's path", () => {
  test.each([
    ["/webpush", "/webpush"],
    ["webpush", "/webpush"],
    ["/api/push//", "/api/push"],
    [" /a.b/c_d~e-1 ", "/a.b/c_d~e-1"],
    ["none", "none"],
    ["/none", "/none"],
  ])("%j is read as %j", (text, path) => {
    expect(parseServerPath(text)).toBe(path);
  });

  test.each([
    ...[
      "https://api.example/push",
      "//evil.example",
      "javascript:alert(1)",
      "",
      "/",
      "/a/../b",
      "/..",
      "/./a",
    ],
    ...["/a b", "/a?b", "/a#b", '/a"', "/a\\b", "/a//b", "/ä", "C:/Program Files/Git/webpush"],
  ])("%j is refused", (text) => {
    expect(() => parseServerPath(text)).toThrow(expect.objectContaining({ code: "server-path" }));
  });
});

describe("a theme colour", () => {
  test.each([
    ["#0b5d4e", "#0b5d4e"],
    ["FFF", "#ffffff"],
    ["#1aF", "#11aaff"],
  ])("%j is read as %j", (text, color) => {
    expect(parseThemeColor(text)).toBe(color);
  });

  test.each(["red", "#12", "#12345678", "", '#fff"', "#ggg"])("%j is refused", (text) => {
    expect(() => parseThemeColor(text)).toThrow(expect.objectContaining({ code: "theme-color" }));
  });
});
