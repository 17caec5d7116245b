/** Lines of a file, wherever the blocks it is read in may end. */
import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { visitLines, type LinePlace } from "../../../src/store/journal/lines.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const block = 256 * 1024;

async function linesOf(content: string): Promise<readonly (LinePlace & { readonly text: string })[]> {
  const path = join(tempFolder(), "lines");
  writeFileSync(path, content);
  const lines: (LinePlace & { text: string })[] = [];
  const handle = await open(path, "r");
  await visitLines(handle, (bytes, place) => lines.push({ text: bytes.toString(), ...place }));
  await handle.close();
  return lines;
}

test("each line comes with its number and its place, blank ones only count", async () => {
  expect(await linesOf("one\n\ntwo\n\n\nthree")).toEqual([
    { text: "one", line: 1, from: 0, end: 4, isEnded: true },
    { text: "two", line: 3, from: 5, end: 9, isEnded: true },
    { text: "three", line: 6, from: 11, end: 16, isEnded: false },
  ]);
});

test.each(["", "\n", "\n\n\n"])("%j has no lines", async (content) => {
  expect(await linesOf(content)).toEqual([]);
});

test.each([-2, -1, 0, 1, 2])("a line may end %i bytes from the end of a block", async (distance) => {
  const first = "a".repeat(block + distance - 10);
  const lines = await linesOf(`${first}\nsecond\nthird\n${"\n".repeat(block)}last`);
  expect(lines.map(({ text }) => text)).toEqual([first, "second", "third", "last"]);
  expect(lines.map(({ line }) => line)).toEqual([1, 2, 3, block + 4]);
  expect(lines.at(-1)?.from).toBe(first.length + 1 + 7 + 6 + block);
});

test("a line without end is cut, and hides none of the lines behind it", async () => {
  const lines = await linesOf(`before\n${"x".repeat(3 * block)}\nafter\n`);
  expect(lines.map(({ text, line }) => [text.slice(0, 6), line])).toEqual([
    ["before", 1],
    ["xxxxxx", 2],
    ["after", 3],
  ]);
  expect(lines[1]?.isEnded).toBe(false);
  expect(lines[2]).toMatchObject({ from: 7 + 3 * block + 1, end: 7 + 3 * block + 7, isEnded: true });
});
