/** The pages hold together: generated ones are fresh, links lead somewhere, commands named exist. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { openProgram } from "../../src/cli/program.ts";
import { describeCommand } from "../../src/commands/describe.ts";
import { commandLinesOf, quiet, unknownFlags } from "./command-lines.ts";
import { anchorOf, codeBlocksOf, pagePaths, readPage, root, sectionsOf } from "./markdown.ts";

test("the generated pages are what the program says today", async () => {
  const script = join(root, "scripts/docs.mjs");
  await expect(promisify(execFile)(process.execPath, [script, "--check"])).resolves.toBeDefined();
});

describe.each(pagePaths())("%s", (page) => {
  test("has links that lead somewhere", () => {
    const targets = [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const broken = targets.filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(page, target));
    expect(broken).toEqual([]);
  });

  test("names flags in its commands that the commands have", async () => {
    const program = describeCommand(await openProgram(["--help"], quiet));
    const lines = codeBlocksOf(readPage(page))
      .filter(({ language }) => ["sh", "console", "yaml"].includes(language))
      .flatMap(({ text }) => text.split("\n"))
      .filter((line) => !line.trimStart().startsWith("#"));
    const unknown = lines.flatMap((line) =>
      commandLinesOf(line).flatMap((words) => unknownFlags(program, words).map((flag) => `${line}: ${flag}`)),
    );
    expect(unknown).toEqual([]);
  });
});

function leadsSomewhere(page: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : normalize(join(dirname(page), path)).replaceAll("\\", "/");
  if (!existsSync(join(root, file))) return false;
  if (anchor === undefined) return true;
  return sectionsOf(readPage(file)).some(({ heading }) => anchorOf(heading) === anchor);
}
