import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable } from "../../src/terminal/printable.ts";

test.each([
  ["an escape sequence that clears the screen", "\u001b[2Jgone", "\\u{1b}[2Jgone"],
  ["a one-character CSI", "\u009b2J", "\\u{9b}2J"],
  ["a title set by OSC", "\u001b]0;owned\u0007", "\\u{1b}]0;owned\\u{7}"],
  ["a return to the start of the line", "ok\rerror: all is lost", "ok\\u{d}error: all is lost"],
  ["a forged line of ours", "x\nerror: y", "x\\u{a}error: y"],
  ["a tab", "a\tb", "a\\u{9}b"],
  ["a backspace", "abc\b\b\b", "abc\\u{8}\\u{8}\\u{8}"],
  ["NUL and DEL", "a\u0000b\u007f", "a\\u{0}b\\u{7f}"],
  ["line and paragraph separators", "a\u2028b\u2029", "a\\u{2028}b\\u{2029}"],
  ["a right-to-left override", "cod.\u202etxt.exe", "cod.\\u{202e}txt.exe"],
  ["bidi isolates", "\u2066a\u2069", "\\u{2066}a\\u{2069}"],
  ["bidi marks", "\u200e\u200f\u061c", "\\u{200e}\\u{200f}\\u{61c}"],
  ["a zero-width space", "pay\u200bpal", "pay\\u{200b}pal"],
  ["a word joiner and a byte order mark", "a\u2060b\ufeff", "a\\u{2060}b\\u{feff}"],
  ["a soft hyphen", "a\u00adb", "a\\u{ad}b"],
  [
    "Hangul fillers, which are drawn as nothing",
    "\u115f\u1160\u3164\uffa0",
    "\\u{115f}\\u{1160}\\u{3164}\\u{ffa0}",
  ],
  ["tag characters, which hide a second text", "a\u{e0041}", "a\\u{e0041}"],
  ["supplementary variation selectors, which hide bytes", "a\u{e0100}", "a\\u{e0100}"],
  ["annotation anchors", "\ufff9a\ufffb", "\\u{fff9}a\\u{fffb}"],
  ["a lone surrogate", "a\ud800b", "a\\u{d800}b"],
])("%s becomes visible", (_name, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test.each([
  ["Latin with accents", "Grüße, señor; e\u0301"],
  ["Arabic", "مرحبا بالعالم"],
  ["Hebrew", "שלום עולם"],
  ["Persian with a zero-width non-joiner", "می\u200cخواهم"],
  ["Hindi with joiners", "क्\u200dष"],
  ["Chinese, Japanese and Korean", "你好 こんにちは 안녕"],
  ["emoji", "🔔"],
  ["emoji made of several", "👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 🇩🇪 👍🏽"],
  ["Mongolian with a variation selector", "ᠠ\u180b"],
])("%s stays as it is", (_name, text) => {
  expect(printable(text)).toBe(text);
});

describe("with layout", () => {
  test("line breaks and tabs stay, so that a block stays a block", () => {
    expect(printable("a\n\tb", { layout: true })).toBe("a\n\tb");
  });

  test.each([
    ["a return", "a\rb", "a\\u{d}b"],
    ["an escape", "a\u001b[0mb", "a\\u{1b}[0mb"],
    ["a vertical tab", "a\u000bb", "a\\u{b}b"],
    ["a next-line control", "a\u0085b", "a\\u{85}b"],
  ])("%s does not", (_name, text, shown) => {
    expect(printable(text, { layout: true })).toBe(shown);
  });
});

describe("a long text", () => {
  test("is cut to the limit, the cut included", () => {
    expect(printable("abcdef", { limit: 4 })).toBe("abc…");
  });

  test("of just the limit is whole", () => {
    expect(printable("abcd", { limit: 4 })).toBe("abcd");
  });

  test("of characters outside the basic plane is cut between them, at the same length", () => {
    expect(printable("🔔🔔🔔🔔🔔", { limit: 4 })).toBe("🔔🔔🔔…");
    expect(printable("🔔🔔🔔🔔", { limit: 4 })).toBe("🔔🔔🔔🔔");
    expect(printable("a🔔🔔🔔🔔", { limit: 4 })).toBe("a🔔🔔…");
  });

  test("is 500 characters unless told", () => {
    expect(Array.from(printable("x".repeat(1000)))).toHaveLength(500);
  });
});

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  // Code units in any order: lone surrogates, controls.
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);

test("whatever the text, nothing that could drive a terminal is left", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 50 }), (text, limit) => {
      expect(printable(text, { limit })).not.toMatch(
        /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\ufeff]/u,
      );
      expect(printable(text, { layout: true })).not.toMatch(
        /(?![\n\t])[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u,
      );
    }),
    { numRuns: 1000 },
  );
});

test("whatever the text, a second time changes nothing", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const once = printable(text, { limit: 10_000 });
      expect(printable(once, { limit: 10_000 })).toBe(once);
    }),
  );
});
