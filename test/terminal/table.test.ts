import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { shorten, table, tableLines } from "../../src/terminal/table.ts";

describe("a table", () => {
  test("aligns its columns under their titles, two spaces apart, no spaces at the end", () => {
    const lines = table(
      [{ title: "id" }, { title: "name" }],
      [
        ["a1", "phone"],
        ["b22", "x"],
      ],
      80,
    );
    expect(lines).toEqual(["id   name", "a1   phone", "b22  x"]);
  });

  test("aligns numbers to the right where told", () => {
    expect(
      table(
        [{ title: "n", align: "right" }, { title: "of" }],
        [
          ["7", "a"],
          ["110", "b"],
        ],
        80,
      ),
    ).toEqual(["  n  of", "  7  a", "110  b"]);
  });

  test("counts what the eye sees: wide letters as two, accents as none", () => {
    const lines = table(
      [{ title: "who" }, { title: "x" }],
      [
        ["日本", "1"],
        ["e\u0301", "2"],
        ["👨\u200d👩\u200d👧", "3"],
      ],
      80,
    );
    expect(lines).toEqual(["who   x", "日本  1", "e\u0301     2", "👨\u200d👩\u200d👧    3"]);
  });

  test("too wide gives way where it is flexible, the cut shown", () => {
    const lines = table(
      [{ title: "id" }, { title: "what", flexible: true }],
      [["a1", "a long explanation"]],
      16,
    );
    expect(lines).toEqual(["id  what", "a1  a long expl…"]);
  });

  test("takes from the widest of its flexible columns first", () => {
    const head = [{ title: "id" }, { title: "name", flexible: true }, { title: "tags", flexible: true }];
    const row = ["a1", "phone-of-alice", "a-very-long-tag,another-one"];
    expect(table(head, [row], 40)[1]).toBe("a1  phone-of-alice  a-very-long-tag,ano…");
    expect(table(head, [row], 30)[1]).toBe("a1  phone-of-al…  a-very-long…");
  });

  test("keeps its other columns whole even when that is too wide", () => {
    expect(table([{ title: "id" }], [["0123456789"]], 5)).toEqual(["id", "0123456789"]);
  });

  test("that comes in batches keeps the widths of the first, and cuts what is wider", () => {
    const lines = tableLines([{ title: "id" }, { title: "name", flexible: true }, { title: "n" }], 80);
    expect(lines([["a1", "phone", "1"]])).toEqual(["id  name   n", "a1  phone  1"]);
    expect(lines([["b2", "telephone", "2"]])).toEqual(["b2  tele…  2"]);
  });

  test("that comes in batches is never cut where lines may be of any length", () => {
    const lines = tableLines([{ title: "name", flexible: true }, { title: "n" }], Number.POSITIVE_INFINITY);
    lines([["phone", "1"]]);
    expect(
      lines([
        ["telephone", "2"],
        ["x", "3"],
      ]),
    ).toEqual(["telephone  2", "x      3"]);
  });

  test("without rows is its head", () => {
    expect(table([{ title: "id" }, { title: "name" }], [], 80)).toEqual(["id  name"]);
  });

  test("takes a missing cell as empty", () => {
    expect(table([{ title: "a" }, { title: "b" }], [["1"]], 80)).toEqual(["a  b", "1"]);
  });
});

const cell = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.constantFrom(
    "日本語の長い名前です",
    "👨\u200d👩\u200d👧👨\u200d👩\u200d👧👨\u200d👩\u200d👧",
    "1\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e34\ufe0f\u20e3",
    "🇩🇪🇫🇷🇯🇵🇧🇷",
  ),
);

test("from 20 to 80 columns, no line is wider unless its columns cannot be narrower", () => {
  const head = [{ title: "id" }, { title: "name", flexible: true }, { title: "service", flexible: true }];
  const smallest = 10 + 2 + 6 + 2 + 7; // an id, and the flexible ones at their smallest
  const row = fc.tuple(fc.constant("gs6y732mr4"), cell, cell);
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 20, max: 80 }),
      (rows, columns) => {
        for (const line of table(head, rows, columns)) {
          expect(stringWidth(line)).toBeLessThanOrEqual(Math.max(columns, smallest));
        }
      },
    ),
    { numRuns: 300 },
  );
});

describe("a shortened text", () => {
  test.each([
    ["fits", "abc", 3, "abc"],
    ["is cut with a mark", "abcd", 3, "ab…"],
    ["does not cut a wide letter in half", "日本語", 4, "日…"],
    ["does not cut a flag in half", "🇩🇪🇫🇷", 3, "🇩🇪…"],
    ["does not take a keycap for a digit", "1\ufe0f\u20e32\ufe0f\u20e3", 3, "1\ufe0f\u20e3…"],
    ["is a mark alone when nothing fits", "abc", 1, "…"],
  ])("%s", (_name, text, width, shown) => {
    expect(shorten(text, width)).toBe(shown);
  });

  test("is never wider than asked for, whatever it is", () => {
    fc.assert(
      fc.property(cell, fc.integer({ min: 1, max: 20 }), (text, width) => {
        expect(stringWidth(shorten(text, width))).toBeLessThanOrEqual(width);
      }),
      { numRuns: 500 },
    );
  });
});
