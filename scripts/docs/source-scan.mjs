/**
 * What src/ says in its syntax: error codes with their kinds, and unions of words.
 *
 * Reads the syntax tree alone, no types, so it takes a second rather than ten. A code must be written out as text;
 * one that is put together (`${name}-malformed`) becomes a pattern.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const source = fileURLToPath(new URL("../../src", import.meta.url));

function* syntaxTrees() {
  for (const path of readdirSync(source, { recursive: true })) {
    if (!path.endsWith(".ts")) continue;
    yield ts.createSourceFile(path, readFileSync(join(source, path), "utf8"), ts.ScriptTarget.Latest, true);
  }
}

function walk(node, visit) {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** Every `new UserError(…)` of src/: `{ code, pattern, kind, file }`, `code` or `pattern`. */
export function scanUserErrors() {
  const found = [];
  for (const file of syntaxTrees()) {
    walk(file, (node) => {
      if (!ts.isNewExpression(node) || node.expression.getText() !== "UserError") return;
      const [first, , details] = node.arguments ?? [];
      if (first.getText() === "error.code") return; // an error of ours, thrown on with more words
      const kind = kindOf(details);
      if (ts.isStringLiteral(first)) found.push({ code: first.text, kind, file: file.fileName });
      else if (ts.isTemplateExpression(first))
        found.push({ pattern: patternOf(first), kind, file: file.fileName });
      else throw new Error(`${file.fileName}: write the code out: ${first.getText()}`);
    });
  }
  return found;
}

function kindOf(details) {
  const property = details?.properties?.find((one) => one.name?.getText() === "kind");
  if (property === undefined) return "input";
  if (ts.isStringLiteral(property.initializer)) return property.initializer.text;
  throw new Error(`write the kind out: ${property.getText()}`);
}

function patternOf(template) {
  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const rest = template.templateSpans.map(({ literal }) => `[a-z0-9-]+${escape(literal.text)}`);
  return new RegExp(`^${escape(template.head.text)}${rest.join("")}$`);
}

/** The words of the union type of `property` in interface `name`. */
export function scanWords(name, property) {
  for (const file of syntaxTrees()) {
    let words;
    walk(file, (node) => {
      if (!ts.isInterfaceDeclaration(node) || node.name.text !== name) return;
      const member = node.members.find((one) => one.name?.getText() === property);
      words = member?.type?.types?.map((type) => type.literal.text);
    });
    if (words !== undefined) return words;
  }
  throw new Error(`no interface ${name} has a union ${property}`);
}
