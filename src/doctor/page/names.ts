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
  namesIn,
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
  return node.type === "Identifier" ? valueOf(node, script, sources) : undefined;
}

type Name = Extract<AnyNode, { type: "Identifier" }>;

/** What a name is bound to where it stands: values, a parameter, or nothing in this file. */
export type Binding =
  | { readonly kind: "values"; readonly values: readonly AnyNode[] }
  | { readonly kind: "parameter"; readonly of: FunctionNode; readonly index: number }
  | { readonly kind: "none" };

/** Looks a name up from the inside out. Blocks count as their function, so two `let` of one name have no answer. */
export function bindingOf(name: Name, script: Script): Binding {
  const declared = script.declared.get(name.name);
  const assigned = script.assigned.get(name.name) ?? [];
  for (let at = script.functions.get(name); ; at = script.functions.get(at)) {
    const own = declared?.get(at);
    if (own !== undefined) {
      const around: AnyNode = at ?? script.program;
      const later = assigned.filter((value) => value.start >= around.start && value.end <= around.end);
      const given = own.filter(({ type }) => type !== "VariableDeclarator");
      return { kind: "values", values: [...given, ...later] };
    }
    if (at === undefined)
      return assigned.length > 0 ? { kind: "values", values: assigned } : { kind: "none" };
    const index = at.params.findIndex((parameter) => namesIn(parameter).includes(name.name));
    if (index !== -1) return { kind: "parameter", of: at, index };
  }
}

/** The one value that a name has where it stands, or in the file it is imported from. */
function valueOf(name: Name, script: Script, sources: Sources): Located | undefined {
  const binding = bindingOf(name, script);
  if (binding.kind === "parameter") return undefined;
  if (binding.kind === "values") return only(binding.values.map((node) => ({ script, node })));
  return script.imports.has(name.name)
    ? importedValue(name.name, script, sources)
    : // Plain scripts share their names, and so do a worker and what it imports.
      only(sources.parsed().flatMap((other) => topValues(name.name, other)));
}

function importedValue(name: string, script: Script, sources: Sources, depth = 0): Located | undefined {
  const imported = script.imports.get(name);
  const target = imported && sources.follow(script, imported.source);
  if (imported === undefined || target === undefined || depth > deepest) return undefined;
  const local = target.exports.get(imported.imported) ?? imported.imported;
  if (target.imports.has(local)) return importedValue(local, target, sources, depth + 1);
  return only(topValues(local, target));
}

function topValues(name: string, script: Script): readonly Located[] {
  return (script.declared.get(name)?.get(undefined) ?? []).map((node) => ({ script, node }));
}

/** `this.show` and `handlers.show`, where that can only be one thing. */
function memberOf(node: Extract<AnyNode, { type: "MemberExpression" }>, script: Script): Located | undefined {
  const name = lastName(node);
  const { object } = node;
  const isOurs =
    object.type === "ThisExpression" ||
    (object.type === "Identifier" &&
      valuesOf(object, script).some((value) =>
        ["ObjectExpression", "NewExpression", "ClassExpression", "ClassDeclaration"].includes(value.type),
      ));
  if (name === undefined || !isOurs) return undefined;
  return only((script.members.get(name) ?? []).map((value) => ({ script, node: value })));
}

function valuesOf(name: Name, script: Script): readonly AnyNode[] {
  const binding = bindingOf(name, script);
  return binding.kind === "values" ? binding.values : [];
}

function only(found: readonly Located[]): Located | undefined {
  return found.length === 1 ? found[0] : undefined;
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

function textsOfName(name: Name, script: Script, sources: Sources, depth: number): readonly string[] {
  const binding = bindingOf(name, script);
  if (binding.kind === "parameter") {
    return argumentsFor(binding, script, sources)
      .flatMap((one) => textsOf(one, sources, depth + 2))
      .slice(0, 8);
  }
  const value = valueOf(name, script, sources);
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
function argumentsFor(
  { of, index }: Extract<Binding, { kind: "parameter" }>,
  script: Script,
  sources: Sources,
): readonly Located[] {
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
  return inner.type === "Identifier" ? (valueOf(inner, located.script, sources) ?? located) : located;
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
