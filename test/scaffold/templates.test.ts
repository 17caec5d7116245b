/**
 * Every template of the package, against its folder: what is described is there, what is there is described.
 * Those that extend others are looked at with them.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createPlan } from "../../src/scaffold/plan.ts";
import { readTemplate } from "../../src/scaffold/template.ts";

const home = fileURLToPath(new URL("../../templates/", import.meta.url));

describe.each(readdirSync(home))("template %s", (name) => {
  const folder = join(home, name);
  const description = JSON.parse(readFileSync(join(folder, "template.json"), "utf8")) as {
    name: string;
    files: { from: string; to: string; render?: boolean }[];
    variables: Record<string, string>;
  };
  const whole = readTemplate(name);

  test("is named as its folder", () => {
    expect(description.name).toBe(name);
  });

  test("lists every file of its folder, and no other", () => {
    const present = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(join(folder, path)).isFile())
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => path !== "template.json");
    expect(description.files.map(({ from }) => from).sort()).toEqual(present.sort());
  });

  test("writes each file to a place of its own", () => {
    const places = whole.files.map(({ to }) => to.toLowerCase());
    expect(new Set(places).size).toBe(places.length);
  });

  test("marks the files with placeholders, and only those", () => {
    const withPlaceholders = whole.files.filter(({ content }) =>
      /\{\{\w+:\w+\}\}/.test(Buffer.from(content).toString("latin1")),
    );
    expect(whole.files.filter(({ render }) => render)).toEqual(withPlaceholders);
  });

  test("uses every variable it documents, and documents every one it uses", () => {
    const used = whole.files
      .filter(({ render }) => render)
      .map(({ content }) => Buffer.from(content).toString("utf8"))
      .flatMap((text) => [...text.matchAll(/\{\{\w+:(\w+)\}\}/g)].map(([, variable]) => variable));
    expect([...new Set(used)].sort()).toEqual([...whole.variables].sort());
  });

  test("can be filled", () => {
    const answers = Object.fromEntries(whole.variables.map((variable) => [variable, "x"]));
    expect(createPlan(whole, answers)).toHaveLength(whole.files.length);
  });
});
