/**
 * What a name in a script stands for: the function that is called, the text that is passed.
 *
 * It guesses only where one answer is possible. A name that is given twice, computed or
 * brought in from elsewhere has no answer, and the check that asked says it cannot tell.
 */
import type { AnyNode, CallExpression, NewExpression } from "acorn";
import type { Sources } from "./page.ts";
import {
  calleeName,
  isFunction,
  keyName,
  lastName,
  literalText,
  unwrap,
  type FunctionNode,
  type Script,
} from "./script.ts";

/** A node with the file it is in. */
export interface Located<Node extends AnyNode = AnyNode> {
  readonly script: Script;
  readonly node: Node;
}

const deepest = 8;
/** Stands in a text for a part that is not known. */
export const hole = "\u0000";

/** The function that an expression stands for. */
export function functionOf(
  { script, node }: Located,
  sources: Sources,
  depth = 0,
): Located<FunctionNode> | undefined {
  if (depth > deepest) return undefined;
  const inner = unwrap(node);
  if (isFunction(inner)) return { script, node: inner };
  const next = inner.type === "MemberExpression" ? memberOf(inner, script) : nameOf(inner, script, sources);
  return next && functionOf(next, sources, depth + 1);
}

function nameOf(node: AnyNode, script: Script, sources: Sources): Located | undefined {
  // handler.bind(this) is the handler.
  if (node.type === "CallExpression" && calleeName(node) === "bind") {
    const callee = unwrap(node.callee);
    return callee.type === "MemberExpression" ? { script, node: callee.object } : undefined;
  }
  if (node.type !== "Identifier") return undefined;
  if (parameterOf(node, script) !== undefined) return undefined;
  return valueOf(node.name, script, sources);
}

/** The one value that a name has in a script, or in the one it is imported from. */
function valueOf(name: string, script: Script, sources: Sources): Located | undefined {
  const values = script.values.get(name);
  if (values !== undefined) return only(values.map((node) => ({ script, node })));
  const imported = script.imports.get(name);
  if (imported !== undefined) {
    const target = sources.follow(script, imported.source);
    if (target === undefined) return undefined;
    const local = target.exports.get(imported.imported) ?? imported.imported;
    return target === script ? undefined : valueOf(local, target, sources);
  }
  // Plain scripts share their names, and so do a worker and what it imports.
  return only(
    sources
      .parsed()
      .flatMap((other) => (other.values.get(name) ?? []).map((node) => ({ script: other, node }))),
  );
}

/** `this.show` and `handlers.show`, where that can only be one thing. */
function memberOf(node: Extract<AnyNode, { type: "MemberExpression" }>, script: Script): Located | undefined {
  const name = lastName(node);
  const { object } = node;
  const isOurs =
    object.type === "ThisExpression" ||
    (object.type === "Identifier" &&
      (script.values.get(object.name) ?? []).some((value) =>
        ["ObjectExpression", "NewExpression", "ClassExpression", "ClassDeclaration"].includes(value.type),
      ));
  if (name === undefined || !isOurs) return undefined;
  return only((script.members.get(name) ?? []).map((value) => ({ script, node: value })));
}

function only(found: readonly Located[]): Located | undefined {
  return found.length === 1 ? found[0] : undefined;
}

interface Parameter {
  readonly of: FunctionNode;
  readonly index: number;
}

/** Whose parameter a name is, when it is one. */
export function parameterOf(
  node: Extract<AnyNode, { type: "Identifier" }>,
  script: Script,
): Parameter | undefined {
  for (let at = script.functions.get(node); at !== undefined; at = script.functions.get(at)) {
    const index = at.params.findIndex((parameter) => declares(parameter, node.name));
    if (index !== -1) return { of: at, index };
  }
  return undefined;
}

/** Whether a pattern declares `name`, one level of destructuring deep. */
function declares(pattern: AnyNode, name: string): boolean {
  if (pattern.type === "Identifier") return pattern.name === name;
  if (pattern.type === "AssignmentPattern") return declares(pattern.left, name);
  if (pattern.type === "RestElement") return declares(pattern.argument, name);
  if (pattern.type === "ObjectPattern") {
    return pattern.properties.some(
      (property) => property.type === "Property" && declares(property.value, name),
    );
  }
  return false;
}

