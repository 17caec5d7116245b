/** Which functions and calls a piece of code leads to. */
import type { AnyNode } from "acorn";
import { functionOf, receiverOf, type Call, type Located } from "./names.ts";
import type { Page, Sources } from "./page.ts";
import { looksAtPermission } from "./permission.ts";
import {
  calleeName,
  childrenOf,
  isFunction,
  lastName,
  literalText,
  nodesBelow,
  type FunctionNode,
} from "./script.ts";

const largestReach = 400;

/** Every node of a function and of the functions of these files that it calls or names. */
export function reachedFrom(target: Located<FunctionNode>, sources: Sources): readonly Located[] {
  const seen = new Set<AnyNode>([target.node]);
  const waiting: Located[] = [target];
  const reached: Located[] = [];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { script } = next;
    for (const node of nodesBelow(next.node)) {
      reached.push({ script, node });
      if (node.type !== "CallExpression" && node.type !== "NewExpression") continue;
      for (const one of [node.callee, ...node.arguments]) {
        const found = functionOf({ script, node: one }, sources);
        if (found === undefined || seen.has(found.node) || seen.size > largestReach) continue;
        seen.add(found.node);
        // What stands inside of the function is walked with it.
        if (!(found.script === script && isInside(found.node, next.node))) waiting.push(found);
      }
    }
  }
  return reached;
}

function isInside(inner: AnyNode, outer: AnyNode): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

/** A call that runs while the page loads, without anybody having pressed anything. */
export interface LoadCall extends Located<Call> {
  /** Something on the way to it asks whether permission was given. */
  readonly isGuarded: boolean;
}

/** Events that a page gets without its visitor. */
const loadEvents = new Set([
  "load",
  "DOMContentLoaded",
  "readystatechange",
  "pageshow",
  "ready",
  "turbo:load",
  "init",
]);

/** Calls of functions that wait for a press: jQuery's `.click(f)`. */
const pressMethods = new Set(
  "click submit dblclick keydown keyup keypress change mousedown mouseup tap".split(" "),
);

/** Every call that the page's scripts make by themselves. */
export function callsOnLoad(page: Page): readonly LoadCall[] {
  const walk = new LoadWalk(page.sources);
  for (const script of page.scripts) {
    walk.visit({ script, node: script.program }, false);
  }
  return walk.calls;
}

class LoadWalk {
  readonly #sources: Sources;
  readonly #seen = new Map<AnyNode, boolean>();
  readonly #waiting: { readonly at: Located; readonly isGuarded: boolean }[] = [];
  readonly calls: LoadCall[] = [];

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  visit(root: Located, isGuarded: boolean): void {
    this.#waiting.push({ at: root, isGuarded });
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      this.#walk(next.at, next.isGuarded);
    }
  }

  /** Walks one function, or the top of a file; functions inside of it only if they are run. */
  #walk({ script, node: root }: Located, isGuarded: boolean): void {
    const stack = isFunction(root) ? [root.body as AnyNode] : [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node.type === "CallExpression" || node.type === "NewExpression") {
        this.calls.push({ script, node, isGuarded: isGuarded || isBehindIf({ script, node }) });
        this.#followCall({ script, node }, isGuarded);
      }
      if (node.type === "AssignmentExpression" && isLoadAssignment(node)) {
        this.#follow({ script, node: node.right }, isGuarded);
      }
      if (!isFunction(node)) stack.push(...childrenOf(node).reverse());
    }
  }

  #followCall({ script, node }: Located<Call>, isGuarded: boolean): void {
    this.#follow({ script, node: node.callee }, isGuarded || isBehindIf({ script, node }));
    if (waitsForSomething(node)) return;
    for (const argument of node.arguments) {
      this.#follow({ script, node: argument }, isGuarded || isBehindIf({ script, node }));
    }
  }

  #follow(at: Located, isGuarded: boolean): void {
    const target = functionOf(at, this.#sources);
    if (target === undefined) return;
    const guarded = isGuarded || looksAtPermission(target.node);
    const before = this.#seen.get(target.node);
    // Seen without a guard is seen for good; seen with one only is worth another look.
    if (before === false || before === guarded) return;
    this.#seen.set(target.node, guarded);
    this.#waiting.push({ at: target, isGuarded: guarded });
  }
}

/** Whether a call hands its functions to something that the visitor sets off, or that may never happen. */
function waitsForSomething(call: Call): boolean {
  const name = calleeName(call) ?? "";
  const [first] = call.arguments;
  const event = first === undefined ? undefined : literalText(first);
  if (["addEventListener", "on", "one", "once", "addListener"].includes(name)) {
    return event === undefined || !loadEvents.has(event);
  }
  return receiverOf(call) !== undefined && pressMethods.has(name);
}

function isLoadAssignment(node: Extract<AnyNode, { type: "AssignmentExpression" }>): boolean {
  return lastName(node.left) === "onload";
}

function isBehindIf({ script, node }: Located): boolean {
  for (let at = script.parents.get(node); at !== undefined && !isFunction(at); at = script.parents.get(at)) {
    if (at.type === "IfStatement" && looksAtPermission(at.test)) return true;
  }
  return false;
}
