import { expect, test } from "vitest";
import { wrap } from "../../src/terminal/wrap.ts";

test.each<[string, number, readonly string[]]>([
  ["", 10, [""]],
  ["one", 10, ["one"]],
  ["one two three", 10, ["one two", "three"]],
  ["one two three", 7, ["one two", "three"]],
  ["one two three", 6, ["one", "two", "three"]],
  ["a-word-that-is-too-long for it", 8, ["a-word-that-is-too-long", "for it"]],
  ["携帯 電話 に", 7, ["携帯", "電話 に"]],
  ["one  two", 20, ["one  two"]],
  ["one two", Number.POSITIVE_INFINITY, ["one two"]],
])("%j in %d columns", (text, columns, lines) => {
  expect(wrap(text, columns)).toEqual(lines);
});
