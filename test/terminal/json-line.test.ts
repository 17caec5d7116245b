import { expect, test } from "vitest";
import { jsonLine } from "../../src/terminal/json-line.ts";
import { printable } from "../../src/terminal/printable.ts";

test("text of every script stays as it is", () => {
  expect(jsonLine({ a: "Grüße 携帯 👋", b: [1, null, true] })).toBe(
    '{"a":"Grüße 携帯 👋","b":[1,null,true]}',
  );
});

test("what drives a terminal is escaped, and parses to the same", () => {
  const value = { "\u009b": "\u001b[2J\u0007\r\u007f\u0085\u009b31m\u202e\u2028\u2066\u00ad\u{e0041}\ufeff" };
  const line = jsonLine(value);
  expect(line).toMatch(/^[ -~]+$/);
  expect(line).toContain("\\u009b31m\\u202e\\u2028");
  expect(JSON.parse(line)).toEqual(value);
});

test("nothing is left that printable() would escape, but for what joins letters and emoji", () => {
  for (let code = 0; code <= 0x2_ffff; code += 1) {
    const line = jsonLine([String.fromCodePoint(code)]);
    if (printable(line) !== line) throw new Error(`U+${code.toString(16)} is left raw`);
  }
});
