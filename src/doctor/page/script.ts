/**
 * JavaScript read with acorn into what the checks ask of it: nodes in order, parents, lines, names.
 *
 * Nothing here recurses over the tree: a chain of ten thousand calls is a deep tree that
 * acorn builds without depth, and a page must not be able to break its doctor.
 */
import { parse, type AnyNode, type Program } from "acorn";

export type FunctionNode = Extract<
  AnyNode,
  { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }
>;

/** A name that a module takes from another. */
export interface ImportedName {
  readonly source: string;
  /** `default`, `*`, or the name over there. */
  readonly imported: string;
}

/** A file of JavaScript, or a script inside of an HTML file. */
export interface Script {
  /** The file, relative to the folder. */
  readonly path: string;
  readonly program: Program;
  /** Every node, outer ones first, in the order of the text. */
  readonly nodes: readonly AnyNode[];
  readonly parents: ReadonlyMap<AnyNode, AnyNode>;
  /** The function around a node; functions have the one around them. Nodes at the top have none. */
  readonly functions: ReadonlyMap<AnyNode, FunctionNode>;
  /** What names are given, by declaration or assignment, anywhere in the file. */
  readonly values: ReadonlyMap<string, readonly AnyNode[]>;
  /** Values of properties and methods by their name: `{ worker: "sw.js" }`, `class { show() {} }`. */
  readonly members: ReadonlyMap<string, readonly AnyNode[]>;
  readonly imports: ReadonlyMap<string, ImportedName>;
  /** Local names by the name they are exported as. */
  readonly exports: ReadonlyMap<string, string>;
  /** Files and packages named by import, export and importScripts, as written. */
  readonly sources: readonly string[];
  readonly lineOf: (node: AnyNode) => number;
}

/** A text that is no JavaScript that acorn knows. */
export interface UnreadScript {
  readonly path: string;
  readonly why: string;
}

/** Reads JavaScript; `firstLine` is where it begins in its file. */
export function parseScript(path: string, text: string, firstLine = 1): Script | UnreadScript {
  const program = parseEither(text);
  if (typeof program === "string") return { path, why: program };
  return indexScript(path, program, lineCounter(text, firstLine));
}

export function isRead(script: Script | UnreadScript): script is Script {
  return "program" in script;
}

/** As a module where it is one, else as the looser script; the words of the first error when it is neither. */
function parseEither(text: string): Program | string {
  const common = { ecmaVersion: "latest", allowHashBang: true, allowReturnOutsideFunction: true } as const;
  const order = /^\s*(?:import|export)\b/m.test(text)
    ? (["module", "script"] as const)
    : (["script", "module"] as const);
  let first: string | undefined;
  for (const sourceType of order) {
    try {
      return parse(text, { ...common, sourceType });
    } catch (error) {
      // A RangeError is a text nested deeper than acorn's stack.
      first ??= error instanceof SyntaxError ? error.message : "is nested too deeply";
    }
  }
  return first ?? "is no JavaScript";
}

function indexScript(path: string, program: Program, lineAt: (offset: number) => number): Script {
  const index = new Index();
  const parents = new Map<AnyNode, AnyNode>();
  const functions = new Map<AnyNode, FunctionNode>();
  const nodes: AnyNode[] = [];
  const stack: AnyNode[] = [program];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    nodes.push(node);
    index.take(node);
    const children = childrenOf(node);
    const around = isFunction(node) ? node : functions.get(node);
    for (const child of children) {
      parents.set(child, node);
      if (around !== undefined) functions.set(child, around);
    }
    stack.push(...children.reverse());
  }
  return { path, program, nodes, parents, functions, ...index.found(), lineOf: (node) => lineAt(node.start) };
}

/** The nodes directly below one, in the order of the text. */
export function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(node) as readonly unknown[]) {
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) {
      for (const item of value as readonly unknown[]) if (isNode(item)) children.push(item);
    }
  }
  // `{ a }` and `import { a }` have one node in two places.
  const unique = children.length > 1 ? [...new Set(children)] : children;
  return unique.sort((a, b) => a.start - b.start);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Collects the names of one file while its nodes go by. */
class Index {
  readonly #values = new Map<string, AnyNode[]>();
  readonly #members = new Map<string, AnyNode[]>();
  readonly #imports = new Map<string, ImportedName>();
  readonly #exports = new Map<string, string>();
  readonly #sources: string[] = [];

