/**
 * A script as the checks see it: nodes in order, parents, lines, names; and what its nodes are called.
 *
 * Walks are loops: a chain of ten thousand calls is a deep tree, and a page must not be
 * able to break its doctor. Only parse-script.ts loads acorn.
 */
import type { AnyNode, Program } from "acorn";

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
  /** What names are declared as, by the function they are declared in; undefined is the top of the file. */
  readonly declared: ReadonlyMap<string, ReadonlyMap<FunctionNode | undefined, readonly AnyNode[]>>;
  /** What names are given later: `handler = …`. */
  readonly assigned: ReadonlyMap<string, readonly AnyNode[]>;
  /** Values of properties and methods by their name: `{ worker: "sw.js" }`, `class { show() {} }`. */
  readonly members: ReadonlyMap<string, readonly AnyNode[]>;
  readonly imports: ReadonlyMap<string, ImportedName>;
  /** Local names by the name they are exported as. */
  readonly exports: ReadonlyMap<string, string>;
  /** Files and packages named by import, export and importScripts, as written. */
  readonly sources: readonly string[];
  readonly lineOf: (node: AnyNode) => number;
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

/** The names that a pattern declares: `{ a, b: [c = 1] }`. */
export function namesIn(pattern: AnyNode): readonly string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "AssignmentPattern":
      return namesIn(pattern.left);
    case "RestElement":
      return namesIn(pattern.argument);
    case "ArrayPattern":
      return pattern.elements.flatMap((element) => (element ? namesIn(element) : []));
    case "ObjectPattern":
      return pattern.properties.flatMap((one) => namesIn(one.type === "Property" ? one.value : one));
    default:
      return [];
  }
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

/** Whether an argument may be a function, written there or named. */
export function isCallback(node: AnyNode): boolean {
  return isFunction(unwrap(node)) || node.type === "Identifier" || node.type === "MemberExpression";
}
