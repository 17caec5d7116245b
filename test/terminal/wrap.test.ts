import { expect, test } from "vitest";
import { wrap, wrapTalk } from "../../src/terminal/wrap.ts";

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

test.each<[string, number, readonly string[]]>([
  ["error: there is nobody to send to", 20, ["error: there is", "       nobody to", "       send to"]],
  ["next     webpush scaffold   a page", 28, ["next     webpush scaffold  ", "         a page"]],
  ["  1. serve it here at home", 16, ["  1. serve it", "     here at", "     home"]],
  ["     $ webpush send --to phone", 20, ["     $ webpush send --to phone"]],
  ["hint: a-word-that-is-too-long", 12, ["hint:", "      a-word-that-is-too-long"]],
  ["one two\nthree", 5, ["one", "two", "three"]],
  ["\u001b[31merror:\u001b[39m one two", 10, ["\u001b[31merror:\u001b[39m one", "  two"]],
  ["hint: as long as it likes", Number.POSITIVE_INFINITY, ["hint: as long as it likes"]],
])("talk %j in %d columns", (text, columns, lines) => {
  expect(wrapTalk(text, columns).split("\n")).toEqual(lines);
});