  found(): Pick<Script, "values" | "members" | "imports" | "exports" | "sources"> {
    return {
      values: this.#values,
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
    if (node.type === "FunctionDeclaration") add(this.#values, idName(node), node);
    if (node.type === "ClassDeclaration") add(this.#values, idName(node), node);
    if (node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.init) {
      add(this.#values, node.id.name, node.init);
    }
    if (node.type === "AssignmentExpression" && node.left.type === "Identifier") {
      add(this.#values, node.left.name, node.right);
    }
  }

  #takeMember(node: AnyNode): void {
    if (node.type === "Property" && !node.computed) add(this.#members, keyName(node.key), node.value);
    if (node.type === "MethodDefinition" && !node.computed) add(this.#members, keyName(node.key), node.value);
    if (node.type === "PropertyDefinition" && !node.computed && node.value) {
      add(this.#members, keyName(node.key), node.value);
    }
    if (
      node.type === "AssignmentExpression" &&
      node.left.type === "MemberExpression" &&
      !node.left.computed
    ) {
      add(this.#members, keyName(node.left.property), node.right);
    }
  }

  #takeModule(node: AnyNode): void {
    if (node.type === "ImportDeclaration") {
      const source = String(node.source.value);
      this.#sources.push(source);
      for (const one of node.specifiers) {
        const imported =
          one.type === "ImportSpecifier"
            ? (keyName(one.imported) ?? "")
            : one.type === "ImportDefaultSpecifier"
              ? "default"
              : "*";
        this.#imports.set(one.local.name, { source, imported });
      }
    }
    if (node.type === "ExportAllDeclaration") this.#sources.push(String(node.source.value));
    if (node.type === "ExportNamedDeclaration") this.#takeExports(node);
    if (node.type === "ExportDefaultDeclaration") {
      const { declaration } = node;
      const name = declaration.type === "Identifier" ? declaration.name : idName(declaration);
      this.#exports.set("default", name ?? "*default*");
      if (name === undefined) add(this.#values, "*default*", declaration);
    }
    if (node.type === "CallExpression" && calleeName(node) === "importScripts") {
      // What is no plain text cannot be followed, and must not be taken for nothing.
      for (const argument of node.arguments) this.#sources.push(literalText(argument) ?? "(computed)");
    }
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

function add(map: Map<string, AnyNode[]>, name: string | undefined, node: AnyNode): void {
  if (name === undefined) return;
  const known = map.get(name);
  if (known === undefined) map.set(name, [node]);
  else known.push(node);
}

function idName(node: AnyNode): string | undefined {
  return "id" in node && node.id?.type === "Identifier" ? node.id.name : undefined;
}

/** The name a key, a member or a specifier goes by, where it is written out. */
export function keyName(node: AnyNode): string | undefined {
  if (node.type === "Identifier" || node.type === "PrivateIdentifier") return node.name;
  return literalText(node);
}

/** The text of a string literal, or of a template without holes. */
export function literalText(node: AnyNode): string | undefined {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  if (node.type === "TemplateLiteral" && node.expressions.length === 0)
    return node.quasis[0]?.value.cooked ?? undefined;
  return undefined;
}

/** What is called: `fetch` for `fetch(…)` and `self.fetch(…)`, `register` for `a.b.register(…)`. */
export function calleeName(node: AnyNode): string | undefined {
  return node.type === "CallExpression" || node.type === "NewExpression" ? lastName(node.callee) : undefined;
}

/** The last name of a chain of members: `data` for `event?.data`. */
export function lastName(node: AnyNode): string | undefined {
  const inner = unwrap(node);
  if (inner.type === "MemberExpression") {
    return inner.computed ? literalText(inner.property) : keyName(inner.property);
  }
  return inner.type === "Identifier" ? inner.name : undefined;
}

/** Past the wrapping of an optional chain. */
export function unwrap(node: AnyNode): AnyNode {
  return node.type === "ChainExpression" || node.type === "ParenthesizedExpression" ? node.expression : node;
}

export function isFunction(node: AnyNode | null | undefined): node is FunctionNode {
  return (
    node?.type === "FunctionDeclaration" ||
    node?.type === "FunctionExpression" ||
    node?.type === "ArrowFunctionExpression"
  );
}

/** Every node at and below one, functions inside of it too. */
export function* nodesBelow(root: AnyNode): Generator<AnyNode> {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    yield node;
    stack.push(...childrenOf(node).reverse());
  }
}

/** Line numbers by binary search over where lines begin. */
function lineCounter(text: string, firstLine: number): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return firstLine + low;
  };
}
