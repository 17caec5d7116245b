/**
 * Writes the pages of docs/ that are made from the program itself.
 *
 *   npm run docs          writes them
 *   npm run docs:check    makes them again and fails when one differs from what is committed
 *
 * Reads dist/, so the program is built first. A page that cannot be made whole (an error code without a note, a
 * note without a code) fails both.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadProgram } from "./docs/program.mjs";
import { cliPage, commandTable } from "./docs/cli-page.mjs";
import { errorsPage } from "./docs/errors-page.mjs";
import { nothingAppearsPage } from "./docs/nothing-appears-page.mjs";
import { environmentPage, exitCodesPage } from "./docs/topic-pages.mjs";

const root = new URL("../", import.meta.url);
const isCheck = process.argv.includes("--check");

const program = await loadProgram();

/** Path in the repository → what should stand there. */
const pages = {
  "docs/cli.md": cliPage(program),
  "docs/errors.md": await errorsPage(),
  "docs/exit-codes.md": await exitCodesPage(),
  "docs/environment.md": await environmentPage(program),
  "docs/nothing-appears.md": nothingAppearsPage(),
  "README.md": withCommandTable(read("README.md")),
};

const differing = Object.entries(pages).filter(([path, text]) => text !== undefined && text !== read(path));
for (const [path, text] of differing) {
  if (isCheck)
    console.error(`${path} is not what the program says: run \`npm run docs\` and commit the result`);
  else {
    writeFileSync(fileURLToPath(new URL(path, root)), text);
    console.log(`wrote ${path}`);
  }
}
if (isCheck && differing.length > 0) process.exitCode = 1;

/** README.md with its table of commands, where it has the marks for one. */
function withCommandTable(readme) {
  return readme?.replace(
    /(<!-- commands -->\n)[\s\S]*?(<!-- \/commands -->)/,
    (_all, start, end) => `${start}\n${commandTable(program, "docs/cli.md")}\n\n${end}`,
  );
}

/** The file as it is; undefined when there is none. Git may have given its lines Windows' ends. */
function read(path) {
  try {
    return readFileSync(new URL(path, root), "utf8").replaceAll("\r\n", "\n");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
