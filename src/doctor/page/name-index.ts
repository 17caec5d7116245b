/** The names of one script: what they are declared as, given, exported, and taken from elsewhere. */
import type { AnyNode, ImportDeclaration } from "acorn";
import {
  calleeName,
  keyName,
  literalText,
  namesIn,
  type FunctionNode,
  type ImportedName,
  type Script,
} from "./script.ts";

/** Collects the names of one file while its nodes go by. */
export class NameIndex {
  readonly #functions: ReadonlyMap<AnyNode, FunctionNode>;
  readonly #declared = new Map<string, Map<FunctionNode | undefined, AnyNode[]>>();
  readonly #assigned = new Map<string, AnyNode[]>();
  readonly #members = new Map<string, AnyNode[]>();
  readonly #imports = new Map<string, ImportedName>();
  readonly #exports = new Map<string, string>();
  readonly #sources: string[] = [];

  constructor(functions: ReadonlyMap<AnyNode, FunctionNode>) {
    this.#functions = functions;
  }

  found(): Pick<Script, "declared" | "assigned" | "members" | "imports" | "exports" | "sources"> {
    return {
      declared: this.#declared,
      assigned: this.#assigned,
      members: this.#members,
      imports: this.#imports,
      exports: this.#exports,
      sources: this.#sources,
    };
  }

  take(node: AnyNode): void {
    this.#takeValue(node);
    this.#takeMember(node);
    this.#takeModule(node);
  }

  #takeValue(node: AnyNode): void {
    if (node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") {
      this.#declare(idName(node), node, node);
    }
    if (node.type === "VariableDeclarator") {
      // A part of something else, or nothing yet: the node itself stands for what is not known.
      if (node.id.type === "Identifier") this.#declare(node.id.name, node.init ?? node, node);
      else for (const name of namesIn(node.id)) this.#declare(name, node.id, node);
    }
    if (node.type === "AssignmentExpression" && node.left.type === "Identifier") {
      add(this.#assigned, node.left.name, node.right);
    }
  }

  #declare(name: string | undefined, value: AnyNode, at: AnyNode): void {
    if (name === undefined) return;
    const scopes = this.#declared.get(name) ?? new Map<FunctionNode | undefined, AnyNode[]>();
    this.#declared.set(name, scopes);
    add(scopes, this.#functions.get(at), value);
  }

  #takeMember(node: AnyNode): void {
    if (node.type === "Property" || node.type === "MethodDefinition" || node.type === "PropertyDefinition") {
      if (!node.computed && node.value) this.#addMember(node.key, node.value);
    }
    if (
      node.type === "AssignmentExpression" &&
      node.left.type === "MemberExpression" &&
      !node.left.computed
    ) {
      this.#addMember(node.left.property, node.right);
    }
  }

  #addMember(key: AnyNode, value: AnyNode): void {
    const name = keyName(key);
    if (name !== undefined) add(this.#members, name, value);
  }

  #takeModule(node: AnyNode): void {
    if (node.type === "ImportDeclaration") this.#takeImports(node);
    if (node.type === "ExportAllDeclaration") this.#sources.push(String(node.source.value));
    if (node.type === "ExportNamedDeclaration") this.#takeExports(node);
    if (node.type === "ExportDefaultDeclaration") {
      const { declaration } = node;
      const name = declaration.type === "Identifier" ? declaration.name : idName(declaration);
      this.#exports.set("default", name ?? "*default*");
      if (name === undefined) this.#declare("*default*", declaration, node);
    }
    if (node.type === "CallExpression" && calleeName(node) === "importScripts") {
      // What is no plain text cannot be followed, and must not be taken for nothing.
      for (const argument of node.arguments) this.#sources.push(literalText(argument) ?? "(computed)");
    }
  }

  #takeImports(node: Extract<AnyNode, { type: "ImportDeclaration" }>): void {
    const source = String(node.source.value);
    this.#sources.push(source);
    for (const one of node.specifiers)
      this.#imports.set(one.local.name, { source, imported: importedName(one) });
  }

  #takeExports(node: Extract<AnyNode, { type: "ExportNamedDeclaration" }>): void {
    if (node.source) this.#sources.push(String(node.source.value));
    for (const { local, exported } of node.specifiers) {
      const [inner, outer] = [keyName(local), keyName(exported)];
      if (inner === undefined || outer === undefined) continue;
      if (node.source) this.#imports.set(`*${outer}`, { source: String(node.source.value), imported: inner });
      this.#exports.set(outer, node.source ? `*${outer}` : inner);
    }
    const { declaration } = node;
    if (declaration?.type === "VariableDeclaration") {
      for (const { id } of declaration.declarations)
        if (id.type === "Identifier") this.#exports.set(id.name, id.name);
    } else if (declaration) {
      const name = idName(declaration);
      if (name !== undefined) this.#exports.set(name, name);
    }
  }
}

function add<Key>(map: Map<Key, AnyNode[]>, key: Key, node: AnyNode): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [node]);
  else known.push(node);
}

function importedName(one: ImportDeclaration["specifiers"][number]): string {
  switch (one.type) {
    case "ImportSpecifier":
      return keyName(one.imported) ?? "";
    case "ImportDefaultSpecifier":
      return "default";
    case "ImportNamespaceSpecifier":
      return "*";
    default:
      return one satisfies never;
  }
}

function idName(node: AnyNode): string | undefined {
  return "id" in node && node.id?.type === "Identifier" ? node.id.name : undefined;
}
