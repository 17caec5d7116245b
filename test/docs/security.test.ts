/** docs/security.md: each threat has a guard that is there, and a test of that name. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage, root, rowsOf, sectionsOf } from "./markdown.ts";

const section = sectionsOf(readPage("docs/security.md")).find(
  ({ heading }) => heading === "Each threat, its guard and its test",
);
const rows = rowsOf(section?.text ?? "").map(([threat = "", guard = "", proof = ""]) => {
  const [, file = "", name = ""] = /^`([^`]+)`: (.+)$/.exec(proof) ?? [];
  return { threat, guard, file, name: name.replaceAll("\\_", "_") };
});

test("there is a row for each threat", () => {
  expect(rows.length).toBeGreaterThan(40);
});

test.each(rows)("$threat", ({ guard, file, name }) => {
  expect([join("src", guard), guard].some((path) => existsSync(join(root, path)))).toBe(true);
  expect(name).not.toBe("");
  expect(namesIn(readPage(`test/${file}`))).toContain(name);
});

/** What the tests and groups of a file are called. */
function namesIn(source: string): readonly string[] {
  return [...source.matchAll(/\(\s*(["'`])((?:(?!\1).)+)\1,\s*(?:async )?\(/g)].map(
    ([, , name = ""]) => name,
  );
}
