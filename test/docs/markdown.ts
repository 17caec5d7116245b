/** Reading our own Markdown: files, headings, tables, links and code blocks. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Text of a file of the repository, lines ended by `\n`. */
export function readPage(path: string): string {
  return readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
}

/** Every page a person reads: README, CHANGELOG and docs/. */
export function pagePaths(): readonly string[] {
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", "CHANGELOG.md", ...docs.map((name) => `docs/${name}`)];
}

export interface Section {
  readonly heading: string;
  readonly level: number;
  readonly text: string;
}

/** The page cut at its headings; what stands in code blocks is no heading. */
export function sectionsOf(page: string): readonly Section[] {
  const sections: { heading: string; level: number; text: string }[] = [];
  let fenced = false;
  for (const line of page.split("\n")) {
    if (line.startsWith("```")) fenced = !fenced;
    const [, marks, heading] = /^(#{1,6}) (.+)$/.exec(line) ?? [];
    if (!fenced && marks !== undefined && heading !== undefined) {
      sections.push({ heading, level: marks.length, text: "" });
      continue;
    }
    const section = sections.at(-1);
    if (section !== undefined) section.text += `${line}\n`;
  }
  return sections;
}

/** Rows of the tables in `text`, the head left out, each as its cells without code marks. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n").filter((line) => line.startsWith("|"));
  const isRule = (line: string | undefined): boolean => line !== undefined && /^\|[\s|:-]+\|$/.test(line);
  return lines
    .filter((line, index) => !isRule(line) && !isRule(lines[index + 1]))
    .map((line) => {
      const cells = line.slice(1, -1).split(/(?<!\\)\|/);
      return cells.map((cell) =>
        cell
          .trim()
          .replaceAll("\\|", "|")
          .replace(/^`(.*)`$/, "$1"),
      );
    });
}

/** The anchor GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");
}

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a page. */
export function codeBlocksOf(page: string): readonly CodeBlock[] {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => {
    return { language, text };
  });
}