/** The texts that an expression may have; empty when that is not known. Unknown parts of one are a `hole`. */
export function textsOf({ script, node }: Located, sources: Sources, depth = 0): readonly string[] {
  const inner = unwrap(node);
  const literal = literalText(inner);
  if (literal !== undefined) return [literal];
  if (depth > deepest) return [];
  const texts = (next: AnyNode): readonly string[] => textsOf({ script, node: next }, sources, depth + 1);
  switch (inner.type) {
    case "TemplateLiteral": {
      const parts = inner.quasis.map(({ value }, index) => {
        const expression = inner.expressions[index];
        return (value.cooked ?? hole) + (expression === undefined ? "" : (texts(expression)[0] ?? hole));
      });
      return [parts.join("")];
    }
    case "BinaryExpression":
      if (inner.operator !== "+") return [];
      return [(texts(inner.left)[0] ?? hole) + (texts(inner.right)[0] ?? hole)];
    case "ConditionalExpression":
      return [...texts(inner.consequent), ...texts(inner.alternate)];
    case "LogicalExpression":
      return [...texts(inner.left), ...texts(inner.right)];
    case "NewExpression":
    case "CallExpression":
      return calleeName(inner) === "URL" && inner.arguments[0] ? texts(inner.arguments[0]) : [];
    case "Identifier":
      return textsOfName(inner, script, sources, depth);
    case "MemberExpression":
      return textsOfMember(inner, script, sources, depth);
    default:
      return [];
  }
}

function textsOfName(
  node: Extract<AnyNode, { type: "Identifier" }>,
  script: Script,
  sources: Sources,
  depth: number,
): readonly string[] {
  const parameter = parameterOf(node, script);
  if (parameter !== undefined) {
    return argumentsFor(parameter, script, sources)
      .flatMap((one) => textsOf(one, sources, depth + 2))
      .slice(0, 8);
  }
  const value = valueOf(node.name, script, sources);
  return value ? textsOf(value, sources, depth + 1) : [];
}

/** `config.worker`: what some object calls `worker`, where all that do agree. */
function textsOfMember(
  node: Extract<AnyNode, { type: "MemberExpression" }>,
  script: Script,
  sources: Sources,
  depth: number,
): readonly string[] {
  const name = lastName(node);
  if (name === undefined || ["href", "pathname"].includes(name)) {
    return textsOf({ script, node: node.object }, sources, depth + 1);
  }
  const found = [script, ...sources.parsed().filter((other) => other !== script)].flatMap((other) =>
    (other.members.get(name) ?? []).flatMap((value) => literalText(value) ?? []),
  );
  return [...new Set(found)].length === 1 ? found.slice(0, 1) : [];
}

/** What is passed for a parameter wherever its function is called by name. */
function argumentsFor({ of, index }: Parameter, script: Script, sources: Sources): readonly Located[] {
  const name = functionName(of, script);
  if (name === undefined) return [];
  const scripts = new Set([script, ...sources.parsed()]);
  return [...scripts].flatMap((other) =>
    other.nodes.flatMap((node) => {
      if (node.type !== "CallExpression" || calleeName(node) !== name) return [];
      const argument = node.arguments[index];
      return argument ? [{ script: other, node: argument }] : [];
    }),
  );
}

function functionName(node: FunctionNode, script: Script): string | undefined {
  if ("id" in node && node.id) return node.id.name;
  const parent = script.parents.get(node);
  if (parent?.type === "VariableDeclarator" && parent.id.type === "Identifier") return parent.id.name;
  if (parent?.type === "Property" || parent?.type === "MethodDefinition") return keyName(parent.key);
  return undefined;
}

/** The value of a property of an object, where the object is written out: `options.userVisibleOnly`. */
export function propertyOf({ node }: Located, name: string): AnyNode | "absent" | "unclear" {
  const inner = unwrap(node);
  if (inner.type !== "ObjectExpression") return "unclear";
  let isWhole = true;
  for (const property of inner.properties) {
    if (property.type === "SpreadElement" || property.computed) isWhole = false;
    else if (keyName(property.key) === name) return property.value;
  }
  return isWhole ? "absent" : "unclear";
}

/** An object literal behind a name, or the node itself. */
export function objectOf(located: Located, sources: Sources): Located {
  const inner = unwrap(located.node);
  if (inner.type !== "Identifier" || parameterOf(inner, located.script) !== undefined) return located;
  return valueOf(inner.name, located.script, sources) ?? located;
}

export type Call = CallExpression | NewExpression;

/** Every call of a script whose callee's last name is one of `names`. */
export function callsOf(script: Script, ...names: readonly string[]): readonly Located<Call>[] {
  return script.nodes.flatMap((node) =>
    (node.type === "CallExpression" || node.type === "NewExpression") &&
    names.includes(calleeName(node) ?? "")
      ? [{ script, node }]
      : [],
  );
}

/** What a method is called on: `navigator.serviceWorker` of `navigator.serviceWorker.register()`. */
export function receiverOf(call: Call): AnyNode | undefined {
  const callee = unwrap(call.callee);
  return callee.type === "MemberExpression" ? unwrap(callee.object) : undefined;
}
