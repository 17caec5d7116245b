/**
 * The templates that ship with the package: `templates/<name>/`, each described by its `template.json`.
 *
 * The description is the whole truth: a file it does not list is not written, and
 * a variable it does not name cannot be used (a test compares both with the
 * folder). One that `extends` others has their files and variables too, its own
 * first. A description that does not read is a bug of ours, not of the person.
 */
import { readFileSync } from "node:fs";
import { UserError, systemCode } from "../base/errors.ts";

/** One file of a template, with its bytes. */
export interface TemplateFile {
  /** Where it goes, relative to the folder that is written, with forward slashes. */
  readonly to: string;
  /** Whether it has placeholders; all others are copied byte for byte. */
  readonly render: boolean;
  /** What it is for, in a few words. */
  readonly purpose: string;
  readonly content: Uint8Array;
}

export interface Template {
  readonly name: string;
  readonly files: readonly TemplateFile[];
  /** Names of the variables its placeholders may use. */
  readonly variables: readonly string[];
}

/** The templates of this package. The way up is the same from `src/` and from `dist/`. */
const templatesFolder = new URL("../../templates/", import.meta.url);

/**
 * Reads a template and all its files.
 *
 * @throws UserError `template-unreadable` when the installed package is damaged
 */
export function readTemplate(name: string, folder: URL = templatesFolder): Template {
  const home = new URL(`${name}/`, folder);
  const description = parseDescription(JSON.parse(read("template.json", home).toString("utf8")));
  const bases = description.bases.map((base) => readTemplate(base, folder));
  return {
    name,
    files: [
      ...description.files.map(({ from, ...file }) => ({ ...file, content: read(from, home) })),
      ...bases.flatMap(({ files }) => files),
    ],
    variables: [...description.variables, ...bases.flatMap(({ variables }) => variables)],
  };
}

function read(path: string, home: URL): Buffer {
  try {
    return readFileSync(new URL(path, home));
  } catch (error) {
    const code = systemCode(error) ?? "unknown error";
    throw new UserError("template-unreadable", `cannot read ${path} of webpush's own templates (${code})`, {
      kind: "failed",
      hints: ["install webpush again: a file of the package is missing"],
      cause: error,
    });
  }
}

function parseDescription(json: unknown) {
  const { files, variables, extends: bases = [] } = expectObject(json, "template.json");
  if (!Array.isArray(files)) throw new Error("template.json: files is not an array");
  if (!Array.isArray(bases)) throw new Error("template.json: extends is not an array");
  return {
    bases: bases.map(String),
    files: files.map(parseEntry),
    variables: Object.keys(expectObject(variables, "template.json: variables")),
  };
}

function parseEntry(json: unknown, index: number) {
  const { from, to, purpose, render = false } = expectObject(json, `template.json: files[${index}]`);
  if (typeof from !== "string" || typeof to !== "string" || typeof purpose !== "string") {
    throw new Error(`template.json: files[${index}] needs from, to and purpose`);
  }
  if (typeof render !== "boolean") throw new Error(`template.json: files[${index}].render is true or false`);
  return { from, to, purpose, render };
}

function expectObject(json: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return { ...json };
  throw new Error(`${where} is not an object`);
}
